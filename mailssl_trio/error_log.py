"""The directive ``error_log``: what is told of a connection, in nginx's lines."""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import trio
from attrs import field, frozen

from mailssl_trio.log_writer import LEVELS, Chain, ErrorLog, Target, open_loggers
from mailssl_trio.observer import (
    Admitted,
    Connected,
    Crashed,
    Ended,
    Happening,
    JudgeFailed,
    LoginFailed,
    ProxyRefused,
    Relayed,
    Subject,
    Unnamed,
    UpstreamFailed,
)
from mailssl_trio.protocol.events import Goodbye, TlsInfo

ACCEPT_LOOP = "mailssl_trio.transport.listening"
"""The logger of the loop that accepts, which goes on when descriptors run out."""
SECONDS_BETWEEN_ACCEPT_LINES = 60.0
MAX_LINE = 2048  # nginx's; a traceback may be longer


def escape(text: str | bytes) -> str:
    """Make text from a peer fit for a line: no control, no quote, no backslash raw."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "backslashreplace")
    return "".join(
        char if char.isprintable() and char not in '"\\' else _escaped(char)
        for char in text
    )


def _escaped(char: str) -> str:
    match char:
        case '"' | "\\":
            return "\\" + char
        case _:
            return "".join(
                f"\\x{octet:02x}" for octet in char.encode("utf-8", "replace")
            )


class _AcceptFailures(logging.Handler):
    """Turns what Trio's accept loop says at each retry into a line a minute."""

    def __init__(self, log: "ErrorLogger") -> None:
        super().__init__()
        self.log = log
        self.next_line = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        if (now := time.monotonic()) >= self.next_line:
            self.next_line = now + SECONDS_BETWEEN_ACCEPT_LINES
            self.log.write("alert", f"accepting pauses: {record.getMessage()}")


@frozen
class ErrorLogger:
    """An observer that writes what operators must know; see ``open_error_log``."""

    logger: logging.Logger
    others: Mapping[Chain, "ErrorLogger"] = field(factory=dict, repr=False)
    """Of the servers that have targets of their own."""

    def of(self, chain: Chain) -> "ErrorLogger":
        """Return the log with these targets; without any, this one."""
        return self.others[chain] if chain else self

    def write(self, level: str, message: str) -> None:
        """Write a line of our own; whatever a peer said in it is escaped already."""
        self.logger.log(LEVELS[level], "%s", message[:MAX_LINE])

    def tell(self, subject: Subject, happening: Happening) -> None:
        """Write a line about a connection, and the traceback of a bug."""
        match happening:
            case Connected():
                self.write("info", f"*{subject.number} {_arrival(subject)}")
            case Crashed(bug):
                text = f"*{subject.number} internal error, {_where(subject)}"
                self.logger.log(LEVELS["crit"], "%s", text, exc_info=bug)
            case _:
                level, text = _words(subject, happening)
                line = f"*{subject.number} {text}, {_where(subject)}"
                self.write(level, line)


def _arrival(subject: Subject) -> str:
    """``client 192.0.2.1:50000 connected to 198.51.100.1:143``."""
    port = f":{subject.client_port}" if subject.client_port else ""
    return f"client {subject.client}{port} connected to {subject.server}"


def _words(subject: Subject, happening: Happening) -> tuple[str, str]:
    """Return the level of a line, and what it says, in nginx's words."""
    match happening:
        case ProxyRefused(detail, seen):
            quoted = "" if seen is None else f': "{escape(seen)}"'
            return "error", f"{escape(detail)}{quoted} while reading PROXY protocol"
        case JudgeFailed(detail):
            return "error", f"{_quoting(detail)} while in http auth state"
        case Unnamed(detail) | UpstreamFailed(detail):
            return "error", f"{_quoting(detail)}{_while(subject.action)}"
        case LoginFailed(rejected):
            reason = escape(rejected.text or rejected.reason.value)
            state = " while in http auth state" if rejected.text else ""  # whose words
            return "info", f'client login failed: "{reason}"{state}'
        case Admitted():
            return "info", f"client logged in, {_encryption(subject.tls)}"
        case Relayed():
            return "info", f"proxied session done: {_account(subject, happening)}"
        case Ended(reason, detail):
            return "info", _ending(subject, reason, detail)
    raise RuntimeError(f"nobody knows what this means: {happening}")


