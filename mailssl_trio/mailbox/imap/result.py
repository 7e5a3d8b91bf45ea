"""How a command ends: what stands behind its tag (RFC 3501 section 7.1)."""

from attrs import frozen


@frozen
class Result:
    """``OK``, ``NO`` or ``BAD`` with its text, a response code in front."""

    word: bytes
    text: bytes

    def line(self, tag: bytes) -> bytes:
        """Write the tagged response."""
        return b"%b %b %b\r\n" % (tag, self.word, self.text)


def ok(text: bytes) -> Result:
    """The command is done."""
    return Result(b"OK", text)


def no(text: bytes) -> Result:
    """The command was understood, and cannot be done."""
    return Result(b"NO", text)


def bad(text: bytes) -> Result:
    """The command is none, or none here."""
    return Result(b"BAD", text)


UNKNOWN = bad(b"unknown command, or not in this state")
NO_SUCH_FOLDER = no(b"[NONEXISTENT] no such mailbox")  # RFC 5530 section 3
TRY_CREATE = no(b"[TRYCREATE] no such mailbox")  # RFC 3501 section 7.1
EXPUNGED = no(b"[EXPUNGEISSUED] some of the messages are gone")
KEYWORD = no(b"[CANNOT] keywords are not kept here")
UNAVAILABLE = no(b"[UNAVAILABLE] the disk refuses")  # RFC 5530 section 3
EXISTS = no(b"[ALREADYEXISTS] mailbox exists")
