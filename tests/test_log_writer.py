"""Lines go to every target of their chain, each with a level of its own."""

from pathlib import Path

import pytest

from mailssl_trio.log_writer import ErrorLog
from mailssl_trio.logs import open_logs


def levels(target: Path) -> list[str]:
    """Return the messages that a target got."""
    return [line.rpartition(" ")[2] for line in target.read_text().splitlines()]


def test_each_target_takes_what_is_of_its_level(tmp_path: Path) -> None:
    much, little = tmp_path / "much", tmp_path / "little"
    with open_logs((ErrorLog(much, "info"), ErrorLog(little, "error"))) as log:
        for level in ("debug", "info", "error"):
            log.write(level, level)
    assert levels(much) == ["info", "error"]
    assert levels(little) == ["error"]


def test_server_with_targets_of_its_own_has_no_others(tmp_path: Path) -> None:
    whole, own = tmp_path / "whole", tmp_path / "own"
    chain = (ErrorLog(own, "info"),)
    with open_logs((ErrorLog(whole, "info"),), others=[chain]) as log:
        log.write("info", "whole")
        log.errors_of(chain).write("info", "own")
        log.errors_of(()).write("info", "inherited")
    assert levels(whole) == ["whole", "inherited"]
    assert levels(own) == ["own"]


def test_target_of_several_chains_gets_whole_lines_of_all(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    chain = (ErrorLog(shared, "error"), ErrorLog(tmp_path / "own"))
    with open_logs((ErrorLog(shared, "info"),), others=[chain]) as log:
        for number in range(100):
            log.write("info", f"a{number}")
            log.errors_of(chain).write("error", f"b{number}")
            log.errors_of(chain).write("info", "c")
    told = [text for n in range(100) for text in (f"a{n}", f"b{n}")]
    assert levels(shared) == told


def test_file_that_may_not_be_opened_is_named_and_nothing_stays_open(
    tmp_path: Path,
) -> None:
    chain = (ErrorLog(tmp_path / "here"), ErrorLog(tmp_path / "nowhere" / "log"))
    with pytest.raises(OSError, match="nowhere/log"), open_logs(chain):
        pass
