"""The commands of the selected state (RFC 3501 section 6.4, RFC 4315)."""

import re
from collections.abc import Callable

from mailssl_trio.mailbox.account import Account
from mailssl_trio.mailbox.disk import Disk
from mailssl_trio.mailbox.folder import Folder, Message, NoSuchFolderError
from mailssl_trio.mailbox.imap.arguments import Arguments
from mailssl_trio.mailbox.imap.attributes import UID, parse_attributes
from mailssl_trio.mailbox.imap.fetch import Fetch
from mailssl_trio.mailbox.imap.flags import parse_flags
from mailssl_trio.mailbox.imap.result import (
    EXPUNGED,
    TRY_CREATE,
    UNKNOWN,
    Result,
    bad,
    no,
    ok,
)
from mailssl_trio.mailbox.imap.search import parse_search, search
from mailssl_trio.mailbox.imap.sequence import parse_sequence_set, write_set
from mailssl_trio.mailbox.imap.view import View
from mailssl_trio.mailbox.maildir import Flags
from mailssl_trio.mailbox.names import folder_name
from mailssl_trio.mailbox.wire import Wire

READ_ONLY = no(b"[READ-ONLY] the mailbox was opened with EXAMINE")

SIGN = re.compile(rb"[+-]?")

BATCH = 100
"""Messages that SEARCH looks at in one go."""


class Selected:
    """A conversation about one mailbox."""

    VERBS = frozenset(
        {b"CHECK", b"EXPUNGE", b"UID", b"SEARCH", b"FETCH", b"STORE", b"COPY"}
    )

    def __init__(self, wire: Wire, disk: Disk, account: Account, view: View) -> None:
        self.wire = wire
        self.disk = disk
        self.account = account
        self.view = view

    async def perform(self, verb: bytes, arguments: Arguments) -> Result:
        """Do what a command asks for."""
        match verb:
            case b"CHECK":
                arguments.end()
                return ok(b"CHECK completed")
            case b"EXPUNGE":
                arguments.end()
                return await self.expunge(None)
            case b"UID":
                arguments.space()
                uid_verb = arguments.word()
                return await self.on_messages(uid_verb, arguments, by_uid=True)
            case _:
                return await self.on_messages(verb, arguments, by_uid=False)

    async def on_messages(
        self, verb: bytes, arguments: Arguments, *, by_uid: bool
    ) -> Result:
        """Do what can be done by message number or by UID."""
        match verb:
            case b"SEARCH":
                return await self.search(arguments, by_uid=by_uid)
            case b"FETCH":
                return await self.fetch(arguments, by_uid=by_uid)
            case b"STORE":
                return await self.store(arguments, by_uid=by_uid)
            case b"COPY":
                return await self.copy(arguments, by_uid=by_uid)
            case b"EXPUNGE" if by_uid:
                chosen = self.chosen(arguments, by_uid=True)
                arguments.end()
                return await self.expunge({message.uid for _, message in chosen})
            case _:
                return UNKNOWN

    def chosen(
        self, arguments: Arguments, *, by_uid: bool
    ) -> list[tuple[int, Message]]:
        """Read a sequence set, and return its messages."""
        arguments.space()
        return self.view.choose(parse_sequence_set(arguments), by_uid=by_uid)

    async def close(self) -> Result:
        """CLOSE, RFC 3501 section 6.4.2: expunge without a word."""
        if not self.view.read_only:
            await self.disk.run(self._remove, None)
        return ok(b"CLOSE completed")

    async def expunge(self, uids: set[int] | None) -> Result:
        """EXPUNGE and UID EXPUNGE; the update behind every command tells the rest."""
        if self.view.read_only:
            return READ_ONLY
        await self.disk.run(self._remove, uids)
        return ok(b"EXPUNGE completed")

    async def search(self, arguments: Arguments, *, by_uid: bool) -> Result:
        """SEARCH, RFC 3501 section 6.4.4."""
        arguments.space()
        program = parse_search(arguments, self.view)
        if program is None:
            return no(b"[BADCHARSET (US-ASCII UTF-8)] charset unknown")
        found: list[int] = []
        numbered = list(enumerate(self.view.messages, 1))
        for start in range(0, len(numbered), BATCH):
            batch = numbered[start : start + BATCH]
            found += await self.disk.run(search, program, self.view, batch)
        if by_uid:
            found = [self.view.messages[number - 1].uid for number in found]
        await self.wire.write(b"* SEARCH%b\r\n" % b"".join(b" %d" % n for n in found))
        return ok(b"SEARCH completed")

    async def fetch(self, arguments: Arguments, *, by_uid: bool) -> Result:
        """FETCH, RFC 3501 section 6.4.5."""
        chosen = self.chosen(arguments, by_uid=by_uid)
        arguments.space()
        attributes = parse_attributes(arguments)
        arguments.end()
        if by_uid and UID not in attributes:
            attributes = (UID, *attributes)
        complete = await Fetch(self.wire, self.disk, self.view).tell(chosen, attributes)
        return ok(b"FETCH completed") if complete else EXPUNGED

    async def store(self, arguments: Arguments, *, by_uid: bool) -> Result:
        """STORE, RFC 3501 section 6.4.6."""
        chosen = self.chosen(arguments, by_uid=by_uid)
        arguments.space()
        sign = arguments.take(SIGN, "sign")
        word = arguments.word()
        arguments.space()
        change = _change(sign, parse_flags(arguments))
        arguments.end()
        if word not in {b"FLAGS", b"FLAGS.SILENT"}:
            return bad(b"FLAGS expected")
        if self.view.read_only:
            return READ_ONLY
        uids = {message.uid for _, message in chosen}
        changed = await self.view.change_flags(uids, change)
        if word == b"FLAGS":
            for number, message in chosen:
                await self.tell_flags(number, changed.get(message.uid), by_uid=by_uid)
        return ok(b"STORE completed") if len(changed) == len(chosen) else EXPUNGED

    async def tell_flags(
        self, number: int, message: Message | None, *, by_uid: bool
    ) -> None:
        """Tell a message's flags, if it is still there."""
        if message:
            uid = b"UID %d " % message.uid if by_uid else b""
            flags = self.view.flags(message)
            await self.wire.write(b"* %d FETCH (%b%b)\r\n" % (number, uid, flags))

    async def copy(self, arguments: Arguments, *, by_uid: bool) -> Result:
        """COPY, RFC 3501 section 6.4.7, with its COPYUID (RFC 4315 section 3)."""
        chosen = self.chosen(arguments, by_uid=by_uid)
        arguments.space()
        name = folder_name(arguments.astring())
        arguments.end()
        uids = {message.uid for _, message in chosen}
        try:
            to = await self.disk.run(self.account.folder, name)
        except NoSuchFolderError:
            return TRY_CREATE
        return await self.disk.run(self._copy, uids, to)

    def _remove(self, uids: set[int] | None) -> list[int]:
        return self.view.folder.remove(uids, only_deleted=True)

    def _copy(self, uids: set[int], to: Folder) -> Result:
        snapshot, pairs = self.view.folder.copy(uids, to)
        if len(pairs) < len(uids):
            return EXPUNGED
        if not pairs:
            return ok(b"COPY completed")
        old, new = (write_set(list(side)) for side in zip(*pairs, strict=True))
        return ok(b"[COPYUID %d %b %b] COPY completed" % (snapshot.validity, old, new))


def _change(sign: bytes, named: Flags) -> Callable[[Flags], Flags]:
    match sign:
        case b"+":
            return lambda flags: flags | named
        case b"-":
            return lambda flags: flags - named
        case _:
            return lambda _: named
