"""Standard error: for people, for the journal, and for readers that stand still."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from mailssl_trio.logs.lines import LEVELS, Line, Style
from mailssl_trio.logs.standard_error import StandardError, leads_to_journal


@contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    """Open a pipe: the end to read from, and the other."""
    ends = os.pipe()
    try:
        yield ends
    finally:
        for end in ends:
            os.close(end)


@contextmanager
def journal() -> Iterator[tuple[int, StandardError]]:
    """Stand where systemd has connected standard error with its journal."""
    with pipe() as (theirs, ours):
        found = os.fstat(ours)
        stream = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        yield theirs, StandardError(ours, stream)


def test_line_for_people_has_its_time() -> None:
    with pipe() as (theirs, ours):
        assert StandardError(ours).write(Line("info", "hello")) is None
        line = os.read(theirs, 4096).decode()
    assert re.fullmatch(r"\d{4}/\d\d/\d\d [\d:]{8} \[info\] \d+#\d+: hello\n", line)


@pytest.mark.parametrize("other", ["", "1:2", "x"])
def test_another_stream_of_the_journals_is_not_ours(other: str) -> None:
    with pipe() as (_, ours):
        assert not leads_to_journal(ours, {"JOURNAL_STREAM": other})
        assert not leads_to_journal(ours, {})
    assert not leads_to_journal(-1, {"JOURNAL_STREAM": "1:2"})


@pytest.mark.parametrize(
    ("level", "priority"), list(zip(reversed(LEVELS), range(8), strict=True))
)
def test_line_for_the_journal_has_its_priority_and_no_time(
    level: str, priority: int
) -> None:
    with journal() as (theirs, log):
        log.write(Line(level, "hello"))
        line = os.read(theirs, 4096).decode()
    assert re.fullmatch(rf"<{priority}>\[{level}\] \d+#\d+: hello\n", line)


def test_each_line_of_a_traceback_has_its_priority() -> None:
    with journal() as (theirs, log):
        log.write(Line("crit", "internal error\n Traceback\n   ValueError"))
        lines = os.read(theirs, 4096).decode().splitlines()
    assert [line[:3] for line in lines] == ["<2>"] * 3
    assert lines[1:] == ["<2> Traceback", "<2>   ValueError"]


@pytest.mark.parametrize("style", [Style.SYSLOG, Style.BARE])
def test_line_of_an_access_log_is_bare_in_the_journal(style: Style) -> None:
    with journal() as (theirs, log):
        log.write(Line("info", "imap-login: Login: …", style))
        assert os.read(theirs, 4096).decode() == "<6>imap-login: Login: …\n"


def fill(log: StandardError) -> list[str]:
    """Write until it has been said, and 10 lines more; return all that is said."""
    said: list[str] = []
    while not said:
        said += _say(log)
    for _ in range(10):
        said += _say(log)
    return said


def _say(log: StandardError) -> list[str]:
    trouble = log.write(Line("info", "x" * 10_000, Style.BARE))
    return [] if trouble is None else [trouble.text]


def drain(end: int) -> bytes:
    """Read all that is in a pipe by now."""
    os.set_blocking(end, False)
    received = b""
    with suppress(BlockingIOError):
        while True:
            received += os.read(end, 65536)
    return received


def test_reader_that_stands_still_loses_lines_and_holds_nobody_up_for_long() -> None:
    with pipe() as (theirs, ours):
        log = StandardError(ours)
        assert fill(log) == ["stderr takes no lines, they are lost"]
        received = drain(theirs)
        assert _say(log) == ["stderr takes lines again, 11 were lost"]
        received += drain(theirs)
    lines = received.split(b"\n")
    assert {len(line) for line in lines} == {10_000, 0}  # and none is torn


def test_reader_that_has_gone_costs_lines_and_nothing_else() -> None:
    theirs, ours = os.pipe()
    os.close(theirs)
    log = StandardError(ours)
    assert _say(log) == ["stderr takes no lines, they are lost"]
    assert _say(log) == []
    os.close(ours)


def test_descriptor_that_is_closed_costs_lines_and_nothing_else(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    log = StandardError(descriptor)
    os.close(descriptor)
    assert _say(log) == ["stderr takes no lines, they are lost"]
