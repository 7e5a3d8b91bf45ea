"""The program behind a proxy, and as one: PROXY headers on real sockets."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from ssl import create_default_context

import pytest
from attrs import frozen

from tests.interop.background import Background
from tests.interop.gateway import SHIPPED, Table, mail_table, serving
from tests.interop.machine import PATIENCE, free_port, until
from tests.interop.people import ALICE

pytestmark = pytest.mark.interop

HEADER = b"PROXY TCP4 203.0.113.9 192.0.2.1 4321 993\r\n"
LOGIN = f"a LOGIN {ALICE.name} {ALICE.password}\r\na LOGOUT\r\n".encode()
FRONTS = {"on": "tls", "v2": "starttls"}


@frozen
class Behind:
    """A gateway that one proxy may speak to, and two gateways that are such proxies."""

    program: Background
    tls: int
    starttls: int
    fronts: dict[str, int]
    ca: Path


def gateway(directory: Path, stack: ExitStack, *servers: Table) -> Background:
    (directory / "conf").mkdir(parents=True)
    users = directory / "conf" / "users.toml"
    users.write_bytes((SHIPPED / "users.toml").read_bytes())
    return stack.enter_context(serving(directory, mail_table(*servers)))


@pytest.fixture(scope="module")
def behind(premises: Path) -> Iterator[Behind]:
    ports = {"tls": free_port(), "starttls": free_port()}
    mailbox = {"protocol": "imap", "users": "users.toml", "proxy_pass": "embedded"}
    proxied = {**mailbox, "set_real_ip_from": "127.0.0.1"}
    here = "127.0.0.1:{}"
    with ExitStack() as stack:
        back = premises / "behind-a-proxy"
        program = gateway(
            back,
            stack,
            {**proxied, "listen": f"{here.format(ports['tls'])} ssl proxy_protocol"},
            {
                **proxied,
                "listen": f"{here.format(ports['starttls'])} proxy_protocol",
                "starttls": "only",
            },
        )
        ca = back / "var/tls/ca.pem"
        fronts = {form: free_port() for form in FRONTS}
        gateway(
            premises / "before-a-gateway",
            stack,
            *(
                {
                    "listen": here.format(port),
                    "protocol": "imap",
                    "proxy_pass": f"localhost:{ports[FRONTS[form]]}",
                    "proxy_ssl": "on" if FRONTS[form] == "tls" else "starttls",
                    "proxy_ssl_trusted_certificate": str(ca),
                    "proxy_protocol": form,
                }
                for form, port in fronts.items()
            ),
        )
        yield Behind(program, ports["tls"], ports["starttls"], fronts, ca)


def connect(port: int, *, source: str = "127.0.0.1") -> socket.socket:
    address = ("127.0.0.1", port)
    return socket.create_connection(address, PATIENCE, source_address=(source, 0))


def all_of(wire: socket.socket) -> bytes:
    return b"".join(iter(lambda: wire.recv(65536), b""))


def test_header_then_tls_then_a_login(behind: Behind) -> None:
    trust = create_default_context(cafile=behind.ca)
    with connect(behind.tls) as wire:
        for octet in HEADER:
            wire.sendall(bytes((octet,)))
        with trust.wrap_socket(wire, server_hostname="localhost") as secured:
            secured.sendall(LOGIN)
            assert b"a OK " in all_of(secured)
    until(
        lambda: "client: 203.0.113.9, server: 127.0.0.1" in behind.program.logged(),
        "the log names the client",
    )


@pytest.mark.parametrize("form", FRONTS)
def test_gateway_believes_another_that_is_its_proxy(form: str, behind: Behind) -> None:
    """Each address of the loopback is somebody else."""
    source = f"127.0.7.{len(form)}"
    with connect(behind.fronts[form], source=source) as wire:
        wire.sendall(LOGIN)
        assert b"a OK " in all_of(wire)
    until(
        lambda: (
            "client logged in, TLSv1.3" in behind.program.logged()
            and f"client: {source}" in behind.program.logged()
        ),
        "the log names the client",
    )


def test_stranger_is_refused_with_a_line_that_says_what_was_seen(
    behind: Behind,
) -> None:
    with connect(behind.starttls, source="127.0.0.2") as wire:
        wire.sendall(HEADER)
        assert all_of(wire) == b""
    line = (
        "127.0.0.2 is not in set_real_ip_from, it speaks for 203.0.113.9, port 4321"
        " while reading PROXY protocol, client: 127.0.0.2, server: 127.0.0.1:"
    )
    until(lambda: line in behind.program.logged(), "the log says who was refused")


def test_client_without_a_proxy_is_refused_by_nginxs_line(behind: Behind) -> None:
    with connect(behind.starttls) as wire:
        wire.sendall(b"a1 CAPABILITY\r\n")
        assert all_of(wire) == b""
    line = (
        'broken header: "a1 CAPABILITY" while reading PROXY protocol,'
        " client: 127.0.0.1, server: 127.0.0.1:"
    )
    until(lambda: line in behind.program.logged(), "the log says what was seen")
