"""Stopping: who is told, who may stay, and for how long."""

import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from imaplib import IMAP4
from pathlib import Path
from socket import create_connection

import pytest

from tests.interop.background import Background
from tests.interop.clients import imap, imap_of
from tests.interop.gateway import Doors, mail_table, serving
from tests.interop.machine import PATIENCE, listens, until
from tests.interop.people import ALICE, WRONG

pytestmark = pytest.mark.process

USERS = Path(__file__).parents[2] / "conf" / "users.toml"

LAST_WORDS = {
    "imap": b"* BYE server is shutting down\r\n",
    "pop3": b"",  # RFC 1939 has no word for it
    "smtp": b"421 4.3.2 ",  # RFC 5321 section 3.8
}


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors.anywhere(tmp_path / "var/tls/ca.pem")


@contextmanager
def gateway(
    directory: Path, doors: Doors, shutdown_timeout: str
) -> Iterator[Background]:
    """Run a gateway that gives logged-in sessions so much time."""
    settings = mail_table(*doors.servers, users=str(USERS), proxy_pass="embedded")
    settings = {**settings, "worker_shutdown_timeout": shutdown_timeout}
    with serving(directory, settings) as program:
        yield program


@contextmanager
def closing(client: IMAP4) -> Iterator[IMAP4]:
    """Leave nothing open, however the session ends."""
    try:
        yield client
    finally:
        with suppress(OSError):  # it has been closed
            client.shutdown()


def connected(doors: Doors) -> AbstractContextManager[IMAP4]:
    """Connect by TLS, and do not log in."""
    return closing(imap(doors, "tls"))


def logged_in(doors: Doors) -> AbstractContextManager[IMAP4]:
    """Log in."""
    return closing(imap_of(doors, ALICE))


def stop(program: Background, doors: Doors, number: signal.Signals) -> float:
    """Send a signal, and wait until nobody is let in any more; return when it was."""
    began = time.monotonic()
    program.signal(number)
    until(lambda: not any(map(listens, doors.ports.values())), "closed doors")
    return began


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_clients_before_login_are_told_and_closed(
    tmp_path: Path, doors: Doors, number: signal.Signals
) -> None:
    with gateway(tmp_path, doors, "60s") as program, ExitStack() as stack:
        clients = {}
        for protocol in LAST_WORDS:
            address = ("127.0.0.1", doors.port(protocol, "starttls"))
            wire = stack.enter_context(create_connection(address, PATIENCE))
            clients[protocol] = stack.enter_context(wire.makefile("rb"))
            assert clients[protocol].readline()
        secured = stack.enter_context(connected(doors))
        stop(program, doors, number)
        for protocol, client in clients.items():
            words, said = LAST_WORDS[protocol], client.read()
            assert said.startswith(words)
            assert bool(said) is bool(words)
        assert secured.readline() == LAST_WORDS["imap"]
        stack.close()
        assert program.wait() == 0


def test_silent_client_before_tls_does_not_hold_the_program(
    tmp_path: Path, doors: Doors
) -> None:
    with gateway(tmp_path, doors, "60s") as program:
        address = ("127.0.0.1", doors.port("imap", "tls"))
        with create_connection(address, PATIENCE):
            until(lambda: "connected to" in program.logged(), "a connection")
            program.signal(signal.SIGTERM)
            assert program.wait() == 0


def test_session_is_kept_until_worker_shutdown_timeout(
    tmp_path: Path, doors: Doors
) -> None:
    with (
        gateway(tmp_path, doors, "1500ms") as program,
        logged_in(doors) as session,
    ):
        began = stop(program, doors, signal.SIGTERM)
        assert session.noop()[0] == "OK"
        assert program.wait() == 0
        assert 1.5 <= time.monotonic() - began < 10
        with pytest.raises((IMAP4.abort, OSError)):
            session.noop()


def test_program_ends_with_its_last_session(tmp_path: Path, doors: Doors) -> None:
    with (
        gateway(tmp_path, doors, "60s") as program,
        logged_in(doors) as session,
    ):
        stop(program, doors, signal.SIGTERM)
        assert session.noop()[0] == "OK"
        assert program.process.poll() is None
        session.logout()
        assert program.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_second_signal_ends_it_at_once(
    tmp_path: Path, doors: Doors, number: signal.Signals
) -> None:
    with (
        gateway(tmp_path, doors, "60s") as program,
        logged_in(doors) as session,
    ):
        stop(program, doors, signal.SIGTERM)
        assert session.noop()[0] == "OK"
        program.signal(number)
        assert program.wait() == 0


def test_client_whose_password_is_being_judged_is_told(
    tmp_path: Path, doors: Doors
) -> None:
    """The wait behind wrong passwords must not hold up a stop."""
    with (
        gateway(tmp_path, doors, "60s") as program,
        connected(doors) as client,
    ):
        for _ in range(3):
            client.send(b"a LOGIN %b %b\r\n" % (ALICE.octets[0], WRONG.encode()))
        assert client.readline().startswith(b"a NO [AUTHENTICATIONFAILED]")
        program.signal(signal.SIGTERM)
        said = b"".join(iter(client.readline, b""))
        assert said.endswith(LAST_WORDS["imap"])
        assert program.wait() == 0
