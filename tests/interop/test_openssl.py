"""openssl s_client, which looks at TLS itself: STARTTLS, certificates, ALPN."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import pytest

from tests.interop.gateway import SHIPPED_PORTS, Doors, Security
from tests.interop.machine import PATIENCE, find_program, run
from tests.interop.people import ALICE

pytestmark = pytest.mark.interop

GOODBYES = {"imap": b"a LOGOUT\r\n", "pop3": b"QUIT\r\n", "smtp": b"QUIT\r\n"}
GREETINGS = {"imap": "* OK [CAPABILITY ", "pop3": "+OK POP3 ready", "smtp": "220 "}
DOORS = [pytest.param(*door, id="-".join(door)) for door in SHIPPED_PORTS]


def s_client(
    doors: Doors, protocol: str, security: Security, *arguments: str, expect: int = 0
) -> str:
    starttls = ("-starttls", protocol) if security == "starttls" else ()
    port = doors.port(protocol, security)
    return run(
        *("openssl", "s_client", "-connect", f"127.0.0.1:{port}"),
        *("-servername", "localhost", "-verify_hostname", "localhost"),
        *("-CAfile", doors.ca, "-verify_return_error", "-ign_eof", "-crlf"),
        *starttls,
        *arguments,
        stdin=GOODBYES[protocol].replace(b"\r", b""),
        expect=expect,
    )


@pytest.mark.parametrize(("protocol", "security"), DOORS)
def test_certificate_is_verified_and_the_session_goes_on(
    embedded: Doors, protocol: str, security: Security
) -> None:
    said = s_client(embedded, protocol, security)
    assert "Verify return code: 0 (ok)" in said
    assert "TLSv1.3" in said
    if security == "tls":
        assert GREETINGS[protocol] in said


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize(("protocol", "security"), DOORS)
def test_browser_is_refused_with_alert_120(
    embedded: Doors, protocol: str, security: Security, version: str
) -> None:
    """RFC 7301 section 3.2: no_application_protocol is fatal."""
    arguments = (version, "-alpn", "http/1.1")
    said = s_client(embedded, protocol, security, *arguments, expect=1)
    assert "SSL alert number 120" in said
    assert GREETINGS[protocol] not in said.split("SSL alert number 120")[1]


@pytest.mark.parametrize(("protocol", "security"), DOORS)
def test_client_that_names_the_protocol_is_welcome(
    embedded: Doors, protocol: str, security: Security
) -> None:
    said = s_client(embedded, protocol, security, "-alpn", f"http/1.1,{protocol}")
    assert f"ALPN protocol: {protocol}" in said


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_deprecated_versions_are_refused(embedded: Doors, version: str) -> None:
    """RFC 8996 section 4 and 5."""
    arguments = (version, "-cipher", "ALL:@SECLEVEL=0")
    said = s_client(embedded, "imap", "tls", *arguments, expect=1)
    assert "alert protocol version" in said


LOGINS = {
    "imap": b"a LOGIN %b %b" % ALICE.octets,
    "pop3": b"AUTH PLAIN " + ALICE.sasl_plain.encode(),
    "smtp": b"AUTH PLAIN " + ALICE.sasl_plain.encode(),
}
LOGGED_IN = {"imap": b"a OK", "pop3": b"+OK", "smtp": b"235 "}
QUESTIONS = {"imap": b"b NOOP", "pop3": b"CAPA", "smtp": b"NOOP"}
ANSWERS = {"imap": b"b OK", "pop3": b".", "smtp": b"250 2.0.0 OK"}


class Terminal:
    """openssl s_client as one sits before it: an R that begins a line renegotiates."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin
        assert process.stdout
        self._keyboard, self._screen = process.stdin, process.stdout

    def type(self, line: bytes) -> None:
        self._keyboard.write(line + b"\n")
        self._keyboard.flush()

    def read_until(self, beginning: bytes) -> None:
        """Read until a line begins so."""
        lines = iter(self._screen.readline, b"")
        assert any(line.startswith(beginning) for line in lines), beginning

    def read_all(self) -> str:
        return self._screen.read().decode()


@contextmanager
def terminal(doors: Doors, protocol: str, security: Security) -> Iterator[Terminal]:
    """Sit before it, with TLS 1.2 up and something answered."""
    starttls = ("-starttls", protocol) if security == "starttls" else ()
    port = doors.port(protocol, security)
    with subprocess.Popen(
        [
            *(find_program("openssl"), "s_client", "-connect", f"127.0.0.1:{port}"),
            *("-CAfile", str(doors.ca), "-tls1_2", "-crlf", *starttls),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        patience = Timer(PATIENCE, process.kill)
        patience.start()
        try:
            seat = Terminal(process)
            seat.read_until(b"    Verify return code: 0 (ok)")
            seat.type(QUESTIONS[protocol])
            seat.read_until(ANSWERS[protocol])
            yield seat
        finally:
            patience.cancel()
            process.kill()


@pytest.mark.parametrize("when", ["before login", "after login"])
@pytest.mark.parametrize(("protocol", "security"), DOORS)
def test_renegotiation_is_refused(
    embedded: Doors, protocol: str, security: Security, when: str
) -> None:
    """RFC 9325 section 3.5; TLS 1.3 has none."""
    with terminal(embedded, protocol, security) as seat:
        if when == "after login":
            if protocol == "smtp":
                seat.type(b"EHLO client.example")
                seat.read_until(b"250 ")
            seat.type(LOGINS[protocol])
            seat.read_until(LOGGED_IN[protocol])
        seat.type(b"R")
        said = seat.read_all()
    assert said.startswith("RENEGOTIATING")
    assert "no renegotiation" in said


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize(("protocol", "security"), DOORS)
def test_nothing_is_compressed_and_no_data_comes_early(
    embedded: Doors, protocol: str, security: Security, version: str, tmp_path: Path
) -> None:
    """RFC 9325 section 3.3; RFC 8446 section 8 on what may be played again."""
    session = tmp_path / "session"
    arguments = (version, "-comp", "-sess_out", str(session))
    said = s_client(embedded, protocol, security, *arguments)
    assert "Compression: NONE" in said
    early = tmp_path / "early"
    early.write_bytes(GOODBYES[protocol])
    resuming = [version, "-sess_in", str(session)]
    if version == "-tls1_3":
        resuming += ["-early_data", str(early)]
    said = s_client(embedded, protocol, security, *resuming)
    assert "\nReused, " in said
    assert "Early data was accepted" not in said
    if version == "-tls1_3":
        assert "Early data was not sent" in said
        assert "Max Early Data: 0" in said
