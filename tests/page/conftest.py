"""What all these tests may need: a gateway that is told nothing but where to listen."""

from collections.abc import Iterator

import pytest

from tests.interop.report import pytest_runtest_makereport
from tests.page.site import Site, site

__all__ = ["pytest_runtest_makereport"]  # pytest finds its hooks here


@pytest.fixture(scope="session")
def default(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Run servers whose directives have their defaults, all but what they must."""
    servers = {
        "nothing": {},
        "nothing of pop3": {"protocol": "pop3"},
        "nothing of smtp": {"protocol": "smtp"},
        "ssl on": {"ssl": "on"},
        "builtin": {"ssl": "on", "ssl_session_cache": "builtin"},
    }
    with site(tmp_path_factory.mktemp("default"), servers) as running:
        yield running
