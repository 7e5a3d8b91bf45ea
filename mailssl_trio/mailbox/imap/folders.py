"""The commands about mailboxes as such (RFC 3501 section 6.3, RFC 2342)."""

import re

from mailssl_trio.mailbox.account import Account
from mailssl_trio.mailbox.disk import Disk
from mailssl_trio.mailbox.folder import Snapshot
from mailssl_trio.mailbox.imap.arguments import LIST_MAILBOX, Arguments
from mailssl_trio.mailbox.imap.result import UNKNOWN, Result, no, ok
from mailssl_trio.mailbox.imap.strings import parenthesised, string
from mailssl_trio.mailbox.maildir import Flag
from mailssl_trio.mailbox.names import folder_name, matches, with_superiors
from mailssl_trio.mailbox.wire import Wire

STATUS_ITEM = re.compile(rb"(?i:MESSAGES|RECENT|UIDNEXT|UIDVALIDITY|UNSEEN)")


class Folders:
    """A conversation about the mailboxes of one user."""

    def __init__(self, wire: Wire, disk: Disk, account: Account) -> None:
        self.wire = wire
        self.disk = disk
        self.account = account

    async def perform(self, verb: bytes, arguments: Arguments) -> Result:
        """Do what a command asks for."""
        match verb:
            case b"LIST" | b"LSUB":
                return await self.list(verb, arguments)
            case b"STATUS":
                return await self.status(arguments)
            case b"RENAME":
                return await self.rename(arguments)
            case b"NAMESPACE":
                arguments.end()
                await self.wire.write(b'* NAMESPACE (("" "/")) NIL NIL\r\n')
                return ok(b"NAMESPACE completed")
            case b"CREATE" | b"DELETE" | b"SUBSCRIBE" | b"UNSUBSCRIBE":
                return await self.change(verb, arguments)
            case _:
                return UNKNOWN

    async def list(self, verb: bytes, arguments: Arguments) -> Result:
        """LIST and LSUB, RFC 3501 sections 6.3.8 and 6.3.9."""
        arguments.space()
        reference = arguments.astring()
        arguments.space()
        pattern = arguments.astring(LIST_MAILBOX)
        arguments.end()
        if not pattern and verb == b"LIST":
            await self.wire.write(b'* LIST (\\Noselect) "/" ""\r\n')
        else:
            wanted = _pattern(reference + pattern)
            await self.wire.write(await self.disk.run(self._list, verb, wanted))
        return ok(verb + b" completed")

    async def status(self, arguments: Arguments) -> Result:
        """STATUS, RFC 3501 section 6.3.10."""
        arguments.space()
        name = folder_name(arguments.astring())
        arguments.space()
        items = [item.upper() for item in arguments.items(STATUS_ITEM, "status item")]
        arguments.end()
        snapshot = await self.disk.run(self._look, name)
        values = [b"%b %d" % (item, _status(item, snapshot)) for item in items]
        line = b"* STATUS %b %b\r\n" % (string(name.encode()), parenthesised(values))
        await self.wire.write(line)
        return ok(b"STATUS completed")

    async def rename(self, arguments: Arguments) -> Result:
        """RENAME, RFC 3501 section 6.3.5; INBOX stays what it is."""
        arguments.space()
        old = folder_name(arguments.astring())
        arguments.space()
        new = folder_name(arguments.astring())
        arguments.end()
        if old == "INBOX" or new.startswith(old + "/"):
            return no(b"[CANNOT] this mailbox cannot be renamed so")
        await self.disk.run(self.account.rename, old, new)
        return ok(b"RENAME completed")

    async def change(self, verb: bytes, arguments: Arguments) -> Result:
        """Do what needs but a name."""
        arguments.space()
        name = folder_name(arguments.astring())
        arguments.end()
        match verb:
            case b"CREATE":
                await self.disk.run(self.account.create, name)
            case b"DELETE" if name == "INBOX":
                return no(b"[CANNOT] INBOX cannot be deleted")
            case b"DELETE":
                await self.disk.run(self.account.delete, name)
            case b"SUBSCRIBE":
                await self.disk.run(self.account.subscribe, name)
            case _:
                await self.disk.run(self.account.unsubscribe, name)
        return ok(verb + b" completed")

    def _list(self, verb: bytes, pattern: str) -> bytes:
        is_lsub = verb == b"LSUB"
        there = self.account.subscriptions() if is_lsub else self.account.names()
        # LSUB tells of superiors only where "%" stops short of what is below them.
        only_there = is_lsub and not pattern.endswith("%")
        lines = []
        for name in there if only_there else with_superiors(there):
            if matches(pattern, name):
                noselect = b"" if name in there else b"\\Noselect"
                quoted = string(name.encode())
                lines.append(b'* %b (%b) "/" %b\r\n' % (verb, noselect, quoted))
        return b"".join(lines)

    def _look(self, name: str) -> Snapshot:
        return self.account.folder(name).look()


def _pattern(text: bytes) -> str:
    pattern = text.decode("ascii", "replace")
    if pattern[:5].upper() == "INBOX" and pattern[5:6] in {"", "/", "%", "*"}:
        return "INBOX" + pattern[5:]
    return pattern


def _status(item: bytes, snapshot: Snapshot) -> int:
    match item:
        case b"MESSAGES":
            return len(snapshot.messages)
        case b"RECENT":
            return sum(message.entry.is_new for message in snapshot.messages)
        case b"UNSEEN":
            return sum(Flag.SEEN not in message.flags for message in snapshot.messages)
        case b"UIDNEXT":
            return snapshot.next_uid
        case _:
            return snapshot.validity
