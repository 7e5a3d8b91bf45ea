"""Sessions that lie in one zone, or in tickets of one key, and yet are not exchanged.

A session says that a client has been judged. So it is worth nothing where another
judgement is asked for (CVE-2014-3616, CVE-2025-23419): not at a port that wants a
certificate, nor at one that has a CRL, nor behind a reload that adds a CRL.
"""

import signal
from collections.abc import Iterable, Iterator, Mapping
from itertools import permutations, product
from pathlib import Path

import pytest
import tomli_w
from attrs import define, evolve, frozen
from trustme import CA, LeafCert

from tests.interop.gateway import Table, mail_table, serving
from tests.interop.machine import free_port, until
from tests.process.processes import await_workers, workers
from tests.process.standstill import stopped
from tests.process.visits import Guest
from tests.tls.certificates.issuing import crl_of

pytestmark = pytest.mark.process

GREETING, BAD, NONE = (
    b"* OK [CAPABILITY ",
    b"* BYE SSL certificate error\r\n",
    b"* BYE No required SSL certificate\r\n",
)

STORES: Mapping[str, Table] = {
    "zone": {"ssl_session_cache": "shared:SSL:1m"},
    "tickets": {"ssl_session_tickets": True, "ssl_session_ticket_key": "ticket.key"},
}

ASKING: Table = {"ssl_verify_client": "on", "ssl_client_certificate": "ca.pem"}
HAVING_A_CRL: Table = {**ASKING, "ssl_crl": "crl.pem"}
POLICIES: Mapping[str, Table] = {
    "open": {},
    "open, too": {},
    "content with anybody's": {"ssl_verify_client": "optional_no_ca"},
    "asking": ASKING,
    "asking, too": ASKING,
    "asking deeper": {**ASKING, "ssl_verify_depth": 2},
    "having a CRL": HAVING_A_CRL,
    "of fewer ciphers": {"ssl_ciphers": "ECDHE+AESGCM"},
}


@frozen
class Way:
    """How a session is kept, and in which version."""

    store: str
    version: str

    def __str__(self) -> str:
        return f"{self.version} by {self.store}"


WAYS = [Way(*each) for each in product(STORES, ("TLSv1.2", "TLSv1.3"))]
each_way = pytest.mark.parametrize("way", WAYS, ids=str)


@define
class House:
    """A gateway with a door for each policy, and people with certificates."""

    directory: Path
    ca: CA
    good: LeafCert
    revoked: LeafCert
    ports: Mapping[tuple[str, str], int]
    """By how sessions are kept, and by the name of the policy."""

    @classmethod
    def build(cls, directory: Path) -> "House":
        ca = CA()
        good, revoked = map(ca.issue_cert, ("alice@example.org", "mallory@example.org"))
        (directory / "conf").mkdir()
        for name, data in (
            ("ca.pem", ca.cert_pem.bytes()),
            ("crl.pem", crl_of(ca, revoked)),
            ("ticket.key", bytes(range(80))),
        ):
            file = directory / "conf" / name
            file.touch(mode=0o600)
            file.write_bytes(data)
        ports = {door: free_port() for door in product(STORES, POLICIES)}
        return cls(directory, ca, good, revoked, ports)

    def configuration(self, policies: Mapping[str, Table] = POLICIES) -> Table:
        """Return what a gateway is told that has these policies."""
        servers = [
            {
                "listen": f"127.0.0.1:{port}",
                "protocol": "imap",
                "ssl": True,
                **STORES[store],
                **policies[name],
            }
            for (store, name), port in self.ports.items()
        ]
        table = mail_table(*servers, proxy_pass="127.0.0.1:1")
        return {**table, "worker_processes": 2}

    def guest(self, way: Way, policy: str, shown: LeafCert | None) -> Guest:
        """Let somebody come to a door for the first time."""
        guest = Guest.of("imap", "tls", self.ports[way.store, policy], way.version)
        if shown is not None:
            shown.configure_cert(guest.tls)
        return guest

    def next_door(self, guest: Guest, way: Way, policy: str) -> Guest:
        """Let a guest go on to another door, with all that it has."""
        return evolve(guest, port=self.ports[way.store, policy])


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House.build(tmp_path_factory.mktemp("apart"))
    with serving(house.directory, house.configuration()):
        yield house


@each_way
@pytest.mark.parametrize("policy", POLICIES)
def test_a_session_resumes_where_the_policy_is_equal_and_nowhere_else(
    way: Way, policy: str, house: House
) -> None:
    guest = house.guest(way, policy, house.good)
    assert guest.come_anew().said.startswith(GREETING)
    for other in POLICIES:
        visit = house.next_door(guest, way, other).come()
        assert visit.resumed == (POLICIES[other] == POLICIES[policy]), other
        assert visit.said.startswith(GREETING), other


@each_way
def test_a_session_is_no_substitute_for_a_certificate(way: Way, house: House) -> None:
    """Of a port without client certificates, offered at one with."""
    for policy in ("open", "content with anybody's"):
        guest = house.guest(way, policy, None)
        assert guest.come_anew().said.startswith(GREETING)
        visit = house.next_door(guest, way, "asking").come()
        assert (visit.resumed, visit.said) == (False, NONE)


@each_way
def test_a_session_is_no_way_round_a_crl(way: Way, house: House) -> None:
    """Of a port without CRL, with a certificate that is revoked at the other."""
    guest = house.guest(way, "asking", house.revoked)
    assert guest.come_anew().said.startswith(GREETING)
    visit = house.next_door(guest, way, "having a CRL").come()
    assert (visit.resumed, visit.said) == (False, BAD)


def test_a_reload_that_adds_a_crl_ends_the_sessions_before_it(tmp_path: Path) -> None:
    house = House.build(tmp_path)
    with serving(tmp_path, house.configuration()) as program:
        mallories = [house.guest(way, "asking", house.revoked) for way in WAYS]
        alices = [house.guest(way, "asking, too", house.good) for way in WAYS]
        for guest in (*mallories, *alices):
            assert guest.come_anew().said.startswith(GREETING)
        stricter = house.configuration({**POLICIES, "asking": HAVING_A_CRL})
        (tmp_path / "conf/mail.toml").write_text(tomli_w.dumps(stricter))
        before = workers(program.process.pid)
        program.signal(signal.SIGHUP)
        await_workers(program, before)
        for guest in mallories:
            visit = guest.come()
            assert (visit.resumed, visit.said) == (False, BAD)
        for guest in alices:
            visit = guest.come()
            assert visit.resumed
            assert visit.said.startswith(GREETING)


def test_a_crl_that_is_replaced_ends_the_sessions_before_it(tmp_path: Path) -> None:
    """Without a reload: the file is watched."""
    house = House.build(tmp_path)
    crl = tmp_path / "conf/crl.pem"
    good, revoked = house.good, house.revoked
    with serving(tmp_path, house.configuration()) as program:
        alices = [house.guest(way, "having a CRL", good) for way in WAYS]
        for guest in alices:
            assert guest.come_anew().said.startswith(GREETING)
            assert guest.come().resumed
        newer = crl.with_name("newer")
        newer.write_bytes(crl_of(house.ca, good, revoked))
        newer.rename(crl)
        for worker, other in permutations(workers(program.process.pid)):
            with stopped(other):
                until(lambda: said_to(alices) == {BAD}, f"refusals by {worker}", 5)
                assert not any(guest.come().resumed for guest in alices)


def said_to(guests: Iterable[Guest]) -> set[bytes]:
    """Return what guests hear who come back."""
    return {guest.come().said for guest in guests}
