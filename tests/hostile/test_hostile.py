"""Every case of the hostile tables, against the gateway itself, in virtual time."""

from collections.abc import Mapping
from functools import cache, partial
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import trio
from trio.testing import MockClock

from tests.hostile.memory import standing
from tests.hostile.tables import PROTOCOLS, Case, all_cases, sample

FEWEST = 150
"""Cases of a protocol, of which each is played in clear, in TLS, or in both."""

SECRETS = (b"secret", b"c2VjcmV0", b"t0ken")

CASES = {protocol: all_cases(protocol) for protocol in PROTOCOLS}


@cache
def verdicts(protocol: str) -> Mapping[Case, list[str]]:
    """Play all cases of a protocol, one after the other; return what went wrong."""
    wrong: dict[Case, list[str]] = {}

    async def play(directory: Path) -> None:
        async with standing(directory) as stand:
            for case, plays in sample(CASES[protocol]):
                wrong[case] = await stand.verdicts(plays)

    with TemporaryDirectory() as directory:
        clock = MockClock(autojump_threshold=0)
        trio.run(partial(play, Path(directory)), clock=clock)
        log = (Path(directory) / "log").read_bytes()
    assert b"Traceback" not in log
    assert not [secret for secret in SECRETS if secret in log]
    return wrong


@pytest.mark.parametrize("case", [*chain.from_iterable(CASES.values())], ids=str)
def test_nothing_comes_of_it(case: Case) -> None:
    assert "\n".join(verdicts(case.protocol)[case]) == ""


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_there_are_enough_of_them(protocol: str) -> None:
    assert len(CASES[protocol]) >= FEWEST
