"""Every short conversation that a lying backend can have with a client session."""

from collections.abc import Mapping

import pytest

from tests.exhaustive.search import search, verdict
from tests.exhaustive.worlds import CLIENT_WORLDS


def lengths(protocol: str, *, longer: int = 0) -> Mapping[str, int]:
    """Return how far to go; STARTTLS costs one utterance before there is a login."""
    return {
        title: 4 + ("STARTTLS" in title) + longer
        for title in CLIENT_WORLDS
        if title.startswith(protocol)
    }


PROTOCOLS = pytest.mark.parametrize("protocol", ["POP3", "SMTP", "IMAP"])


@PROTOCOLS
def test_every_short_conversation_with_a_lying_backend_keeps_the_laws(
    protocol: str,
) -> None:
    assert verdict(search(lengths(protocol))) == ""


@pytest.mark.exhaustive
@PROTOCOLS
def test_every_longer_conversation_with_a_lying_backend_keeps_the_laws(
    protocol: str,
) -> None:
    assert verdict(search(lengths(protocol, longer=1))) == ""
