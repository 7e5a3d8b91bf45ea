"""A directory for nginx.conf."""

from pathlib import Path

import pytest

from tests.config.nginx.site import Site


@pytest.fixture
def nginx(tmp_path: Path) -> Site:
    return Site(tmp_path)
