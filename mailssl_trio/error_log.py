"""The directive ``error_log``: what is told of a connection, in nginx's lines."""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import trio
from attrs import field, frozen

from mailssl_trio.log_writer import LEVELS, Chain, ErrorLog, Target, open_loggers
from mailssl_trio.observer import Subject
from mailssl_trio.protocol.credentials import Rejected
from mailssl_trio.protocol.events import Goodbye, TlsInfo

ACCEPT_LOOP = "trio.serve_listeners"
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

    def connected(self, subject: Subject) -> None:
        """``*1 client 192.0.2.1:50000 connected to 198.51.100.1:143``."""
        port = f":{subject.client_port}" if subject.client_port else ""
        text = f"client {subject.client}{port} connected to {subject.server}"
        self.write("info", f"*{subject.number} {text}")

    def unnamed(self, subject: Subject, detail: str) -> None:
        """Say in nginx's words what DNS has not said, escaped."""
        text = escape(detail).replace('\\"', '"')
        self._tell("error", subject, f"{text}{_while(subject.action)}")

    def proxy_refused(self, subject: Subject, detail: str, seen: bytes | None) -> None:
        """``broken header: "…" while reading PROXY protocol``, or who may not."""
        quoted = "" if seen is None else f': "{escape(seen)}"'
        text = f"{escape(detail)}{quoted} while reading PROXY protocol"
        self._tell("error", subject, text)

    def rejected(self, subject: Subject, rejected: Rejected) -> None:
        """``client login failed: "…"``."""
        reason = escape(rejected.text or rejected.reason.value)
        state = " while in http auth state" if rejected.text else ""  # whose words
        self._tell("info", subject, f'client login failed: "{reason}"{state}')

    def undecided(self, subject: Subject, detail: str) -> None:
        """Say what the auth server did, as nginx does, escaped."""
        text = escape(detail).replace('\\"', '"')
        self._tell("error", subject, f"{text} while in http auth state")

    def upstream_failed(self, subject: Subject, detail: str) -> None:
        """Say what the backend did, in its own words, escaped."""
        text = escape(detail).replace('\\"', '"')
        self._tell("error", subject, f"{text}{_while(subject.action)}")

    def logged_in(self, subject: Subject) -> None:
        """``client logged in`` and how it is encrypted."""
        self._tell("info", subject, f"client logged in, {_encryption(subject.tls)}")

    def relayed(
        self, subject: Subject, outcome: str, from_client: int, from_upstream: int
    ) -> None:
        """``proxied session done`` with octets each way and seconds."""
        seconds = trio.current_time() - subject.began
        self._tell(
            "info",
            subject,
            f"proxied session done: {outcome}, {from_client} bytes from client, "
            f"{from_upstream} bytes from upstream, {seconds:.1f} s",
        )

    def closed(self, subject: Subject, reason: Goodbye, detail: str) -> None:
        """Say in nginx's words how a connection ended before its login."""
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
        self._tell("info", subject, f"{text}{_while(_action(subject, reason))}")

    def crashed(self, subject: Subject, bug: Exception) -> None:
        """Write the traceback of a bug; its message may hold a peer's words."""
        text = f"*{subject.number} internal error, {_where(subject)}"
        self.logger.log(LEVELS["crit"], "%s", text, exc_info=bug)

    def _tell(self, level: str, subject: Subject, text: str) -> None:
        self.write(level, f"*{subject.number} {text}, {_where(subject)}")


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
