"""What holds for every test."""

from collections.abc import Iterator

import pytest

from tests.wire_pair import OPENED


@pytest.fixture(autouse=True)
def connections_are_closed() -> Iterator[None]:
    """Close what a test has connected, and nobody else had to."""
    yield
    while OPENED:
        OPENED.pop().socket.close()
