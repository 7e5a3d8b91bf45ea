"""What a generation does where no process is needed to see it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mailssl_trio.supervision.command import command, environment
from mailssl_trio.supervision.death import Death
from mailssl_trio.supervision.generation import (
    LONGEST_ABSENCE,
    LONGEST_PAUSE,
    pause_after,
)

CHECKOUT = Path(__file__).parents[2]


def test_first_death_is_followed_at_once_and_others_ever_later() -> None:
    pauses = [pause_after(deaths, has_served=False) for deaths in range(1, 8)]
    assert pauses == [0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2]
    for deaths in (20, 10**6):
        assert pause_after(deaths, has_served=False) == LONGEST_PAUSE


def test_whoever_kills_workers_that_serve_does_not_shut_the_door_for_long() -> None:
    pauses = [pause_after(deaths, has_served=True) for deaths in range(1, 9)]
    assert pauses == [0, 0.1, 0.2, 0.4, 0.8, 1.6, LONGEST_ABSENCE, LONGEST_ABSENCE]


@pytest.mark.parametrize(
    ("death", "text"),
    [
        (Death(123, -9), "worker process 123 exited on signal 9"),
        (Death(123, 1), "worker process 123 exited with code 1"),
        (Death(7, 1, "why"), "worker process 7 exited with code 1 (why)"),
    ],
)
def test_words_for_a_death(death: Death, text: str) -> None:
    assert str(death) == text


@pytest.mark.parametrize(
    ("code", "is_fault"),
    [
        (-signal.SIGSEGV, True),
        (-signal.SIGBUS, True),
        (-signal.SIGABRT, True),
        (-signal.SIGKILL, False),
        (signal.SIGSEGV, False),
        (0, False),
    ],
)
def test_some_deaths_cast_doubt_on_shared_memory(code: int, is_fault: bool) -> None:
    assert Death(1, code).is_fault is is_fault


def test_command_line_says_nothing_but_where_the_channel_is() -> None:
    assert command(7)[-3:] == ["worker", "--channel", "7"]
    assert command(7)[0] == sys.executable


@pytest.mark.parametrize("given", [None, "/elsewhere"])
def test_package_is_found_from_anywhere(tmp_path: Path, given: str | None) -> None:
    """Also where the working directory holds what only looks like it."""
    (tmp_path / "mailssl_trio.py").write_text("raise SystemExit('an impostor')")
    (tmp_path / "trio.py").write_text("raise SystemExit('an impostor')")
    own = {**os.environ, **({} if given is None else {"PYTHONPATH": given})}
    interpreter, safe, *_ = command(7)
    script = "import mailssl_trio, sys; print(mailssl_trio.__file__, sys.path)"
    done = subprocess.run(
        [interpreter, safe, "-c", f"import trio; {script}"],
        cwd=tmp_path,
        env=environment(own),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(str(CHECKOUT / "mailssl_trio" / "__init__.py"))
    assert given is None or given in done.stdout