def _quoting(detail: str) -> str:
    """Escape what a peer did, which may quote it."""
    return escape(detail).replace('\\"', '"')


def _account(subject: Subject, relayed: Relayed) -> str:
    seconds = trio.current_time() - subject.began
    return (
        f"{relayed.outcome}, {relayed.from_client} bytes from client, "
        f"{relayed.from_upstream} bytes from upstream, {seconds:.1f} s"
    )


def _ending(subject: Subject, reason: Goodbye, detail: str) -> str:
    """Say how a connection ended before its login."""
    because = f" ({escape(detail)})" if detail else ""
    match reason:
        case Goodbye.QUIT | Goodbye.PEER_GONE | Goodbye.SHUTTING_DOWN:
            text = f"client connection closed: {reason.value}"
        case Goodbye.HANDSHAKE_FAILED:
            text = f"SSL_do_handshake() failed{because}"
        case Goodbye.BAD_CERTIFICATE:
            text = f"client {reason.value}:{because}"
        case _:
            text = f"client {reason.value}{because}"
    return f"{text}{_while(_action(subject, reason))}"


def _action(subject: Subject, reason: Goodbye) -> str:
    """Return in which of nginx's states a client was that came to its end."""
    match reason:
        case Goodbye.HANDSHAKE_FAILED | Goodbye.PIPELINED_STARTTLS:
            is_handshake = True
        case Goodbye.BAD_CERTIFICATE | Goodbye.CERTIFICATE_REQUIRED:
            is_handshake = True
        case Goodbye.QUIT | Goodbye.PEER_GONE | Goodbye.SHUTTING_DOWN:
            return ""
        case _:
            is_handshake = subject.tls is None and not subject.starttls
    if not is_handshake:
        return "in auth state"
    return "in starttls state" if subject.starttls else "SSL handshaking"


def _while(action: str) -> str:
    return f" while {action}" if action else ""


def _encryption(tls: TlsInfo | None) -> str:
    if tls is None:
        return "no TLS"
    resumed = ", resumed" if tls.resumed else ""
    return f"{tls.version} {tls.cipher}{resumed}"


def _where(subject: Subject) -> str:
    """Return the suffix of nginx's lines."""
    parts = [f"client: {subject.client}"]
    if subject.starttls and subject.tls:
        parts[0] += " using starttls"
    parts.append(f"server: {subject.server}")
    if subject.login:
        parts.append(f'login: "{escape(subject.login)}"')
    if subject.upstream:
        parts.append(f"upstream: {escape(subject.upstream)}")
    return ", ".join(parts)


@contextmanager
def open_error_log(target: Target, level: str) -> Iterator[ErrorLogger]:
    """Write lines of ``level`` and above to one target; see ``open_error_logs``."""
    with open_error_logs((ErrorLog(target, level),)) as log:
        yield log


@contextmanager
def open_error_logs(
    chain: Chain, others: Iterable[Chain] = ()
) -> Iterator[ErrorLogger]:
    """Write to these targets, and what is told of some servers to others.

    Raises OSError if a file may not be opened. On leaving, all lines are written.
    """
    with open_loggers({chain, *others}) as loggers:
        by_chain = {each: ErrorLogger(logger) for each, logger in loggers.items()}
        log = ErrorLogger(loggers[chain], by_chain)
        accepting, failures = logging.getLogger(ACCEPT_LOOP), _AcceptFailures(log)
        accepting.propagate = False
        accepting.addHandler(failures)
        try:
            yield log
        finally:
            accepting.removeHandler(failures)
