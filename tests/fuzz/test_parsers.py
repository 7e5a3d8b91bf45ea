"""Whatever they are given, parsers and sessions keep what is promised of them."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

MANY = 1_000_000
FEW = 120
LONG = 20_000

every_target = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)


def inputs(target: Target) -> st.SearchStrategy[bytes]:
    """Return inputs out of what means something to a parser, and out of noise."""
    pieces = [st.binary(max_size=12), st.sampled_from(target.seeds)]
    if target.words:
        pieces.append(st.sampled_from(target.words))
    return st.lists(st.one_of(pieces), max_size=10).map(b"".join)


@every_target
def test_what_is_kept_in_the_corpus_keeps_the_law(target: Target) -> None:
    for seed in target.seeds:
        target.law(seed)


@every_target
def test_every_beginning_of_what_is_kept_keeps_the_law(target: Target) -> None:
    shortest = min(target.seeds, key=len)[:200]
    for end in range(len(shortest)):
        target.law(shortest[:end])


@every_target
@pytest.mark.parametrize("word", [b"x", b"("])
def test_what_goes_on_and_on_takes_no_more_time_than_its_length(
    target: Target, word: bytes
) -> None:
    for seed in target.seeds:
        target.law_in_time(seed.rstrip(b"\r\n") + word * LONG)


@every_target
def test_mutations_keep_the_law(target: Target) -> None:
    for octets in target.mutations(0, FEW):
        target.law_in_time(octets)


@every_target
def test_anything_keeps_the_law(target: Target) -> None:
    @settings(
        max_examples=FEW,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(inputs(target))
    def keeps_the_law(octets: bytes) -> None:
        target.law(octets)

    keeps_the_law()


@pytest.mark.fuzz
@every_target
def test_a_million_mutations_keep_the_law(target: Target) -> None:
    for octets in target.mutations(1, MANY):
        target.law_in_time(octets)
