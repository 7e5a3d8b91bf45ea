"""What a client sees of ``ssl_session_cache`` and ``ssl_session_tickets``.

The table is the specification, and the test. A worker is a ServerTls here: two of
them share what is shared, and nothing else.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from ssl import OP_NO_TICKET, SSLContext, SSLSession

import pytest
from attrs import evolve, frozen
from trustme import CA

from mailssl_trio.files import Files
from mailssl_trio.tls.policy import SessionCache, SharedCache, TlsPolicy
from mailssl_trio.tls.server import ServerTls
from mailssl_trio.tls.sessions.resumption import Sessions
from mailssl_trio.tls.sessions.session_cache import BuiltinCache, StoreChain
from mailssl_trio.tls.sessions.shared_zone import SharedZone
from mailssl_trio.tls.sessions.ticket_keys import RotatingKeys, TicketKeys
from tests.tls.clients import client
from tests.tls.handshake import Secured, shake_hands

CACHES = {
    "off": SessionCache(announced=False),
    "none": SessionCache(),
    "builtin": SessionCache(builtin=100),
    "shared": SessionCache(shared=SharedCache("SSL", 2**20)),
    "both": SessionCache(builtin=100, shared=SharedCache("SSL", 2**20)),
}

TABLE = """
cache    tickets  version  client's  session id  ticket  this worker  another

off      off      TLSv1.2  yes       empty       none    full         full
off      off      TLSv1.2  no        empty       none    full         full
off      off      TLSv1.3  yes       -           none    full         full

none     off      TLSv1.2  yes       32 octets   none    full         full
none     off      TLSv1.2  no        32 octets   none    full         full
none     off      TLSv1.3  yes       -           one     full         full

builtin  off      TLSv1.2  yes       32 octets   none    resumed      full
builtin  off      TLSv1.2  no        32 octets   none    resumed      full
builtin  off      TLSv1.3  yes       -           one     resumed      full

shared   off      TLSv1.2  yes       32 octets   none    resumed      resumed
shared   off      TLSv1.2  no        32 octets   none    resumed      resumed
shared   off      TLSv1.3  yes       -           one     resumed      resumed

both     off      TLSv1.2  yes       32 octets   none    resumed      resumed
both     off      TLSv1.2  no        32 octets   none    resumed      resumed
both     off      TLSv1.3  yes       -           one     resumed      resumed

off      on       TLSv1.2  yes       empty       one     resumed      resumed
off      on       TLSv1.2  no        empty       none    full         full
off      on       TLSv1.3  yes       -           one     resumed      resumed

none     on       TLSv1.2  yes       empty       one     resumed      resumed
none     on       TLSv1.2  no        32 octets   none    full         full
none     on       TLSv1.3  yes       -           one     resumed      resumed

builtin  on       TLSv1.2  yes       empty       one     resumed      resumed
builtin  on       TLSv1.2  no        32 octets   none    resumed      full
builtin  on       TLSv1.3  yes       -           one     resumed      resumed

shared   on       TLSv1.2  yes       empty       one     resumed      resumed
shared   on       TLSv1.2  no        32 octets   none    resumed      resumed
shared   on       TLSv1.3  yes       -           one     resumed      resumed

both     on       TLSv1.2  yes       empty       one     resumed      resumed
both     on       TLSv1.2  no        32 octets   none    resumed      resumed
both     on       TLSv1.3  yes       -           one     resumed      resumed
"""

ROWS = [line.split("  ") for line in TABLE.strip().splitlines()[2:] if line]
ROWS = [[word.strip() for word in row if word] for row in ROWS]


@frozen
class Zones:
    """What workers share."""

    zone: SharedZone
    keys: TicketKeys

    def worker(self, policy: TlsPolicy, files: Files | None = None) -> ServerTls:
        """Return a worker of its own."""
        stores: list[BuiltinCache | SharedZone] = []
        cache = policy.session_cache
        if cache.builtin is not None:
            stores.append(BuiltinCache(cache.builtin))
        if cache.shared is not None:
            stores.append(self.zone)
        store = StoreChain(*stores) if len(stores) == 2 else (*stores, None)[0]
        keys = self.keys if policy.session_tickets else None
        return ServerTls(policy, "imap", files or Files(), Sessions(store, keys))


@pytest.fixture
def zones(tmp_path: Path) -> Iterator[Zones]:
    with closing(SharedZone(tmp_path, "SSL", 2**20)) as zone:
        yield Zones(zone, TicketKeys(RotatingKeys(300).keys))


def connect(
    worker: ServerTls, client: SSLContext, session: SSLSession | None = None
) -> Secured:
    outcome = shake_hands(worker.context, client, session=session)
    assert isinstance(outcome, Secured)
    return outcome


@pytest.mark.parametrize("row", ROWS, ids="-".join)
def test_what_a_client_sees(
    row: list[str], policy: TlsPolicy, zones: Zones, ca: CA
) -> None:
    cache, tickets, version, clients, session_id, ticket, here, elsewhere = row
    policy = evolve(
        policy,
        protocols=(version,),
        session_cache=CACHES[cache],
        session_tickets=tickets == "on",
    )
    visitor = client(ca, version)
    if clients == "no":
        visitor.options |= OP_NO_TICKET
    one, other = zones.worker(policy), zones.worker(policy)
    first = connect(one, visitor)
    session = first.client.session
    assert not first.server.session_reused
    assert (session is not None and session.has_ticket) == (ticket == "one")
    if version == "TLSv1.2":
        assert _announced_id(first) == session_id
    again = connect(one, visitor, session)
    assert again.server.session_reused == (here == "resumed")
    session = again.client.session if here == "resumed" else session
    assert connect(other, visitor, session).server.session_reused == (
        elsewhere == "resumed"
    )


def _announced_id(first: Secured) -> str:
    """Return what the ServerHello says; of a ticket, the client makes up an id."""
    assert first.server.session is not None
    return {0: "empty", 32: "32 octets"}[len(first.server.session.id)]


def test_every_cell_of_the_table_is_there() -> None:
    assert len(ROWS) == len(CACHES) * 2 * 3
    assert {len(row) for row in ROWS} == {8}
