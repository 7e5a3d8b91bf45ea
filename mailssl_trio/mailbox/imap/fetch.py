"""Telling the client what FETCH asks for, message by message, chunk by chunk."""

from trio.lowlevel import checkpoint

from mailssl_trio.mailbox.disk import Disk
from mailssl_trio.mailbox.folder import Message
from mailssl_trio.mailbox.imap.answer import Answer, Content, answer, needs_file
from mailssl_trio.mailbox.imap.attributes import FLAGS, Attribute, Section
from mailssl_trio.mailbox.imap.view import View
from mailssl_trio.mailbox.maildir import Flag
from mailssl_trio.mailbox.octets import Extent
from mailssl_trio.mailbox.wire import CHUNK, Wire
from mailssl_trio.protocol.engine import HangUp
from mailssl_trio.protocol.events import Goodbye


class Fetch:
    """The untagged responses of one FETCH (RFC 3501 section 7.4.2)."""

    def __init__(self, wire: Wire, disk: Disk, view: View) -> None:
        self.wire = wire
        self.disk = disk
        self.view = view

    async def tell(
        self, chosen: list[tuple[int, Message]], attributes: tuple[Attribute, ...]
    ) -> bool:
        """Tell of all these messages; say whether all of them were still there."""
        seen = await self.set_seen(chosen, attributes)
        complete = True
        for number, message in chosen:
            wanted = attributes
            if message.uid in seen and FLAGS not in attributes:
                wanted = (*attributes, FLAGS)
            now = seen.get(message.uid, message)
            complete = await self.fetch_one(number, now, wanted) and complete
        return complete

    async def set_seen(
        self, chosen: list[tuple[int, Message]], attributes: tuple[Attribute, ...]
    ) -> dict[int, Message]:
        """Mark as seen what is about to be; return what that has changed."""
        reading = any(isinstance(a, Section) and a.sets_seen for a in attributes)
        unseen = {m.uid for _, m in chosen if Flag.SEEN not in m.flags}
        if self.view.read_only or not reading or not unseen:
            return {}
        return await self.view.change_flags(unseen, lambda flags: flags | {Flag.SEEN})

    async def fetch_one(
        self, number: int, message: Message, attributes: tuple[Attribute, ...]
    ) -> bool:
        """Answer for one message; say whether it is still there."""
        if needs_file(attributes):
            found = await self.disk.run(self._answer, message, attributes)
        else:
            await checkpoint()  # or a large mailbox's flags would hold up the loop
            found = self._answer(message, attributes)
        if found is None:
            return False
        try:
            await self.wire.write(b"* %d FETCH (" % number)
            await self.send(found)
            await self.wire.write(b")\r\n")
        finally:
            found.close()
        return True

    async def send(self, found: Answer) -> None:
        """Put an answer on the wire, a chunk of the file at a time."""
        for piece in found.pieces:
            if isinstance(piece, bytes):
                await self.wire.write(piece)
            elif found.content:
                await self.send_extent(found.content, piece)

    async def send_extent(self, content: Content, extent: Extent) -> None:
        """Put a stretch of a message on the wire."""
        for start in range(extent.start, extent.end, CHUNK):
            end = min(start + CHUNK, extent.end)
            try:
                octets = await self.disk.run(content.octets.read, start, end)
            except OSError:  # within a literal, no word of ours would be understood
                raise HangUp(Goodbye.INTERNAL_ERROR) from None
            await self.wire.write(octets)

    def _answer(
        self, message: Message, attributes: tuple[Attribute, ...]
    ) -> Answer | None:
        recent = message.uid in self.view.recent
        return answer(self.view.folder, message, attributes, recent=recent)
