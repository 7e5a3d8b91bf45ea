"""Programs that run beside the tests: started, awaited, and always ended."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from attrs import define

from tests.interop.machine import PATIENCE, find_program, listens, until


@define
class Background:
    """A program that runs, what it has said, and how to end it."""

    RUNNING: ClassVar[list["Background"]] = []
    """Those whose words are shown when a test fails."""

    name: str
    process: subprocess.Popen[bytes]
    stdout: Path
    log: Path

    def said(self) -> str:
        """Return what stands on standard output by now."""
        return self.stdout.read_text("utf-8", "replace")

    def logged(self) -> str:
        """Return what stands in the log by now."""
        if not self.log.exists():
            return ""
        return self.log.read_text("utf-8", "backslashreplace")

    def await_words(self, words: str) -> None:
        """Wait until it has said something on standard output, or has ended."""
        until(
            lambda: words in self.said() or self.process.poll() is not None,
            f"{self.name} says {words!r}",
        )
        assert words in self.said(), f"{self.name} ended:\n{self.logged()}"

    def await_ports(self, *ports: int) -> None:
        """Wait until it listens everywhere, or has ended."""
        until(
            lambda: all(map(listens, ports)) or self.process.poll() is not None,
            f"{self.name} listens on {ports}",
        )
        assert self.process.poll() is None, f"{self.name} ended:\n{self.logged()}"

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program itself."""
        self.process.send_signal(number)

    def wait(self, seconds: float = PATIENCE) -> int:
        """Wait for its end; return its exit code."""
        return self.process.wait(seconds)

    def stop(self) -> int:
        """Ask it to stop, and return its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()


@contextmanager
def background(
    name: str,
    command: list[str | Path],
    directory: Path,
    *,
    log: Path | None = None,
    environment: Mapping[str, str] | None = None,
    user: int | None = None,
) -> Iterator[Background]:
    """Run a program in a directory and a process group of its own."""
    stdout, stderr = directory / f"{name}.stdout", directory / f"{name}.stderr"
    with stdout.open("wb") as out, stderr.open("wb") as err:
        process = subprocess.Popen(
            [find_program(str(command[0])), *map(str, command[1:])],
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env={**os.environ, **(environment or {})},
            process_group=0,
            user=user,
        )
    program = Background(name, process, stdout, log or stderr)
    Background.RUNNING.append(program)
    try:
        yield program
    finally:
        _end(process)
        Background.RUNNING.remove(program)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what is left of it: it has had its chance to stop in good order."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
