"""Our own program, started as its users start it, and the doors that it opens."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from ssl import SSLContext, create_default_context
from typing import Literal, TypeAlias

import tomli_w
from attrs import frozen

from tests.interop.background import Background, background
from tests.interop.machine import free_port
from tests.interop.people import SECRETS

SHIPPED = Path(__file__).parents[2] / "conf"

READY = "ready; Ctrl-C ends it"

Security: TypeAlias = Literal["starttls", "tls"]
"""How TLS begins on a door: in-line, or with the first octet."""

SECURITIES: tuple[Security, ...] = ("starttls", "tls")

Door: TypeAlias = tuple[str, Security]
"""A protocol, and how TLS begins there."""

SHIPPED_PORTS: Mapping[Door, int] = {
    ("imap", "starttls"): 1143,
    ("imap", "tls"): 1993,
    ("pop3", "starttls"): 1110,
    ("pop3", "tls"): 1995,
    ("smtp", "starttls"): 1587,
    ("smtp", "tls"): 1465,
}

Table: TypeAlias = Mapping[str, object]


@frozen
class Doors:
    """The six addresses of a gateway, and the CA by which it is believed."""

    ports: Mapping[Door, int]
    ca: Path

    @classmethod
    def anywhere(cls, ca: Path) -> "Doors":
        """Choose six ports."""
        return cls({door: free_port() for door in SHIPPED_PORTS}, ca)

    def port(self, protocol: str, security: Security) -> int:
        """Return the port of one of them."""
        return self.ports[protocol, security]

    def only(self, protocol: str, security: Security) -> "Doors":
        """Return one of them alone."""
        return Doors({(protocol, security): self.port(protocol, security)}, self.ca)

    @property
    def servers(self) -> list[Table]:
        """Return what a configuration says of them."""
        words: dict[Security, Table] = {
            "starttls": {"starttls": "only"},
            "tls": {"ssl": True},
        }
        return [
            {"listen": f"127.0.0.1:{port}", "protocol": protocol, **words[security]}
            for (protocol, security), port in self.ports.items()
        ]

    def trust(self) -> SSLContext:
        """Return what a client speaks TLS with that believes this gateway."""
        return create_default_context(cafile=self.ca)


def serve_command(*arguments: str | Path) -> list[str | Path]:
    """Return the command line that serves."""
    return [sys.executable, "-m", "mailssl_trio", "serve", *arguments]


@contextmanager
def serving(directory: Path, configuration: str | Table) -> Iterator[Background]:
    """Run a gateway that must stop with 0, and neither crash nor tell a secret."""
    file = directory / "conf" / "mail.toml"
    file.parent.mkdir(exist_ok=True)
    if not isinstance(configuration, str):
        configuration = tomli_w.dumps(configuration)
    file.write_text(configuration)
    with background("gateway", serve_command(file), directory) as program:
        program.await_words(READY)
        yield program
        assert program.stop() == 0, program.logged()
    written = program.logged() + _without_trials(program.said())
    assert not [secret for secret in SECRETS if secret in written]
    assert not [mark for mark in ("Traceback", "[crit]") if mark in written]


def _without_trials(said: str) -> str:
    """Leave out the commands to try, which name the password that everybody knows."""
    return "".join(line for line in said.splitlines() if not line.startswith("try: "))


@contextmanager
def shipped(directory: Path) -> Iterator[tuple[Background, Doors]]:
    """Run the configuration that is shipped, on ports of our own."""
    doors = Doors.anywhere(directory / "var/tls/ca.pem")
    users = directory / "conf" / "users.toml"
    users.parent.mkdir()
    users.write_bytes((SHIPPED / "users.toml").read_bytes())
    configuration = (SHIPPED / "mail.toml").read_text()
    for door, word in SHIPPED_PORTS.items():
        assert configuration.count(f":{word}") == 1
        configuration = configuration.replace(f":{word}", f":{doors.ports[door]}")
    with serving(directory, configuration) as program:
        yield program, doors


def mail_table(*servers: Table, **directives: object) -> Table:
    """Return a configuration of these servers, with a certificate that makes itself."""
    return {
        "error_log": "stderr info",
        "worker_shutdown_timeout": "5s",
        "mail": {
            "server_name": "localhost",
            "ssl_certificate": "development",
            **directives,
            "server": list(servers),
        },
    }
