"""What one virtual server speaks TLS with, as it lives: contexts, sessions, verdicts.

One *front* context meets every client. Where the client asks for a name that another
certificate is for, OpenSSL goes on with that certificate's context, halfway: the
callbacks for sessions, the versions and the depth of verification stay the front's,
ciphers, CAs and whether sessions have ids do not. So all contexts of a server are
built alike, but for their pairs.

A renewed certificate means new contexts. The sessions lie outside them, and what they
are bound to has not changed, so clients resume as if nothing had happened.
"""

from collections.abc import Mapping
from ssl import SSLContext

from mailssl_trio.files import Files
from mailssl_trio.tls.certificates.choice import Choice, Group, choice_of
from mailssl_trio.tls.certificates.client_certificates import judge, verified
from mailssl_trio.tls.certificates.refusal import CertificateRefusal
from mailssl_trio.tls.context import server_context
from mailssl_trio.tls.openssl import BENEATH_PYTHON, OpenSsl, Speaking
from mailssl_trio.tls.policy import TlsPolicy
from mailssl_trio.tls.sessions.resumption import (
    Sessions,
    allow_resumption,
    session_identity,
)


class ServerTls:
    """The TLS of one virtual server of ``imap``, ``pop3`` or ``smtp``.

    Raises TlsSettingsError with every problem of the settings. Reads files.
    """

    def __init__(
        self,
        policy: TlsPolicy,
        protocol: str,
        files: Files,
        sessions: Sessions | None = None,
        openssl: OpenSsl | None = BENEATH_PYTHON,
    ) -> None:
        self.policy = policy
        self.protocol = protocol
        self.sessions = sessions or Sessions()
        self._openssl = openssl
        self.context = self._built(files)
        """The front context, for the handshake that begins now."""

    def renew(self, files: Files) -> None:
        """Serve what is in these files from the next handshake on.

        Raises TlsSettingsError, and goes on with what was there. Takes a while, so
        it belongs into a thread: nothing is exchanged but ``context``, at the end.
        """
        self.context = self._built(files)

    def judge(self, connection: Speaking) -> CertificateRefusal | None:
        """Return what ``ssl_verify_client`` has against a client, if anything.

        To be asked after every handshake, also when it resumed a session.
        """
        return judge(self.policy, connection, self._openssl)

    def verified(self, connection: Speaking) -> str:
        """Say what became of a client's certificate: TlsInfo has the words."""
        return verified(self.policy, connection, self._openssl)

    def server_name(self, connection: Speaking) -> str | None:
        """Return the name that a client asked for, None if it is none or not ASCII."""
        name = self._openssl and self._openssl.server_name(connection)
        return name.decode() if name and name.isascii() else None

    def _built(self, files: Files) -> SSLContext:
        """Return a front context that knows where the names lead to."""
        choice = choice_of(self.policy, files)
        front, *others = [
            server_context(self.policy, self.protocol, files, group, self._openssl)
            for group in (None, *choice.groups[1:])  # with the first, all are judged
        ]
        if self._openssl is not None:
            identity = session_identity(self.policy, files)
            for context in (front, *others):
                allow_resumption(
                    context, self.policy, identity, self.sessions, self._openssl
                )
            if others:
                by_group = dict(zip(choice.groups[1:], others, strict=True))
                _lend_by_name(front, choice, by_group, self._openssl)
        return front


def _lend_by_name(
    front: SSLContext,
    choice: Choice,
    contexts: Mapping[Group, SSLContext],
    openssl: OpenSsl,
) -> None:
    """Have other contexts' certificates shown to who asks for their names."""

    def choose(name: bytes) -> SSLContext | None:
        asked = name.decode("ascii", "replace")  # and then it is nobody's
        return contexts.get(choice.pairs_for(asked))

    openssl.choose_by_name(front, choose)
