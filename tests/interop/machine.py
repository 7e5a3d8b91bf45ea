"""What these tests need of the machine: ports, programs, and time that passes."""

import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

SYSTEM_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"

OPTIONAL = frozenset(
    line
    for line in (Path(__file__).parent / "optional_witnesses.txt")
    .read_text()
    .splitlines()
    if not line.startswith("#")
)

BELOW_EPHEMERAL = range(15_000, 30_000)
"""Where no outgoing connection takes a port before its owner has bound it."""

PATIENCE = 20.0
"""Seconds that anything here may take before a test gives it up."""


def _free_ports() -> Iterator[int]:
    start = random.randrange(len(BELOW_EPHEMERAL))
    for port in (*BELOW_EPHEMERAL[start:], *BELOW_EPHEMERAL[:start]):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        yield port


_PORTS = _free_ports()


def free_port() -> int:
    """Return a loopback port that nobody has, and that is given to nobody else."""
    return next(_PORTS)


def find_program(name: str) -> str:
    """Return the program's file; the test is skipped, or fails in CI, without it."""
    found = shutil.which(name, path=SYSTEM_PATH)
    if found is None:
        do_without(name)
    return str(found)


def need_root(why: str) -> None:
    """Skip, or fail in CI, what only root can start."""
    if os.geteuid() != 0:
        do_without(f"root (for {why})")


def do_without(name: str) -> None:
    """Skip in one line that names what is missing; CI has to have it."""
    if os.environ.get("CI") == "true" and name not in OPTIONAL:
        pytest.fail(f"{name} is not here, and CI=true", pytrace=False)
    pytest.skip(f"{name} is not here")


@contextmanager
def public_directory() -> Iterator[Path]:
    """Make a directory that servers may enter who are not who runs the tests."""
    with tempfile.TemporaryDirectory(prefix="mailssl-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        yield directory


def until(condition: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    """Look again and again until something that happens elsewhere has happened."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.02)


def listens(port: int) -> bool:
    """Whether somebody accepts connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def run(
    *command: str | Path,
    stdin: bytes = b"",
    home: Path | None = None,
    expect: int | None = 0,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    patience: float = 2 * PATIENCE,
) -> str:
    """Run a program to its end; return all it said, on both its outputs."""
    program = find_program(str(command[0]))
    surroundings = {**os.environ, "LC_ALL": "C.UTF-8", **(environment or {})}
    if home is not None:
        surroundings["HOME"] = str(home)
    done = subprocess.run(
        [program, *map(str, command[1:])],
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=surroundings,
        cwd=cwd,
        timeout=patience,
        check=False,
    )
    said = done.stdout.decode("utf-8", "replace")
    assert expect is None or done.returncode == expect, (
        f"{command[0]} ended with {done.returncode}:\n{said}"
    )
    return said
