"""A process that has a part of a shared zone, and does what it is told, line by line.

Started as ``python -m tests.tls.sessions.zone_worker DIRECTORY SIZE``. LMDB's locks
are the process's, so two workers cannot be played in one.
"""

import json
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from select import select
from subprocess import PIPE, Popen
from typing import Any

from mailssl_trio.tls.sessions.shared_zone import SharedZone

ZONE = "SSL"
PATIENCE = 5.0
"""Seconds in which a worker answers that nobody holds up, on a busy machine."""
REPOSITORY = Path(__file__).parents[3]


class ZoneWorker:
    """One of them, as a test sees it."""

    def __init__(self, process: "Popen[str]") -> None:
        self.process = process

    def store(self, *ids: bytes, lifetime: float = 300, size: int = 137) -> None:
        """Have it store sessions, each made of its id."""
        self._ask("store", [i.hex() for i in ids], lifetime, size)

    def found(self, *ids: bytes) -> list[bytes]:
        """Return the ids whose sessions it finds, and that are what was stored."""
        return [bytes.fromhex(i) for i in self._ask("found", [i.hex() for i in ids])]

    def collect(self) -> None:
        self._ask("collect")

    def complaints(self) -> list[str]:
        """Return what it has had to say."""
        said: list[str] = self._ask("complaints")
        return said

    def store_without_end(self) -> None:
        """Have it store, and listen no more."""
        self._say("storm")
        self._hear()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)

    def _ask(self, *words: object) -> Any:
        self._say(*words)
        return self._hear()

    def _say(self, *words: object) -> None:
        assert self.process.stdin is not None
        print(json.dumps(words), file=self.process.stdin, flush=True)

    def _hear(self) -> Any:
        assert self.process.stdout is not None
        ready, _, _ = select([self.process.stdout], [], [], PATIENCE)
        assert ready, "the worker is held up"
        line = self.process.stdout.readline()
        assert line, f"the worker has died: {self.process.wait(PATIENCE)}"
        return json.loads(line)


@contextmanager
def zone_worker(
    directory: Path, size: int = 2**20, before: Sequence[str] = ()
) -> Iterator[ZoneWorker]:
    """Start one, and end it however it is."""
    program = [
        sys.executable,
        "-m",
        "tests.tls.sessions.zone_worker",
        str(directory),
        str(size),
    ]
    with Popen(
        [*before, *program], cwd=REPOSITORY, stdin=PIPE, stdout=PIPE, text=True
    ) as process:
        try:
            worker = ZoneWorker(process)
            worker.complaints()  # it is there
            yield worker
        finally:
            process.kill()


def session_of(session_id: bytes, size: int) -> bytes:
    return (session_id * (size // len(session_id) + 1))[:size]


def serve(directory: Path, size: int) -> None:
    """Answer every line with a line."""
    complaints: list[str] = []
    zone = SharedZone(directory, ZONE, size, complaints.append)
    for line in sys.stdin:
        answer: object = None
        match json.loads(line):
            case ["store", ids, lifetime, octets]:
                for session_id in map(bytes.fromhex, ids):
                    session = session_of(session_id, octets)
                    zone.store(session_id, session, time.time() + lifetime)
            case ["found", ids]:
                answer = [i for i in ids if _is_found(zone, bytes.fromhex(i))]
            case ["collect"]:
                zone.collect()
            case ["complaints"]:
                answer = complaints
            case ["storm"]:
                print("null", flush=True)
                _storm(zone)
        print(json.dumps(answer), flush=True)


def _is_found(zone: SharedZone, session_id: bytes) -> bool:
    session = zone.lookup(session_id)
    if session is None:
        return False
    assert session == session_of(session_id, len(session)), "not what was stored"
    return True


def _storm(zone: SharedZone) -> None:
    number = 0
    while True:
        number += 1
        session_id = number.to_bytes(32)
        zone.store(session_id, session_of(session_id, 200), time.time() + 300)
        zone.lookup((number * 7).to_bytes(32))


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
