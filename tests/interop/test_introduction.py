"""Dovecot and Postfix believe us when we say for whom we speak."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from socket import create_connection

import pytest
from attrs import frozen

from mailssl_trio.protocol.credentials import BackendCredentials, Envelope, Password
from mailssl_trio.protocol.events import LoggedIn, TlsInfo
from mailssl_trio.protocol.introduction import Introduction, ProxyPolicy, XClient
from mailssl_trio.transport.address import TcpAddress
from mailssl_trio.transport.announcing import ProxyProtocol
from mailssl_trio.transport.connection import Connection
from mailssl_trio.transport.dial import Dialer
from mailssl_trio.transport.timeouts import Timeouts
from mailssl_trio.transport.upstream import Upstream
from tests.interop.certificates import issue
from tests.interop.dovecot import dovecot
from tests.interop.gateway import mail_table, serving
from tests.interop.machine import PATIENCE, free_port, until
from tests.interop.people import ALICE
from tests.interop.postfix import postfix

pytestmark = pytest.mark.interop

TRUSTING = """\
login_trusted_networks = 127.0.0.0/8
haproxy_trusted_networks = 127.0.0.0/8
service imap-login {{
  inet_listener imap-proxied {{
    port = {port}
    haproxy = yes
  }}
}}
"""
AUTHORIZED = "smtpd_authorized_xclient_hosts = 127.0.0.0/8\n"

LOGIN = Password(*ALICE.octets)
CLIENT = Introduction(
    "192.0.2.9", 50123, "198.51.100.1", 993, session="4711-9", helo=b"pc", esmtp=True
)
TOLD, UNTOLD = ProxyPolicy(XClient.ON), ProxyPolicy(XClient.OFF)
BY_TLS = TlsInfo("TLSv1.3", "TLS_AES_256_GCM_SHA384", server_name="mail.example")


@frozen
class Trusting:
    """Servers that believe who comes from this machine, and what they have written."""

    ports: dict[str, int]
    logs: tuple[Path, ...]

    def has_written(self, *words: str) -> bool:
        """Whether one line of a log has all of these words."""
        lines = [line for log in self.logs for line in log.read_text().splitlines()]
        return any(all(word in line for word in words) for line in lines)


@pytest.fixture(scope="module")
def trusting(premises: Path) -> Iterator[Trusting]:
    pair = issue(premises / "trusting", "localhost")
    directories = [premises / "trusting-dovecot", premises / "trusting-postfix"]
    for directory in directories:
        directory.mkdir()
    proxied = free_port()
    with (
        dovecot(directories[0], pair, TRUSTING.format(port=proxied)) as accounts,
        postfix(directories[1], pair, accounts, AUTHORIZED) as submission,
    ):
        ports = {
            "imap": accounts.imap,
            "pop3": accounts.pop3,
            "smtp": submission.smtp,
            "imap, proxied": proxied,
        }
        logs = directories[0] / "dovecot.log", directories[1] / "postfix.log"
        yield Trusting(ports, logs)


async def dial(
    port: int,
    protocol: str,
    credentials: BackendCredentials = LOGIN,
    policy: ProxyPolicy = TOLD,
    proxy_protocol: ProxyProtocol = ProxyProtocol.OFF,
) -> tuple[Connection, LoggedIn]:
    """Log in on behalf of CLIENT."""
    dialer = Dialer(
        protocol,
        "gw.example.org",
        Timeouts(close=0.5),
        policy=policy,
        proxy_protocol=proxy_protocol,
    )
    upstream = Upstream(TcpAddress("127.0.0.1", port))
    connection = await dialer.open(upstream, credentials, CLIENT, BY_TLS)
    outcome = await connection.next_event()
    assert isinstance(outcome, LoggedIn), outcome
    return connection, outcome


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
async def test_dovecot_writes_the_clients_address_and_our_session(
    protocol: str, trusting: Trusting
) -> None:
    connection, _ = await dial(trusting.ports[protocol], protocol)
    await connection.close()
    until(
        lambda: trusting.has_written(
            f"{protocol}-login: Info: Login: user=<{ALICE.name}>",
            "rip=192.0.2.9",
            "session=<4711-9>",
        ),
        "Dovecot writes whom we speak for",
    )


async def test_dovecot_is_told_nothing_where_that_is_off(trusting: Trusting) -> None:
    connection, _ = await dial(trusting.ports["imap"], "imap", policy=UNTOLD)
    await connection.close()
    until(
        lambda: trusting.has_written("imap-login: Info: Login", "rip=127.0.0.1"),
        "Dovecot writes who we are",
    )


@pytest.mark.parametrize("form", [ProxyProtocol.ON, ProxyProtocol.V2])
async def test_dovecot_reads_our_proxy_header(
    form: ProxyProtocol, trusting: Trusting
) -> None:
    port = trusting.ports["imap, proxied"]
    connection, _ = await dial(port, "imap", policy=UNTOLD, proxy_protocol=form)
    await connection.close()
    until(
        lambda: trusting.has_written("Login", "rip=192.0.2.9", "lip=198.51.100.1"),
        "Dovecot writes both ends",
    )


async def test_postfix_takes_our_word_and_then_the_password(trusting: Trusting) -> None:
    connection, outcome = await dial(trusting.ports["smtp"], "smtp")
    assert outcome.reply.startswith(b"235 2.7.0 ")
    await connection.stream.send_all(
        b"MAIL FROM:<alice@example.org>\r\nRCPT TO:<alice@example.org>\r\nQUIT\r\n"
    )
    while await connection.stream.receive_some():
        pass
    await connection.close()
    until(
        lambda: trusting.has_written(
            "client=unknown[192.0.2.9]", f"sasl_username={ALICE.name}"
        ),
        "Postfix writes whom we speak for",
    )


async def test_postfix_takes_our_word_for_who_has_logged_in(trusting: Trusting) -> None:
    told = ProxyPolicy(XClient.ON, smtp_auth=False)
    connection, outcome = await dial(trusting.ports["smtp"], "smtp", policy=told)
    assert outcome.reply == b""
    await connection.stream.send_all(
        b"MAIL FROM:<alice@example.org>\r\nRCPT TO:<bob@example.org>\r\nQUIT\r\n"
    )
    said = b""
    while data := await connection.stream.receive_some():
        said += data
    await connection.close()
    assert [line[:3] for line in said.splitlines()] == [b"250", b"250", b"221"]


async def test_postfix_judges_a_recipient_by_the_client_and_not_by_us(
    trusting: Trusting,
) -> None:
    envelope = Envelope(b"MAIL FROM:<a@b.example>", b"RCPT TO:<c@d.example>")
    connection, outcome = await dial(trusting.ports["smtp"], "smtp", envelope)
    await connection.close()
    assert outcome.reply.startswith(b"554 5.7.1 ")
    until(
        lambda: trusting.has_written(
            "reject: RCPT from unknown[192.0.2.9]", "helo=<pc>"
        ),
        "Postfix writes whom it has refused",
    )


CONVERSATIONS = {
    "imap": f"a LOGIN {ALICE.name} {ALICE.password}\r\na LOGOUT\r\n",
    "pop3": f"USER {ALICE.name}\r\nPASS {ALICE.password}\r\nQUIT\r\n",
    "smtp": f"EHLO pc\r\nAUTH PLAIN {ALICE.sasl_plain}\r\nMAIL FROM:<>\r\n"
    f"RCPT TO:<{ALICE.name}>\r\nQUIT\r\n",
}
WRITTEN = {
    "imap": ("imap-login: Info: Login", "rip=127.0.9.1", "lip=127.0.0.1"),
    "pop3": ("pop3-login: Info: Login", "rip=127.0.9.2"),
    "smtp": ("client=unknown[127.0.9.3]", f"sasl_username={ALICE.name}"),
}


def test_backends_that_offer_it_are_told_by_the_program_as_it_is(
    trusting: Trusting, premises: Path
) -> None:
    """Each address of the loopback is somebody else."""
    directory = premises / "telling"
    directory.mkdir()
    doors = {protocol: free_port() for protocol in CONVERSATIONS}
    servers = [
        {
            "listen": f"127.0.0.1:{port}",
            "protocol": protocol,
            "proxy_pass": f"127.0.0.1:{trusting.ports[protocol]}",
        }
        for protocol, port in doors.items()
    ]
    with serving(directory, mail_table(*servers)):
        for number, (protocol, said) in enumerate(CONVERSATIONS.items(), 1):
            source = (f"127.0.9.{number}", 0)
            address = ("127.0.0.1", doors[protocol])
            with create_connection(address, PATIENCE, source_address=source) as wire:
                wire.sendall(said.encode())
                while wire.recv(65536):
                    pass
            until(
                partial(trusting.has_written, *WRITTEN[protocol]),
                f"the {protocol} server writes whom the program speaks for",
            )
