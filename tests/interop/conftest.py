"""What runs once for all: the embedded gateway, the real servers, a gateway of them."""

import shutil
import tempfile
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path

import pytest

from tests.interop.backends import PROXY_SSL, Backends
from tests.interop.background import Background
from tests.interop.certificates import issue
from tests.interop.dovecot import dovecot
from tests.interop.fronts import FRONTS
from tests.interop.gateway import SECURITIES, Doors, Security, mail_table, serving
from tests.interop.gateway import shipped as serving_shipped
from tests.interop.postfix import postfix


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failure what the programs had to say."""
    report = yield
    if report.failed:
        for program in Background.RUNNING:
            report.sections.append((f"log of {program.name}", program.logged()[-8000:]))
    return report


@pytest.fixture(scope="session")
def premises() -> Iterator[Path]:
    """Make a directory that servers may enter who are not who runs the tests."""
    directory = Path(tempfile.mkdtemp(prefix="mailssl-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def embedded(premises: Path) -> Iterator[Doors]:
    """Run the shipped configuration."""
    directory = premises / "embedded"
    directory.mkdir()
    with serving_shipped(directory) as doors:
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
