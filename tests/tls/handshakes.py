"""Make 20,000 handshakes with every cache on, and print how memory grew.

Run with ``-X dev``: a callback that was freed while OpenSSL still knew it would end
this process, and one that raises would be told. Certificates are renewed meanwhile.
"""

import gc
import os
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import cycle
from pathlib import Path
from ssl import MemoryBIO, SSLContext, SSLObject, SSLWantReadError
from tempfile import TemporaryDirectory

from trustme import CA

from mailssl_trio.files import Files
from mailssl_trio.tls.openssl import BENEATH_PYTHON
from mailssl_trio.tls.policy import Pair, SessionCache, SharedCache, TlsPolicy
from mailssl_trio.tls.server import ServerTls
from mailssl_trio.tls.sessions.resumption import Sessions
from mailssl_trio.tls.sessions.session_cache import BuiltinCache, StoreChain
from mailssl_trio.tls.sessions.shared_zone import SharedZone
from mailssl_trio.tls.sessions.ticket_keys import RotatingKeys, TicketKeys
from tests.tls.clients import client

HANDSHAKES = 20_000
WARM = 4_000
RENEWALS = 1_000
"""Handshakes between two renewals."""

CACHE = SessionCache(builtin=500, shared=SharedCache("SSL", 2**18))


def servers(directory: Path, ca: CA, zone: SharedZone) -> Iterator[ServerTls]:
    """Yield a server that keeps sessions, and one that hands out tickets."""
    pairs = []
    for name in ("localhost", "other.example"):
        file = directory / f"{name}.pem"
        file.touch(mode=0o600)
        ca.issue_cert(name).private_key_and_cert_chain_pem.write_to_path(file)
        pairs.append(Pair(file, file))
    for tickets in (False, True):
        policy = TlsPolicy(tuple(pairs), session_cache=CACHE, session_tickets=tickets)
        keys = TicketKeys(RotatingKeys(300).keys) if tickets else None
        sessions = Sessions(StoreChain(BuiltinCache(500), zone), keys)
        yield ServerTls(policy, "imap", Files(), sessions)


def connect(
    server: ServerTls, visitor: SSLContext, name: str, session: bytes | None
) -> tuple[bool, bytes | None]:
    """Shake hands; return whether it was resumed, and what the next one may resume."""
    assert BENEATH_PYTHON is not None
    to_server, to_client = MemoryBIO(), MemoryBIO()
    accepting = server.context.wrap_bio(to_server, to_client, server_side=True)
    calling = visitor.wrap_bio(to_client, to_server, server_hostname=name)
    if session is not None:
        BENEATH_PYTHON.offer_session(calling, session)
    for _ in range(3):
        go_on(calling)
        go_on(accepting)
    with suppress(SSLWantReadError):
        calling.read(1)  # TLS 1.3 sends its tickets behind the handshake
    assert calling.session_reused == accepting.session_reused
    return bool(accepting.session_reused), BENEATH_PYTHON.session_of(calling)


def go_on(side: SSLObject) -> None:
    with suppress(SSLWantReadError):
        side.do_handshake()


def resident() -> int:
    """Return the memory that this process occupies, in KiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def shake(directory: Path) -> None:
    """Let clients of both versions come by both names, and come back."""
    ca = CA()
    with closing(SharedZone(directory, "SSL", 2**18)) as zone:
        ours = tuple(servers(directory, ca, zone))
        visitors = [
            (server, client(ca, version), name)
            for server in ours
            for version in ("TLSv1.2", "TLSv1.3")
            for name in ("localhost", "other.example")
        ]
        kept: dict[SSLContext, bytes | None] = {}
        resumed = warm = 0
        for number, (server, visitor, name) in enumerate(cycle(visitors), start=1):
            has_resumed, session = connect(server, visitor, name, kept.get(visitor))
            resumed += has_resumed
            comes_back = number % 3 != 0  # each third handshake is that of a newcomer
            kept[visitor] = session if comes_back else None
            if number % RENEWALS == 0:
                server.renew(Files())
                gc.collect()
            if number == WARM:
                warm = resident()
            if number == HANDSHAKES:
                break
        gc.collect()
    print(f"{resumed} resumed, {resident() - warm} KiB more after {WARM} handshakes")


if __name__ == "__main__":
    with TemporaryDirectory() as directory:
        shake(Path(directory))
