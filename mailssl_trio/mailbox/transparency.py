"""Lines that begin with a dot, and the dot that ends a message.

RFC 5321 section 4.5.2 and RFC 1939 section 3. A message in SMTP ends at
``<CR><LF>.<CR><LF>`` and nowhere else. Software that takes a bare CR or LF for a line
end sees other ends than we do, and a second message where we see none: so whoever
sends one gets the whole message back, after its true end.
"""

import re

LINE_END = b"\r\n"
THE_END = b"\r\n.\r\n"

UNDECIDED = re.compile(rb"\r(?:\n(?:\.\r?)?)?\Z")
"""The beginning of THE_END, with nothing behind that would tell."""


class DotUnstuffing:
    """Takes what follows DATA, in pieces as they come."""

    def __init__(self) -> None:
        self.is_over = False
        self.is_clean = True
        """Whether no bare CR or LF, and no NUL, was seen."""
        self.rest = b""
        """What stood behind the end, and is not the message's."""
        self._undecided = LINE_END  # of the command line DATA
        self._begun = False

    def receive(self, data: bytes) -> bytes:
        """Return what is now known to be of the message, transparency undone."""
        text = self._undecided + data
        end = text.find(THE_END)
        if end >= 0:
            self.is_over = True
            self.rest = text[end + len(THE_END) :]
            text, self._undecided = text[: end + len(LINE_END)], b""
        else:
            tail = UNDECIDED.search(text[-len(THE_END) + 1 :])
            cut = len(text) - (len(tail[0]) if tail else 0)
            text, self._undecided = text[:cut], text[cut:]
        return self._message(text)

    def _message(self, text: bytes) -> bytes:
        line_ends = text.count(LINE_END)
        bare = text.count(b"\r") != line_ends or text.count(b"\n") != line_ends
        if bare or b"\0" in text:
            self.is_clean = False
        text = text.replace(b"\r\n.", LINE_END)
        if not self._begun and text:
            self._begun = True
            text = text.removeprefix(LINE_END)
        return text


class DotStuffing:
    """Makes a file's octets the lines of a multi-line response."""

    def __init__(self) -> None:
        self._carry = b""
        self._at_line_start = True

    def send(self, octets: bytes) -> bytes:
        """Return what to put on the wire for these octets; every line ends in CRLF."""
        text = self._carry + octets
        self._carry = text[-1:] if text.endswith(b"\r") else b""
        text = text.removesuffix(self._carry) if self._carry else text
        text = text.replace(LINE_END, b"\n").replace(b"\n", LINE_END)
        stuffed = text.replace(b"\r\n.", b"\r\n..")
        if self._at_line_start and text.startswith(b"."):
            stuffed = b"." + stuffed
        if text:
            self._at_line_start = text.endswith(LINE_END)
        return stuffed

    def end(self) -> bytes:
        """Return what ends the response, the last line's end included."""
        at_start = self._at_line_start and not self._carry
        return self._carry + (b"" if at_start else LINE_END) + b".\r\n"
