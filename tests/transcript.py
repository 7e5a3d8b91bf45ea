"""Play a conversation against a session, as an RFC prints it.

A script is a text of lines, each with what it means in front:

===========  =================================================================
``C: text``  the mail client sends this line
``S: text``  the mail server sends this line
``C~ text``  the same without a line end, with ``\\r``, ``\\0``, ``\\xNN`` as escapes
``C! EOF``   the peer will send no more
``? Event``  the session's next event equals this expression
``! value``  answer the question that was just asked
===========  =================================================================

One of the two letters is the session's own, and its lines are what it must say,
octet by octet; the other is the peer's. Each script is played whole, octet by octet
and in sevens, because TCP promises nothing about segments.
"""

from collections.abc import Callable, Iterator

from mailssl_trio.protocol import credentials, events
from mailssl_trio.protocol.client_session import ClientSession
from mailssl_trio.protocol.engine import Session
from mailssl_trio.protocol.events import Event, NeedData, Pause, Question

WORDS = {**vars(credentials), **vars(events)}

CUTS = (1 << 20, 1, 7)


def play(
    make_session: Callable[[], Session],
    script: str,
    cuts: tuple[int, ...] = CUTS,
) -> None:
    """Play ``script`` against a fresh session for each way of cutting it."""
    for cut in cuts:
        _Player(make_session(), cut).play(script)


def sections(data: bytes, size: int) -> Iterator[bytes]:
    """Cut ``data`` into pieces of ``size`` octets."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


class _Player:
    def __init__(self, session: Session, cut: int) -> None:
        self.session = session
        self.cut = cut
        self.peer = "S" if isinstance(session, ClientSession) else "C"
        self.said = b""
        self.event: Event | None = None

    def play(self, script: str) -> None:
        heard = b""
        for line in filter(None, map(str.strip, script.splitlines())):
            if line[0] == self.peer and line[1] in ":~":
                heard += _octets(line)
                continue
            self._feed(heard)
            heard = b""
            self._step(line)
        self._feed(heard)
        self._pump()
        assert self.said == b"", "said beyond the script"

    def _step(self, line: str) -> None:
        self._pump()
        match line[0], line[1]:
            case "?", _:
                self._expect(eval(line[1:].strip(), WORDS))
            case "!", _:
                assert isinstance(self.event, Question)
                self.session.answer(self.event, eval(line[1:].strip(), WORDS))
                self.event = None
            case self.peer, "!":
                self.session.receive_data(b"")
            case _:
                expected = _octets(line)
                said, self.said = self.said, self.said[len(expected) :]
                assert said[: len(expected)] == expected

    def _expect(self, expected: object) -> None:
        assert self.said == b"", "said beyond the script"
        assert self.event == expected
        if not isinstance(self.event, Question):
            self.event = None

    def _feed(self, data: bytes) -> None:
        self._pump()
        assert not data or self.said == b"", "said beyond the script"
        for piece in sections(data, self.cut):
            self.session.receive_data(piece)
            if isinstance(self.event, Pause):
                self.event = None  # whoever waits is cut short by what comes
            self._pump()

    def _pump(self) -> None:
        if self.event is None:
            event = self.session.next_event()
            self.said += self.session.data_to_send()
            if not isinstance(event, NeedData):
                self.event = event


def _octets(line: str) -> bytes:
    text = line[3:]
    if line[1] == "~":
        return text.encode().decode("unicode_escape").encode("latin-1")
    return text.encode() + b"\r\n"
