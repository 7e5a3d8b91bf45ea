"""All that a backend says to one command, and how much that may be."""

from attrs import define, frozen

from mailssl_trio.protocol.client_session import MAX_REPLY_LINES, GiveUpError
from mailssl_trio.protocol.imap.response import MAX_REPLY, Response


@frozen
class Answer:
    """All that a backend says to one command."""

    tagged: Response
    untagged: tuple[Response, ...]

    @property
    def ok(self) -> bool:
        """Whether the command was completed."""
        return self.tagged.word == b"OK"

    @property
    def capabilities(self) -> bytes:
        """The capabilities that the backend told with it, if any."""
        told = [response.capabilities for response in (*self.untagged, self.tagged)]
        return next(filter(None, reversed(told)), b"")

    @property
    def without_capabilities(self) -> tuple[Response, ...]:
        """What else the backend said before its tagged response."""
        return tuple(said for said in self.untagged if said.word != b"CAPABILITY")


@define
class Room:
    """How much more a backend may say before it is given up."""

    octets: int = MAX_REPLY
    pieces: int = MAX_REPLY_LINES
    """Lines and literals."""

    def take(self, size: int) -> None:
        """Make a line or a literal fit, or give up."""
        self.octets -= size
        self.pieces -= 1
        if min(self.octets, self.pieces) < 0:
            raise GiveUpError("upstream sent too much")
