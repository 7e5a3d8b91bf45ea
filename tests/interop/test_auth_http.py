"""Auth servers that were written for nginx, and everybody's mail clients."""

from collections.abc import Iterator
from contextlib import ExitStack
from imaplib import IMAP4
from pathlib import Path
from poplib import error_proto
from smtplib import SMTPAuthenticationError

import pytest
from attrs import define

from tests.interop.auth_servers import AUTH_SERVERS, REFUSAL, AuthServer
from tests.interop.background import Background
from tests.interop.clients import imap, imap_of, pop3, pop3_of, smtp
from tests.interop.fake_backend import FakeBackend, fake_backend
from tests.interop.gateway import Doors, mail_table, serving
from tests.interop.machine import free_port, until
from tests.interop.people import ALICE, AWKWARD, BOB, EVERYBODY, WRONG

pytestmark = pytest.mark.interop


@define
class Site:
    """A gateway, its auth server, and a backend for each protocol."""

    doors: Doors
    backends: dict[str, FakeBackend]
    gateway: Background


@pytest.fixture(params=AUTH_SERVERS)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """Run all of them."""
    auth_server: AuthServer = AUTH_SERVERS[request.param]
    doors = Doors.anywhere(tmp_path / "var/tls/ca.pem")
    with ExitStack() as running:
        backends = {
            protocol: running.enter_context(fake_backend(protocol))
            for protocol in ("imap", "pop3", "smtp")
        }
        ports = {protocol: backend.port for protocol, backend in backends.items()}
        auth_http = running.enter_context(auth_server(ports, tmp_path))
        table = mail_table(*doors.servers, auth_http=auth_http)
        gateway = running.enter_context(serving(tmp_path, table))
        yield Site(doors, backends, gateway)


def told(backend: FakeBackend) -> str:
    """Return all that a backend has heard."""
    return b"".join(backend.lines).decode()


def test_everybody_is_sent_on_with_name_and_password(site: Site) -> None:
    for person in EVERYBODY:
        imap_of(site.doors, person).logout()
        assert person.sasl_plain in told(site.backends["imap"])
    for person in (ALICE, *AWKWARD[3:]):
        if person.name.isascii():
            pop3_of(site.doors, person).quit()
            assert person.sasl_plain in told(site.backends["pop3"])


def test_submission_is_told_who_it_is_and_not_the_password(site: Site) -> None:
    client = smtp(site.doors, "starttls")
    assert client.login(ALICE.name, ALICE.password)[0] == 235
    client.noop()
    client.close()
    assert ALICE.sasl_plain not in told(site.backends["smtp"])
    assert "noop" in told(site.backends["smtp"])


def test_submission_is_authenticated_to_where_the_auth_server_says_so(
    site: Site,
) -> None:
    client = smtp(site.doors, "tls")
    assert client.login(BOB.name, BOB.password)[0] == 235
    client.close()
    assert BOB.sasl_plain in told(site.backends["smtp"])


def test_wrong_password_is_refused_in_the_auth_servers_words(site: Site) -> None:
    with imap(site.doors, "tls") as client:
        with pytest.raises(IMAP4.error, match=REFUSAL):
            client.login(ALICE.name, WRONG)
        client.login(ALICE.name, ALICE.password)
    session = pop3(site.doors, "starttls")
    session.user(ALICE.name)
    with pytest.raises(error_proto, match=f"-ERR {REFUSAL}"):
        session.pass_(WRONG)
    session.quit()
    with (
        smtp(site.doors, "tls") as submission,
        pytest.raises(SMTPAuthenticationError, match=rf"\(535, b'5\.7\.8 {REFUSAL}"),
    ):
        submission.login(ALICE.name, WRONG)
    failed = f'client login failed: "{REFUSAL}" while in http auth state, client:'
    until(lambda: failed in site.gateway.logged(), "a line of the log")


def test_auth_server_that_is_down_is_a_temporary_failure(tmp_path: Path) -> None:
    doors = Doors.anywhere(tmp_path / "var/tls/ca.pem")
    port = free_port()
    table = mail_table(*doors.servers, auth_http=f"127.0.0.1:{port}")
    with serving(tmp_path, table) as gateway:
        with (
            imap(doors, "tls") as client,
            pytest.raises(IMAP4.error, match=r"\[UNAVAILABLE\] "),
        ):
            client.login(ALICE.name, ALICE.password)
        line = f"connect() to 127.0.0.1:{port} failed (111: Connection refused)"
        line += " while in http auth state, client:"
        until(lambda: line in gateway.logged(), "a line of the log")
