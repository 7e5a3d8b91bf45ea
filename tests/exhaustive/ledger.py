"""What a mail client has said, and what of it has been answered.

This is the client's view of the three protocols, written from the RFCs and not from
the sessions: what is a line, what is a literal, and which replies a line may get.
"""

import re
from collections.abc import Callable
from typing import TypeAlias

from attrs import frozen

Grammar: TypeAlias = Callable[[bytes], re.Pattern[bytes]]
"""From a command's first line to the one final reply that it may get."""

LITERAL = re.compile(rb"\{([0-9]+)(\+?)\}$")  # RFC 3501 section 4.3, RFC 7888
TAG = re.compile(rb"[!#$&',-\[\]-z|}~]+(?= |$)")  # RFC 3501 section 9, "tag"

POP3_STATUS = re.compile(rb"(?:\+OK|-ERR)(?: [^\r\n]*)?\r\n")  # RFC 1939 section 3
POP3_LISTING = re.compile(
    rb"-ERR(?: [^\r\n]*)?\r\n|\+OK(?: [^\r\n]*)?\r\n(?:[^.\r\n][^\r\n]*\r\n)*\.\r\n"
)
SMTP_REPLY = re.compile(  # RFC 5321 section 4.2; 3yz is never final
    rb"([245][0-9]{2})(?:-[^\r\n]*\r\n\1)* [^\r\n]*\r\n"
)
IMAP_CONDITION = rb" (?:OK|NO|BAD) [^\r\n]+\r\n"  # RFC 3501 section 7.1


def pop3_reply(command: bytes) -> re.Pattern[bytes]:
    """RFC 1939 section 3, RFC 2449 section 5; bare AUTH lists mechanisms."""
    is_listing = command.upper().rstrip(b" ") in {b"CAPA", b"AUTH"}
    return POP3_LISTING if is_listing else POP3_STATUS


def smtp_reply(_command: bytes) -> re.Pattern[bytes]:
    """RFC 5321 section 4.2.1: every line carries the same code."""
    return SMTP_REPLY


def imap_reply(command: bytes) -> re.Pattern[bytes]:
    """RFC 3501 section 7: untagged responses, then one with the command's own tag."""
    if tag := TAG.match(command):
        end = re.escape(tag[0]) + IMAP_CONDITION
        return re.compile(rb"(?:\* [^\r\n]+\r\n)*" + end)
    return re.compile(rb"\* BAD [^\r\n]+\r\n")


@frozen
class Tongue:
    """How a protocol answers: the form of final replies and of invitations."""

    final: Grammar
    go_on: re.Pattern[bytes]
    has_literals: bool = False


POP3 = Tongue(pop3_reply, re.compile(rb"\+ [^\r\n]*\r\n"))  # RFC 5034 section 4
SMTP = Tongue(smtp_reply, re.compile(rb"334 [^\r\n]*\r\n"))  # RFC 4954 section 4
IMAP = Tongue(imap_reply, re.compile(rb"\+ [^\r\n]*\r\n"), has_literals=True)


class IllegalReplyError(AssertionError):
    """Something was said that answers nothing, or in no legal form."""


@frozen
class Ledger:
    """Where a client stands after what was said so far, on both sides."""

    tongue: Tongue
    partial: bytes = b""
    """The beginning of a line whose end has not been said."""
    command: bytes | None = None
    """The first line of the command that has had no final reply yet."""
    literal: int = 0
    """Octets that are still to come of a literal."""
    in_exchange: bool = False
    """Whether the next line answers a SASL challenge."""

    def settle(self, octets: bytes, said: bytes) -> tuple["Ledger", bytes]:
        """Set what was ``said`` against what was heard.

        Returns the ledger that follows, and the octets that got no reply: none while
        a conversation goes on. Raises IllegalReplyError.
        """
        ledger, heard = self, self.partial + octets
        while True:
            text = heard[ledger.literal :]
            line, end, rest = text.partition(b"\n")
            if not end and said:
                raise IllegalReplyError(said)
            if not end:
                missing = max(ledger.literal - len(heard), 0)
                return ledger._waiting(missing, text), b""
            entered = ledger._read(line.removesuffix(b"\r"), said)
            if entered is None:
                return ledger, text
            (ledger, said), heard = entered, rest

    def _waiting(self, literal: int, partial: bytes) -> "Ledger":
        return Ledger(self.tongue, partial, self.command, literal, self.in_exchange)

    def _read(self, line: bytes, said: bytes) -> tuple["Ledger", bytes] | None:
        command = line if self.command is None else self.command
        literal = None
        if self.tongue.has_literals and not self.in_exchange:
            literal = LITERAL.search(line)
        if literal and literal[2]:
            return Ledger(self.tongue, b"", command, int(literal[1])), said
        if not said:
            return None
        if invitation := self.tongue.go_on.match(said):
            said = said[invitation.end() :]
            awaited = int(literal[1]) if literal else 0
            return Ledger(self.tongue, b"", command, awaited, not literal), said
        if reply := self.tongue.final(command).match(said):
            return Ledger(self.tongue), said[reply.end() :]
        raise IllegalReplyError(said)
