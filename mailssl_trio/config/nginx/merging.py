"""What nginx checks when ``mail`` is complete, and each server has what it inherits."""

from collections.abc import Iterator, Sequence

from attrs import frozen

from mailssl_trio.config.nginx.refusal import RefusedError
from mailssl_trio.config.nginx.tree import Block, Entry
from mailssl_trio.config.nginx.urls import parse_listen
from mailssl_trio.config.nginx.vocabulary import Version

PORTS = {143: "imap", 993: "imap", 110: "pop3", 995: "pop3"} | dict.fromkeys(
    (25, 465, 587), "smtp"
)

EITHER_CA = (1, 27, 2)
"""Since this version a CA that clients are not told of is enough."""


@frozen
class Merged:
    """A server with what it inherits."""

    mail: Block
    server: Block

    def entries(self, name: str) -> Sequence[Entry]:
        """Return the directives that hold: the server's own, or those of ``mail``."""
        return self.server.entries(name) or self.mail.entries(name)

    def says(self, name: str, *words: object) -> bool:
        """Whether a directive holds, and is one of these."""
        found = self.entries(name)
        return bool(found) and found[-1].value in words

    @property
    def protocol(self) -> str | None:
        """Return the protocol that is set, or that of the first well-known port."""
        match self.server.value("protocol"):
            case str() as said:
                return said
        for entry in self.server.entries("listen"):
            port = parse_listen(entry.statement.arguments[0]).port
            if port in PORTS:
                return PORTS[port]
        return None

    @property
    def tls_reason(self) -> tuple[str, Entry] | None:
        """Return by what the server speaks TLS, as nginx calls it, and where."""
        listens = [
            entry
            for entry in self.server.entries("listen")
            if "ssl" in entry.statement.arguments[1:]
        ]
        if self.says("ssl", True):
            return "ssl", self.entries("ssl")[-1]
        if listens:
            return "listen ... ssl", listens[-1]
        if self.says("starttls", "on", "only"):
            return "starttls", self.entries("starttls")[-1]
        return None


def merged(mail: Block) -> Iterator[Merged]:
    """Yield the servers of ``mail``."""
    return (Merged(mail, server) for server in mail.blocks("server"))


def check_mail(mail: Block, version: Version | None) -> None:
    """Refuse what nginx would refuse, in its order: module by module."""
    for server in merged(mail):
        _check_protocol(server)
    for server in merged(mail):
        _check_tls(server)
        _check_client_certificates(server, version)
    for server in merged(mail):
        _check_auth_http(server)


def _check_protocol(server: Merged) -> None:
    if server.protocol is None:
        raise _refused("unknown mail protocol for server", server)


def _check_auth_http(server: Merged) -> None:
    if not server.entries("auth_http"):
        raise _refused('no "auth_http" is defined for server', server)


def _check_tls(server: Merged) -> None:
    if server.tls_reason is None:
        return
    mode, reason = server.tls_reason
    place = reason.statement.place
    certificates = server.entries("ssl_certificate")
    keys = server.entries("ssl_certificate_key")
    behind = f'the "{mode}" directive'
    for name, found in (
        ("ssl_certificate", certificates),
        ("ssl_certificate_key", keys),
    ):
        if not found:
            raise RefusedError.at(f'no "{name}" is defined for {behind}', place)
    if len(keys) < len(certificates):
        last = certificates[-1].statement.arguments[0]
        text = (
            f'no "ssl_certificate_key" is defined for certificate "{last}" and {behind}'
        )
        raise RefusedError.at(text, place)


def _check_client_certificates(server: Merged, version: Version | None) -> None:
    """Refuse to ask for certificates where nobody can have issued them."""
    asks = server.says("ssl_verify_client", "on", "optional")
    if server.tls_reason is None or not asks:
        return
    names = ["ssl_client_certificate", "ssl_trusted_certificate"]
    if version is not None and version < EITHER_CA:
        names.pop()
    if not any(map(server.entries, names)):
        place = server.tls_reason[1].statement.place
        missing = " or ".join(names)
        raise RefusedError(f"no {missing} for ssl_verify_client", place)


def _refused(text: str, server: Merged) -> RefusedError:
    assert server.server.head is not None
    return RefusedError.at(text, server.server.head.place)
