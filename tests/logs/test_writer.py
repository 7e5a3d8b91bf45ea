"""Lines go to every target of their chain, each with a level of its own."""

import os
import threading
import time
from pathlib import Path

import pytest

from mailssl_trio.logs.access_log import AccessLog
from mailssl_trio.logs.lines import Line
from mailssl_trio.logs.opening import open_logs
from mailssl_trio.logs.writer import LAST_LINES, QUEUED_LINES, ErrorLog, LogWriter
from tests.interop.machine import PATIENCE, need_root, until


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


class Hanging:
    """A disk that hangs until it is told to go on."""

    fails = False

    def __init__(self) -> None:
        self.goes_on = threading.Event()
        self.began = threading.Event()
        self.closed = threading.Event()
        self.lines: list[str] = []

    def write(self, line: Line) -> Line | None:
        """Take a line, when that is possible."""
        self.began.set()
        self.goes_on.wait(PATIENCE)
        self.lines.append(line.text)
        return None

    def reopen(self) -> None:
        """Go on."""

    def close(self) -> None:
        """Let go."""
        self.closed.set()


def hanging() -> tuple[LogWriter, Hanging]:
    """Have a writer stand before a disk that hangs, with a line in its hands."""
    writer, disk = LogWriter([None], [None]), Hanging()
    writer.sinks[None] = disk
    writer.put([None], Line("info", "first"))
    assert disk.began.wait(PATIENCE)
    return writer, disk


def test_disk_that_hangs_costs_lines_that_are_counted_and_nobody_waits() -> None:
    writer, disk = hanging()
    began = time.monotonic()
    for number in range(QUEUED_LINES + 5):
        writer.put([None], Line("info", str(number)))
    assert time.monotonic() - began < 1
    disk.goes_on.set()
    writer.close()
    assert len(disk.lines) == 1 + QUEUED_LINES + 1
    assert disk.lines[:2] == ["first", "0"]
    assert disk.lines[-1] == "5 log lines were dropped"


@pytest.mark.parametrize("lines", [1, QUEUED_LINES + 1])
def test_disk_that_hangs_delays_an_end_by_little(lines: int) -> None:
    writer, disk = hanging()
    for _ in range(lines):
        writer.put([None], Line("info", "x"))
    began = time.monotonic()
    writer.close()
    assert LAST_LINES - 0.1 < time.monotonic() - began < LAST_LINES + 1
    disk.goes_on.set()
    until(disk.closed.is_set, "the end of the thread")


def test_trouble_with_the_access_log_is_told_in_the_error_log(tmp_path: Path) -> None:
    error, access = tmp_path / "error", (AccessLog(Path("/dev/full")),)
    with open_logs((ErrorLog(error),), access) as logs:
        for _ in range(3):
            logs.writer.put([Path("/dev/full")], Line("info", "x"))
    (line,) = error.read_text().splitlines()
    assert "[alert]" in line
    assert "/dev/full takes no lines, they are lost: No space left" in line


def test_trouble_with_the_only_log_is_told_on_standard_error(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with open_logs((ErrorLog(Path("/dev/full"), "info"),)) as logs:
        logs.write("info", "x")
        logs.write("info", "x")
    assert capfd.readouterr().err.count("/dev/full takes no lines") == 1


def test_reopened_file_is_another_one_and_lines_before_it_are_in_the_old(
    tmp_path: Path,
) -> None:
    log, old = tmp_path / "log", tmp_path / "log.1"
    with open_logs((ErrorLog(log, "info"),)) as logs:
        logs.write("info", "before")
        until(lambda: "before" in log.read_text(), "a line")
        log.rename(old)
        logs.write("info", "still")
        until(lambda: "still" in old.read_text(), "another line")
        logs.reopen()
        until(log.exists, "another file")
        logs.write("info", "behind")
    assert levels(old) == ["before", "still"]
    assert levels(log)[-1] == "behind"


def test_file_that_cannot_be_reopened_goes_on_and_that_is_told_once(
    tmp_path: Path,
) -> None:
    directory, moved = tmp_path / "here", tmp_path / "there"
    directory.mkdir()
    with open_logs((ErrorLog(directory / "log", "info"),)) as logs:
        directory.rename(moved)
        logs.reopen()
        logs.write("info", "on")
    told = (moved / "log").read_text()
    assert told.count("is not reopened, the old file goes on: No such file") == 1
    assert told.endswith(": on\n")


def test_many_who_ask_for_other_files_at_once_get_them_once_or_more(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    with open_logs((ErrorLog(log, "warn"),)) as logs:
        for number in range(1000):
            logs.reopen()
            logs.write("warn", str(number))
    assert levels(log) == [str(number) for number in range(1000)]


@pytest.mark.parametrize("owner", ["root", "who may write to the directory"])
def test_root_follows_no_link_but_roots(tmp_path: Path, owner: str) -> None:
    need_root("being root")
    precious, link = tmp_path / "precious", tmp_path / "log"
    precious.write_text("")
    link.symlink_to(precious)
    if owner == "root":
        with open_logs((ErrorLog(link),)) as log:
            log.write("error", "written")
        assert precious.read_text().endswith("written\n")
        return
    os.chown(link, 65534, 65534, follow_symlinks=False)
    refused = pytest.raises(OSError, match="link of somebody who is not root")
    with refused, open_logs((ErrorLog(link),)):
        pass
    link.unlink()
    with open_logs((ErrorLog(link),)) as log:  # nor when it comes to be one meanwhile
        link.unlink()
        link.symlink_to(precious)
        os.chown(link, 65534, 65534, follow_symlinks=False)
        log.reopen()
        log.write("error", "not there")
    assert precious.read_text() == ""


def test_thread_does_not_outlive_its_logs(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with open_logs((ErrorLog(tmp_path / "log"),)):
        (thread,) = set(threading.enumerate()) - before
    assert not thread.is_alive()


def test_clock_that_jumps_is_in_the_lines_and_nowhere_else(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with open_logs((ErrorLog(log, "info"),)) as logs:
        for at in (0.0, 2.0**33, 1.0):
            logs.writer.put([log], Line("info", "x", at=at))
    assert len(levels(log)) == 3
