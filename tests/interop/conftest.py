"""What runs once for all: the embedded gateway, the real servers, a gateway of them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.interop.backends import PROXY_SSL, Backends
from tests.interop.certificates import issue
from tests.interop.dovecot import dovecot
from tests.interop.fronts import FRONTS
from tests.interop.gateway import (
    SECURITIES,
    Doors,
    Security,
    mail_table,
    serving,
    shipped,
)
from tests.interop.machine import public_directory
from tests.interop.postfix import postfix
from tests.interop.report import pytest_runtest_makereport

__all__ = ["pytest_runtest_makereport"]  # pytest finds its hooks here


@pytest.fixture(scope="session")
def premises() -> Iterator[Path]:
    """Make a directory that servers may enter who are not who runs the tests."""
    with public_directory() as directory:
        yield directory


@pytest.fixture(scope="session")
def embedded(premises: Path) -> Iterator[Doors]:
    """Run the shipped configuration."""
    directory = premises / "embedded"
    directory.mkdir()
    with shipped(directory) as (_, doors):
        yield doors


@pytest.fixture(scope="session")
def backends(premises: Path) -> Iterator[Backends]:
    """Run Dovecot and Postfix."""
    pair = issue(premises / "backends", "localhost", "127.0.0.1")
    for name in ("dovecot", "postfix"):
        (premises / name).mkdir()
    with (
        dovecot(premises / "dovecot", pair) as accounts,
        postfix(premises / "postfix", pair, accounts) as submission,
    ):
        yield Backends(accounts, submission, pair)


@pytest.fixture(scope="session")
def relaying(premises: Path, backends: Backends) -> Iterator[Mapping[str, Doors]]:
    """Run a gateway in front of them, with doors for each value of proxy_ssl."""
    directory = premises / "relaying"
    directory.mkdir()
    ca = directory / "var/tls/ca.pem"
    doors = {proxy_ssl: Doors.anywhere(ca) for proxy_ssl in PROXY_SSL}
    servers = [
        server
        for proxy_ssl, each in doors.items()
        for server in backends.behind(each, proxy_ssl)
    ]
    with serving(directory, mail_table(*servers)):
        yield doors


@pytest.fixture(params=FRONTS)
def doors(request: pytest.FixtureRequest) -> Doors:
    """Lead to the embedded mailbox, and to Dovecot and Postfix in each manner."""
    if request.param == "embedded":
        embedded: Doors = request.getfixturevalue("embedded")
        return embedded
    relaying: Mapping[str, Doors] = request.getfixturevalue("relaying")
    return relaying[request.param]


@pytest.fixture(params=SECURITIES)
def security(request: pytest.FixtureRequest) -> Security:
    """Begin TLS in-line, and with the first octet."""
    way: Security = request.param
    return way
