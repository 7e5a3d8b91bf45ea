"""docs/security.md and the tables speak of the same threats."""

import re
from pathlib import Path

import pytest

from tests.hostile.tables import PROTOCOLS, all_cases

ROOT = Path(__file__).parents[2]

PAGE = (ROOT / "docs" / "security.md").read_text()

SECTION = re.compile(r"^### (\S+)\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)

THREATS = {found[1]: found[2] for found in SECTION.finditer(PAGE)}

CASES = [case for protocol in PROTOCOLS for case in all_cases(protocol)]


def test_every_threat_of_the_tables_is_told_of() -> None:
    assert {case.threat for case in CASES} <= set(THREATS)


@pytest.mark.parametrize("threat", THREATS)
def test_every_threat_has_cases_or_a_test_of_its_own(threat: str) -> None:
    has_cases = any(case.threat == threat for case in CASES)
    assert has_cases or re.search(r"`tests/\S+\.py`", THREATS[threat])


def test_every_file_that_is_named_exists() -> None:
    named = re.findall(r"`((?:tests|mailssl_trio|scripts)/[^`*]+)`", PAGE)
    assert len(named) > 20
    assert not [name for name in named if not (ROOT / name).exists()]


def test_every_case_says_by_which_rule_its_outcome_is_right() -> None:
    for case in CASES:
        anchors = re.findall(r"docs/security\.md#([\w-]+)", case.cites)
        assert re.search(r"RFC [0-9]+", case.cites) or anchors, case
        assert set(anchors) <= set(THREATS), case
