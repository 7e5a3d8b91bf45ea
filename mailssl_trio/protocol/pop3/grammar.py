"""POP3 on the wire: commands, replies and response codes (RFC 1939, 2449, 3206)."""

from collections.abc import Mapping

from attrs import field, frozen

from mailssl_trio.protocol.credentials import Reason

MAX_COMMAND = 255  # RFC 2449 section 4; AUTH and PASS may be longer here
MAX_REPLY = 4096  # RFC 2449 section 4 says 512; backends are not held to it

RESPONSE_CODE: Mapping[Reason, bytes] = {  # RFC 2449 section 8, RFC 3206
    Reason.AUTHENTICATIONFAILED: b"[AUTH] ",
    Reason.UNAVAILABLE: b"[SYS/TEMP] ",
    Reason.PRIVACYREQUIRED: b"",  # no code fits
    Reason.CONTACTADMIN: b"[SYS/PERM] ",
    Reason.LIMIT: b"[IN-USE] ",  # RFC 2449 section 8.1.2: the password was right
}


@frozen
class Command:
    """A keyword in upper case, and all that follows its first space."""

    verb: bytes
    argument: bytes = field(default=b"", repr=False)


def parse_command(line: bytes) -> Command:
    """Split a line into its keyword and its argument, spaces and all."""
    verb, _, argument = line.partition(b" ")
    return Command(verb.upper(), argument)


def is_text(line: bytes) -> bool:
    """Whether a line is free of NUL and of carriage returns (RFC 1939 section 3)."""
    return b"\0" not in line and b"\r" not in line


@frozen
class Reply:
    """A status line from a server, as it came."""

    ok: bool
    line: bytes

    @property
    def offers_xclient(self) -> bool:
        """Whether it is the greeting of a Dovecot that believes whom we speak for."""
        return self.line.upper().startswith(b"+OK [XCLIENT]")

    @property
    def reason(self) -> Reason:
        """Why a login failed, as far as the response code tells."""
        text = self.line.partition(b" ")[2].upper()
        for reason, code in RESPONSE_CODE.items():
            if code and text.startswith(code.rstrip()):
                return reason
        if text.startswith(b"[LOGIN-DELAY]"):  # RFC 2449 section 8.1.1
            return Reason.UNAVAILABLE
        return Reason.AUTHENTICATIONFAILED


def parse_reply(line: bytes) -> Reply | None:
    """Read a line that begins with ``+OK`` or ``-ERR``; None for anything else."""
    match line.partition(b" ")[0].upper():
        case b"+OK":
            return Reply(True, line)
        case b"-ERR":
            return Reply(False, line)
        case _:
            return None
