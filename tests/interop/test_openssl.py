"""openssl s_client, which looks at TLS itself: STARTTLS, certificates, ALPN."""

import pytest

from tests.interop.gateway import SHIPPED_PORTS, Doors, Security
from tests.interop.machine import run

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
