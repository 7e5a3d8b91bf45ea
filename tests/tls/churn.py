"""Make contexts, shake hands, drop everything, 500 times; run with ``-X dev``.

A callback that was freed while OpenSSL still knew it would end this process.
"""

import gc
from pathlib import Path
from tempfile import TemporaryDirectory

from trustme import CA

from mailssl_trio.tls.context import server_context
from mailssl_trio.tls.policy import Pair, TlsPolicy
from tests.tls.clients import client
from tests.tls.handshake import NO_APPLICATION_PROTOCOL, Alert, Secured, shake_hands

ROUNDS = 500


def churn(directory: Path) -> None:
    """Serve one client and refuse another, each time with a context of its own."""
    ca = CA()
    pair = directory / "pair.pem"
    pair.touch(mode=0o600)
    ca.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(pair)
    ours, foreign = client(ca, alpn=("pop3",)), client(ca, alpn=("h2",))
    served = refused = 0
    for number in range(ROUNDS):
        server = server_context(TlsPolicy((Pair(pair, pair),)), "pop3")
        served += isinstance(shake_hands(server, ours), Secured)
        refused += shake_hands(server, foreign) == Alert(NO_APPLICATION_PROTOCOL)
        del server
        if number % 50 == 0:
            gc.collect()
    print(f"{served} served, {refused} refused")


if __name__ == "__main__":
    with TemporaryDirectory() as directory:
        churn(Path(directory))
