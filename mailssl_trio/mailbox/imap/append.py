"""APPEND (RFC 3501 section 6.3.11): a literal that goes to the disk as it comes."""

import trio

from mailssl_trio.mailbox.account import Account
from mailssl_trio.mailbox.disk import Disk
from mailssl_trio.mailbox.folder import Folder, NoSuchFolderError
from mailssl_trio.mailbox.imap.command import MAX_LINE, pass_over
from mailssl_trio.mailbox.imap.flags import KeywordError, flags_named
from mailssl_trio.mailbox.imap.result import (
    KEYWORD,
    TRY_CREATE,
    UNAVAILABLE,
    Result,
    bad,
    no,
    ok,
)
from mailssl_trio.mailbox.imap.target import AppendTarget
from mailssl_trio.mailbox.maildir import Draft, Flags
from mailssl_trio.mailbox.names import BadNameError, folder_name
from mailssl_trio.mailbox.wire import CHUNK, Wire
from mailssl_trio.protocol.engine import LineTooLongError
from mailssl_trio.protocol.imap.grammar import Announcement

MAX_MESSAGE = 64 * 1024 * 1024

DISCARD_TIME = 5.0
"""Seconds to let go of a message that did not come whole."""

TOO_BIG = no(b"[TOOBIG] message too large")  # RFC 7889 section 4


class Append:
    """One message on its way into a mailbox."""

    def __init__(self, wire: Wire, disk: Disk, account: Account) -> None:
        self.wire = wire
        self.disk = disk
        self.account = account

    async def perform(self, target: AppendTarget, message: Announcement) -> Result:
        """Take the message, and answer OK only when it is there to stay."""
        prepared = await self.disk.run(self._prepare, target, message.size)
        if isinstance(prepared, Result):
            return await self.refuse(prepared, message)
        if message.synchronising:
            await self.wire.write(b"+ go on\r\n")
        folder, flags = prepared
        draft = await self.disk.run(Draft, folder.path)
        try:
            trouble = await self.receive(draft, message.size)
            if trouble := await self.end() or trouble:
                return trouble
            return await self.disk.run(_deliver, draft, folder, flags, target.date)
        finally:
            with trio.move_on_after(DISCARD_TIME, shield=True):
                await self.disk.run(draft.discard)

    async def refuse(self, refusal: Result, message: Announcement) -> Result:
        """Refuse a message before it is sent, or read it to its end first."""
        if message.synchronising:
            return refusal
        if message.size > MAX_MESSAGE:
            raise LineTooLongError
        left = message.size
        while left:
            left -= len(await self.wire.read_some(min(left, CHUNK)))
        return await self.end() or refusal

    async def receive(self, draft: Draft, size: int) -> Result | None:
        """Put the literal on the disk; say what is wrong with it, if anything is."""
        trouble = None
        while size:
            octets = await self.wire.read_some(min(size, CHUNK))
            size -= len(octets)
            if b"\0" in octets:
                trouble = bad(b"no literal may contain NUL")  # RFC 3501 section 4.3
            if trouble is None:
                trouble = await self.disk.run(_write, draft, octets)
        return trouble

    async def end(self) -> Result | None:
        """Read what follows the message: nothing should."""
        if not (line := await self.wire.read_line(MAX_LINE)):
            return None
        await pass_over(self.wire, line)
        return bad(b"one message at a time")

    def _prepare(
        self, target: AppendTarget, size: int
    ) -> tuple[Folder, Flags] | Result:
        try:
            folder = self.account.folder(folder_name(target.mailbox))
            flags = flags_named(target.flags)
        except NoSuchFolderError:
            return TRY_CREATE
        except KeywordError:
            return KEYWORD
        except BadNameError as name:
            return no(str(name).encode())
        return TOO_BIG if size > MAX_MESSAGE else (folder, flags)


def _write(draft: Draft, octets: bytes) -> Result | None:
    """Write a piece; whatever the disk says, the literal must be read to its end."""
    try:
        draft.write(octets)
    except OSError:
        return UNAVAILABLE
    return None


def _deliver(draft: Draft, folder: Folder, flags: Flags, date: float | None) -> Result:
    draft.deliver([folder.path], flags, date)
    snapshot = folder.look()
    for message in snapshot.messages:
        if message.entry.name == draft.name:
            uid = b"[APPENDUID %d %d]" % (snapshot.validity, message.uid)
            return ok(uid + b" APPEND completed")
    return ok(b"APPEND completed")  # and removed again by someone quick
