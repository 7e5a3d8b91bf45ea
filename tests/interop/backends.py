"""The real servers behind a gateway, and the ways to reach them."""

from attrs import frozen

from tests.interop.certificates import Pair
from tests.interop.dovecot import Dovecot
from tests.interop.gateway import Doors, Table
from tests.interop.postfix import Postfix

PROXY_SSL = ("off", "on", "starttls")


@frozen
class Backends:
    """Dovecot and Postfix, which share their users and their maildirs."""

    dovecot: Dovecot
    postfix: Postfix
    pair: Pair

    def proxy_pass(self, protocol: str, proxy_ssl: str) -> str:
        """Return the address that speaks this protocol in this manner."""
        by_tls = proxy_ssl == "on"
        match protocol:
            case "imap":
                port = self.dovecot.imaps if by_tls else self.dovecot.imap
            case "pop3":
                port = self.dovecot.pop3s if by_tls else self.dovecot.pop3
            case _:
                port = self.postfix.smtps if by_tls else self.postfix.smtp
        return f"localhost:{port}"

    def behind(self, doors: Doors, proxy_ssl: str) -> list[Table]:
        """Return the servers of a gateway that stands in front of us."""
        security: Table = {"proxy_ssl": proxy_ssl}
        if proxy_ssl != "off":
            trusted = str(self.pair.ca)
            security = {**security, "proxy_ssl_trusted_certificate": trusted}
        return [
            {
                **server,
                **security,
                "proxy_pass": self.proxy_pass(str(server["protocol"]), proxy_ssl),
            }
            for server in doors.servers
        ]
