"""Where APPEND puts a message, and as what (RFC 3501 section 6.3.11)."""

from attrs import frozen

from mailssl_trio.mailbox.imap.arguments import FLAG, Arguments
from mailssl_trio.mailbox.imap.dates import parse_date_time


@frozen
class AppendTarget:
    """What APPEND says before the message itself."""

    mailbox: bytes
    flags: tuple[bytes, ...] = ()
    date: float | None = None


def parse_target(arguments: Arguments) -> AppendTarget:
    """Read all that stands before the message's literal."""
    arguments.space()
    mailbox = arguments.astring()
    arguments.space()
    flags: list[bytes] = []
    if arguments.peek(b"("):
        flags = arguments.items(FLAG, "flag")
        arguments.space()
    date = None
    if arguments.peek(b'"'):
        date = parse_date_time(arguments)
        arguments.space()
    arguments.end()
    return AppendTarget(mailbox, tuple(flags), date)
