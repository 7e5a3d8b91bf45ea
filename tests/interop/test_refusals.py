"""Backends that are down, or not who they should be, and what clients hear of it."""

from collections.abc import Iterator
from imaplib import IMAP4
from pathlib import Path
from poplib import error_proto
from smtplib import SMTPAuthenticationError

import pytest

from tests.interop.background import Background
from tests.interop.certificates import Pair, issue
from tests.interop.clients import imap, pop3, smtp
from tests.interop.fake_backend import FakeBackend, fake_backend
from tests.interop.gateway import Doors, Table, mail_table, serving
from tests.interop.machine import free_port, until
from tests.interop.people import ALICE

pytestmark = pytest.mark.interop


@pytest.fixture
def down(tmp_path: Path) -> Iterator[Doors]:
    """Run a gateway whose backend is not there."""
    doors = Doors.anywhere(tmp_path / "var/tls/ca.pem")
    backend = f"127.0.0.1:{free_port()}"
    with serving(tmp_path, mail_table(*doors.servers, proxy_pass=backend)):
        yield doors


def assert_unavailable(doors: Doors, *protocols: str) -> None:
    """Be told of a temporary failure, which must not look like a wrong password."""
    if "imap" in protocols:
        with (
            imap(doors, "tls") as client,
            pytest.raises(IMAP4.error, match=r"\[UNAVAILABLE\] "),  # RFC 5530 section 3
        ):
            client.login(ALICE.name, ALICE.password)
    if "pop3" in protocols:
        session = pop3(doors, "tls")
        session.user(ALICE.name)
        with pytest.raises(error_proto, match=r"-ERR \[SYS/TEMP\] "):  # RFC 3206
            session.pass_(ALICE.password)
        session.quit()
    if "smtp" in protocols:
        with (
            smtp(doors, "tls") as submission,
            pytest.raises(SMTPAuthenticationError, match=r"\(454, b'4\.7\.0 "),
        ):  # RFC 4954 section 4.7
            submission.login(ALICE.name, ALICE.password)


def test_backend_that_is_down_is_a_temporary_failure(down: Doors) -> None:
    assert_unavailable(down, "imap", "pop3", "smtp")


@pytest.mark.parametrize("proxy_ssl", ["on", "starttls"])
@pytest.mark.parametrize("protocol", ["imap", "pop3", "smtp"])
def test_backend_with_a_strangers_certificate_gets_no_credential(
    protocol: str, proxy_ssl: str, tmp_path: Path
) -> None:
    wrong = issue(tmp_path / "wrong", "localhost")
    doors = Doors.anywhere(tmp_path / "var/tls/ca.pem").only(protocol, "tls")
    with fake_backend(protocol, wrong, by_tls=proxy_ssl == "on") as backend:
        right = issue(tmp_path / "right", "localhost")
        settings = ahead_of(backend, doors, right, proxy_ssl)
        with serving(tmp_path, settings) as program:
            assert_unavailable(doors, protocol)
            told(program, "certificate verify failed")
    assert [reason for reason in backend.failures if "unknown ca" in reason]
    assert not_a_word_of(backend, ALICE.secrets)


def test_backend_of_another_name_gets_no_credential(tmp_path: Path) -> None:
    doors = Doors.anywhere(tmp_path / "var/tls/ca.pem").only("imap", "tls")
    other = issue(tmp_path / "other", "mail.example.net")
    with (
        fake_backend("imap", other, by_tls=True) as backend,
        serving(tmp_path, ahead_of(backend, doors, other, "on")),
    ):
        assert_unavailable(doors, "imap")
    assert backend.failures
    assert not_a_word_of(backend, ALICE.secrets)


@pytest.mark.parametrize("protocol", ["imap", "pop3", "smtp"])
def test_backend_that_says_more_than_its_go_ahead_gets_no_credential(
    protocol: str, tmp_path: Path
) -> None:
    """Whoever can write to the wire before TLS must not be heard behind it."""
    doors = Doors.anywhere(tmp_path / "var/tls/ca.pem").only(protocol, "tls")
    pair = issue(tmp_path / "backend", "localhost")
    with (
        fake_backend(protocol, pair, glued=b"* OK injected\r\n") as backend,
        serving(tmp_path, ahead_of(backend, doors, pair, "starttls")) as program,
    ):
        assert_unavailable(doors, protocol)
        told(program, "sent plaintext behind STARTTLS")
    assert not_a_word_of(backend, ALICE.secrets)


def told(program: Background, words: str) -> None:
    """Wait until the log says so: it comes when its thread does."""
    until(lambda: words in program.logged(), f"a log with {words!r}")


def ahead_of(
    backend: FakeBackend, doors: Doors, trusted: Pair, proxy_ssl: str
) -> Table:
    """Return the configuration of a gateway in front of a backend."""
    return mail_table(
        *doors.servers,
        proxy_pass=f"localhost:{backend.port}",
        proxy_ssl=proxy_ssl,
        proxy_ssl_trusted_certificate=str(trusted.ca),
    )


def not_a_word_of(backend: FakeBackend, secrets: tuple[str, ...]) -> bool:
    """Whether the backend has heard none of these."""
    told = b"".join(backend.lines).decode("utf-8", "replace")
    return not any(secret in told for secret in secrets)
