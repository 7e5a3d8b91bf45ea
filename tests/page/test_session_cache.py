"""``ssl_session_cache``: the form of the cache, and its size.

Two workers, of which each test chooses who answers. TLS 1.2 is seen without tickets,
TLS 1.3 knows nothing else; ``ssl_session_tickets`` is off, as the page has none.
"""

import time
from collections.abc import Iterator
from ssl import OP_NO_TICKET, SSLContext

import pytest

from tests.page.site import Site, site
from tests.page.visit import Visit, visit, visitor

pytestmark = pytest.mark.process

CACHES = {
    "inherited": None,
    "off": "off",
    "none": "none",
    "builtin": "builtin",
    "builtin:2": "builtin:2",
    "shared": "shared:SSL:10m",
    "small": "shared:small:32k",
    "a name": "shared:Any/../word,it_is!:1m",
    "the same name": "shared:Any/../word,it_is!:1m",
    "another name": "shared:another:1m",
    "both": "builtin:1000  shared:SSL:10m",
}

CAPACITY = 4000 * 32 // 1024  # sessions in 32 kB, where 1 MB is 4,000

VERSIONS = ("TLSv1.2", "TLSv1.3")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    servers = {
        name: {"ssl": True}
        if words is None
        else {"ssl": True, "ssl_session_cache": words}
        for name, words in CACHES.items()
    }
    directory = tmp_path_factory.mktemp("site")
    with site(directory, servers, processes=2, ssl_session_cache="off") as running:
        yield running


@pytest.fixture(params=["none", "default"])
def promising(
    request: pytest.FixtureRequest, gateway: Site, default: Site
) -> tuple[Site, str]:
    """Return a server of ``none``, and one that is told nothing."""
    return (gateway, "none") if request.param == "none" else (default, "ssl on")


@pytest.fixture(params=VERSIONS)
def client(request: pytest.FixtureRequest, gateway: Site) -> SSLContext:
    return visitor(gateway.ca, request.param)


@pytest.fixture
def old_client(gateway: Site) -> SSLContext:
    """Return a client to whom session ids are everything."""
    context = visitor(gateway.ca, "TLSv1.2")
    context.options |= OP_NO_TICKET
    return context


def resumes(gateway: Site, name: str, client: SSLContext, first: Visit) -> list[bool]:
    """Come back to each worker with the same session; return who resumed it."""
    seen = []
    for worker in gateway.workers:
        with gateway.only(worker):
            seen.append(visit(gateway, name, client, first.session).resumed)
    return seen


def first_visit(gateway: Site, name: str, client: SSLContext) -> Visit:
    """Make a session in the first worker."""
    with gateway.only(gateway.workers[0]):
        first = visit(gateway, name, client)
    assert not first.resumed
    return first


def test_off_tells_clients_that_sessions_are_not_reused(gateway: Site) -> None:
    """The use of a session cache is strictly forbidden; clients are told so.

    In TLS 1.2 by an empty id (RFC 5246 section 7.4.1.3), in TLS 1.3 by no ticket.
    """
    old = first_visit(gateway, "off", visitor(gateway.ca, "TLSv1.2"))
    new = first_visit(gateway, "off", visitor(gateway.ca, "TLSv1.3"))
    assert (old.session_id, old.has_ticket, new.has_ticket) == (b"", False, False)


def test_off_forbids_the_use_of_a_cache(gateway: Site, client: SSLContext) -> None:
    """The use of a session cache is strictly forbidden."""
    first = first_visit(gateway, "off", client)
    assert resumes(gateway, "off", client, first) == [False, False]


def test_none_tells_clients_that_sessions_may_be_reused(
    promising: tuple[Site, str],
) -> None:
    """Clients are told that sessions may be reused. It is the default."""
    gateway, name = promising
    old = first_visit(gateway, name, visitor(gateway.ca, "TLSv1.2"))
    new = first_visit(gateway, name, visitor(gateway.ca, "TLSv1.3"))
    assert (len(old.session_id), old.has_ticket, new.has_ticket) == (32, False, True)


@pytest.mark.parametrize("version", VERSIONS)
def test_none_does_not_actually_reuse_them(
    promising: tuple[Site, str], version: str
) -> None:
    """But they are not: a full handshake, and no alert."""
    gateway, name = promising
    client = visitor(gateway.ca, version)
    first = first_visit(gateway, name, client)
    assert not any(resumes(gateway, name, client, first))


def test_builtin_is_used_by_one_worker_process_only(
    gateway: Site, client: SSLContext
) -> None:
    """The built-in cache can be used by one worker process at a time only."""
    first = first_visit(gateway, "builtin", client)
    assert resumes(gateway, "builtin", client, first) == [True, False]


def test_size_of_builtin_is_a_number_of_sessions(
    gateway: Site, old_client: SSLContext
) -> None:
    """The size of the cache is given as a number of sessions."""
    with gateway.only(gateway.workers[0]):
        visits = [visit(gateway, "builtin:2", old_client).session for _ in range(3)]
        newest_first = [
            visit(gateway, "builtin:2", old_client, session).resumed
            for session in reversed(visits)
        ]
    assert newest_first == [True, True, False]


def test_shared_is_shared_by_all_worker_processes(
    gateway: Site, client: SSLContext
) -> None:
    """The cache is shared between all worker processes."""
    first = first_visit(gateway, "shared", client)
    assert resumes(gateway, "shared", client, first) == [True, True]


def test_size_of_shared_is_in_octets_about_4000_sessions_a_megabyte(
    gateway: Site, old_client: SSLContext
) -> None:
    """The size is given in octets; 1 MB supports about 4,000 sessions.

    So 32 kB support 125. When there are more, the first to expire go.
    """
    with gateway.only(gateway.workers[0]):
        oldest = visit(gateway, "small", old_client).session
        time.sleep(1.1)  # OpenSSL counts whole seconds
        others = [visit(gateway, "small", old_client).session for _ in range(CAPACITY)]
    with gateway.only(gateway.workers[1]):
        for session in others:
            assert visit(gateway, "small", old_client, session).resumed
        assert not visit(gateway, "small", old_client, oldest).resumed


def test_shared_caches_have_any_names(gateway: Site, client: SSLContext) -> None:
    """Each shared cache can be given any name: it is one cache where it is one name."""
    first = first_visit(gateway, "a name", client)
    assert resumes(gateway, "another name", client, first) == [False, False]
    assert resumes(gateway, "the same name", client, first) == [True, True]


def test_both_kinds_are_specified_at_the_same_time(
    gateway: Site, client: SSLContext
) -> None:
    """Both kinds may be given at once: ssl_session_cache builtin:1000 shared:SSL:10m"""
    first = first_visit(gateway, "both", client)
    assert resumes(gateway, "both", client, first) == [True, True]


def test_it_may_be_set_for_mail_and_for_a_server(
    gateway: Site, old_client: SSLContext
) -> None:
    """Context: mail, server."""
    inherited = first_visit(gateway, "inherited", old_client)  # mail's is off
    own = first_visit(gateway, "builtin", old_client)
    assert (inherited.session_id, len(own.session_id)) == (b"", 32)


def test_shared_without_builtin_is_more_effective(
    gateway: Site, client: SSLContext
) -> None:
    """Using shared without builtin is more effective.

    It resumes wherever a client lands, which builtin alone does not; and builtin
    beside it resumes nothing that shared would not.
    """
    effect = {
        name: sum(resumes(gateway, name, client, first_visit(gateway, name, client)))
        for name in ("builtin", "shared", "both")
    }
    assert effect == {"builtin": 1, "shared": 2, "both": 2}
