"""Reading a command from the wire, literals and all (RFC 3501 section 4.3; 7888)."""

from attrs import evolve, frozen

from mailssl_trio.mailbox.imap.arguments import Arguments, BadSyntaxError
from mailssl_trio.mailbox.imap.target import AppendTarget, parse_target
from mailssl_trio.mailbox.wire import Wire
from mailssl_trio.protocol.engine import LineTooLongError
from mailssl_trio.protocol.imap.grammar import UNTAGGED, Announcement, announced
from mailssl_trio.protocol.imap.notation import COMMAND

MAX_LINE = 65_536
MAX_LITERALS = 65_536
"""Octets that a command may have in all its lines and literals, a message apart."""


@frozen
class Command:
    """A tag, a verb in upper case, and its arguments."""

    tag: bytes
    verb: bytes
    arguments: Arguments
    target: AppendTarget | None = None
    """APPEND: where to put the message, which has only been announced."""
    message: Announcement | None = None


async def read_command(wire: Wire) -> Command:
    """Return the next command; APPEND comes without its message.

    LineTooLongError for an endless line, and for a literal that cannot be refused.
    """
    line = await wire.read_line(MAX_LINE)
    if (found := COMMAND.match(line)) is None:
        await pass_over(wire, line)
        return Command(UNTAGGED, b"", Arguments(b""))
    tag, verb = found.groups(b"")
    command = Command(tag, verb.upper(), Arguments(line[found.end() :]))
    while literal := announced(line):
        if command.verb == b"APPEND" and (target := _target(command)):
            return evolve(command, target=target, message=literal)
        text = command.arguments.text + b"\r\n"
        if len(text) + literal.size > MAX_LITERALS or _is_misplaced(command):
            await pass_over(wire, line)
            return evolve(command, verb=b"", arguments=Arguments(b""))
        text += await _read_literal(wire, literal)
        line = await wire.read_line(MAX_LINE)
        command = evolve(command, arguments=Arguments(text + line))
    return command


def _target(command: Command) -> AppendTarget | None:
    """Read where to append to, if nothing but the message is missing."""
    text = command.arguments.text
    try:
        return parse_target(Arguments(text[: text.rindex(b"{")]))
    except BadSyntaxError:
        return None


def _is_misplaced(command: Command) -> bool:
    """Whether what stands before APPEND's message is wrong: only its name may wait."""
    return command.verb == b"APPEND" and not command.arguments.text.startswith(b" {")


async def _read_literal(wire: Wire, literal: Announcement) -> bytes:
    if literal.synchronising:
        await wire.write(b"+ go on\r\n")
    return await wire.read_octets(literal.size)


async def pass_over(wire: Wire, line: bytes) -> None:
    """Read what a wrong line announces, lest it be taken for commands."""
    while (literal := announced(line)) and not literal.synchronising:
        if literal.size > MAX_LITERALS:
            raise LineTooLongError  # it will not be stopped
        await wire.read_octets(literal.size)
        line = await wire.read_line(MAX_LINE)
