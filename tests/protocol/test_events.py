"""The vocabulary: what is a question, and what the log reads of an ending."""

import pytest

from mailssl_trio.protocol.credentials import Password, Reason, Rejected
from mailssl_trio.protocol.events import (
    NEED_DATA,
    Authenticate,
    Closed,
    Event,
    Goodbye,
    LoggedIn,
    NeedData,
    Question,
    Refused,
    StartTls,
    TlsInfo,
)


@pytest.mark.parametrize(
    "event", [StartTls(), Authenticate(Password(b"joe", b"tanstaaf"))]
)
def test_what_waits_for_an_answer_is_a_question(event: Event) -> None:
    assert isinstance(event, Question)


@pytest.mark.parametrize(
    "event",
    [
        NEED_DATA,
        LoggedIn(),
        Refused(Rejected(Reason.UNAVAILABLE)),
        Closed(Goodbye.QUIT),
    ],
)
def test_what_is_only_told_is_none(event: Event) -> None:
    assert not isinstance(event, Question)


def test_events_are_equal_by_what_they_say() -> None:
    assert NeedData() == NEED_DATA
    assert TlsInfo("TLSv1.3") == TlsInfo("TLSv1.3", "", None)
    assert Closed(Goodbye.QUIT) != Closed(Goodbye.BUSY)


@pytest.mark.parametrize("reason", Goodbye)
def test_an_ending_fits_into_a_line_of_the_log(reason: Goodbye) -> None:
    assert reason.value.isprintable()
    assert reason.value


def test_no_two_endings_read_alike() -> None:
    assert len({reason.value for reason in Goodbye}) == len(Goodbye)
