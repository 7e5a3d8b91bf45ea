"""Every short conversation that a mail client can have with a server session."""

import pytest

from tests.exhaustive.search import search, verdict
from tests.exhaustive.worlds import SERVER_WORLDS


def test_every_conversation_of_four_utterances_keeps_the_laws() -> None:
    assert verdict(search(dict.fromkeys(SERVER_WORLDS, 4))) == ""


def test_every_conversation_of_three_out_of_more_words_keeps_the_laws() -> None:
    assert verdict(search(dict.fromkeys(SERVER_WORLDS, 3), with_more=True)) == ""


@pytest.mark.exhaustive
def test_every_conversation_of_five_utterances_keeps_the_laws() -> None:
    assert verdict(search(dict.fromkeys(SERVER_WORLDS, 5))) == ""
