"""What a client believes its mailbox to be (RFC 3501 sections 5.2, 7.3 and 7.4).

Message numbers mean what the client was last told. So a folder is shown to it as it
was, until ``update()`` tells what has changed, at a moment when that is allowed.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping

from mailssl_trio.mailbox.disk import Disk
from mailssl_trio.mailbox.folder import (
    Folder,
    Message,
    NoSuchFolderError,
    Snapshot,
)
from mailssl_trio.mailbox.imap.arguments import BadSyntaxError
from mailssl_trio.mailbox.imap.flags import ALL_FLAGS, write_flags
from mailssl_trio.mailbox.imap.sequence import Numbers, SequenceSet
from mailssl_trio.mailbox.maildir import Flag, Flags


class View:
    """A selected mailbox."""

    def __init__(self, disk: Disk, folder: Folder, *, read_only: bool) -> None:
        self.disk = disk
        self.folder = folder
        self.read_only = read_only
        self.messages: list[Message] = []
        """By message number, the first at 0."""
        self.recent: set[int] = set()
        self.snapshot: Snapshot | None = None

    async def select(self) -> bytes:
        """Begin with what is there now; return what SELECT says of it."""
        return await self.disk.run(self._select)

    async def update(self, *, may_expunge: bool) -> bytes:
        """Return the untagged responses that tell what has changed."""
        return await self.disk.run(self._update, may_expunge)

    def numbers(self, wanted: SequenceSet, *, by_uid: bool) -> Numbers:
        """Say which UIDs, or which message numbers, a set means now."""
        if by_uid:
            return wanted.numbers(self.messages[-1].uid if self.messages else 0)
        if wanted.largest > len(self.messages):
            raise BadSyntaxError("no such message number")
        return wanted.numbers(len(self.messages))

    def choose(self, wanted: SequenceSet, *, by_uid: bool) -> list[tuple[int, Message]]:
        """Return the messages of a set with their numbers."""
        chosen: list[tuple[int, Message]] = []
        for low, high in self.numbers(wanted, by_uid=by_uid).ranges:
            start, end = max(low - 1, 0), high
            if by_uid:
                start = bisect_left(self.messages, low, key=_uid)
                end = bisect_right(self.messages, high, key=_uid)
            chosen += enumerate(self.messages[start:end], start + 1)
        return chosen

    async def change_flags(
        self, uids: set[int], change: Callable[[Flags], Flags]
    ) -> dict[int, Message]:
        """Give messages other flags; return who is still there to have them."""
        return await self.disk.run(self._change_flags, uids, change)

    def flags(self, message: Message) -> bytes:
        """Write a message's flags."""
        return b"FLAGS " + write_flags(message.flags, recent=message.uid in self.recent)

    def count_recent(self) -> int:
        """Count the messages this session is the first to see."""
        return sum(message.uid in self.recent for message in self.messages)

    def _select(self) -> bytes:
        snapshot = self._look()
        self.messages = list(snapshot.messages)
        permanent = b"" if self.read_only else ALL_FLAGS
        lines = [
            b"FLAGS (%b)" % ALL_FLAGS,
            b"%d EXISTS" % len(self.messages),
            b"%d RECENT" % self.count_recent(),
            b"OK [PERMANENTFLAGS (%b)] no keywords" % permanent,
            b"OK [UIDVALIDITY %d] UIDs are valid" % snapshot.validity,
            b"OK [UIDNEXT %d] next UID" % snapshot.next_uid,
        ]
        unseen = (n for n, m in enumerate(self.messages, 1) if Flag.SEEN not in m.flags)
        if first := next(unseen, None):
            lines.append(b"OK [UNSEEN %d] first unseen" % first)
        return b"".join(b"* %b\r\n" % line for line in lines)

    def _update(self, may_expunge: bool) -> bytes:
        before, snapshot = self.snapshot, self._look()
        if snapshot is before and len(snapshot.messages) == len(self.messages):
            return b""
        current = {message.uid: message for message in snapshot.messages}
        gone = b"".join(self._expunge(current)) if may_expunge else b""
        changed = b"".join(self._changed(current))
        return gone + changed + self._grow(snapshot)

    def _change_flags(
        self, uids: set[int], change: Callable[[Flags], Flags]
    ) -> dict[int, Message]:
        """Change flags, and believe it, so that no update tells of it again."""
        changed = self.folder.change_flags(uids, change)
        for uid, message in changed.items():
            at = bisect_left(self.messages, uid, key=_uid)
            if at < len(self.messages) and self.messages[at].uid == uid:
                self.messages[at] = message
        return changed

    def _look(self) -> Snapshot:
        """See what is in the folder now, without a word to the client."""
        before = self.snapshot
        snapshot = self.folder.look(before, claim=not self.read_only)
        if before and before.validity != snapshot.validity:
            raise NoSuchFolderError  # another has its name
        self.recent |= snapshot.claimed
        if self.read_only:
            self.recent |= {m.uid for m in snapshot.messages if m.entry.is_new}
        self.snapshot = snapshot
        return snapshot

    def _expunge(self, current: Mapping[int, Message]) -> Iterator[bytes]:
        """Forget who is gone, from the last on: the numbers before stay true."""
        for number in range(len(self.messages), 0, -1):
            if self.messages[number - 1].uid not in current:
                del self.messages[number - 1]
                yield b"* %d EXPUNGE\r\n" % number

    def _changed(self, current: Mapping[int, Message]) -> Iterator[bytes]:
        for number, message in enumerate(self.messages, 1):
            now = current.get(message.uid, message)
            self.messages[number - 1] = now
            if now.flags != message.flags:
                yield b"* %d FETCH (UID %d %b)\r\n" % (
                    number,
                    now.uid,
                    self.flags(now),
                )

    def _grow(self, snapshot: Snapshot) -> bytes:
        """Take in who is new; UIDs ascend, so they come last."""
        last = self.messages[-1].uid if self.messages else 0
        newcomers = [message for message in snapshot.messages if message.uid > last]
        if not newcomers:
            return b""
        self.messages += newcomers
        return b"* %d EXISTS\r\n* %d RECENT\r\n" % (
            len(self.messages),
            self.count_recent(),
        )


def _uid(message: Message) -> int:
    return message.uid
