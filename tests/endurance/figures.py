"""What a process holds, as proc(5) tells it; and a table of such things."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from attrs import frozen

GONE = (FileNotFoundError, ProcessLookupError, PermissionError)


@frozen
class Held:
    """Descriptors, threads, and memory in MB: one's own share, and all in RAM."""

    descriptors: int = 0
    threads: int = 0
    pss: float = 0.0
    rss: float = 0.0

    def __add__(self, other: "Held") -> "Held":
        return Held(
            self.descriptors + other.descriptors,
            self.threads + other.threads,
            self.pss + other.pss,
            self.rss + other.rss,
        )


def held_by(pids: Iterable[int]) -> Held:
    """Add up what processes hold; those that have ended hold nothing."""
    total = Held()
    for pid in pids:
        with suppress(*GONE):
            total += _held(Path(f"/proc/{pid}"))
    return total


def _held(process: Path) -> Held:
    memory = _numbers(process / "smaps_rollup")
    return Held(
        len(list((process / "fd").iterdir())),
        _numbers(process / "status")["Threads"],
        memory["Pss"] / 1024,
        memory["Rss"] / 1024,
    )


def _numbers(file: Path) -> dict[str, int]:
    words = (line.split() for line in file.read_text().splitlines())
    return {
        name.rstrip(":"): int(number)
        for name, number, *_ in (each for each in words if len(each) > 1)
        if number.isdigit()
    }


def print_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print columns, words to the left and numbers to the right."""
    rows = [list(row) for row in rows]
    columns = []
    for title, *cells in zip(head, *rows, strict=True):
        shown = [str(title), *map(_shown, cells)]
        width = max(map(len, shown))
        align = str.ljust if isinstance(cells[0], str) else str.rjust
        columns.append([align(cell, width) for cell in shown])
    for line in zip(*columns, strict=True):
        print("  ".join(line).rstrip(), flush=True)


def _shown(cell: object) -> str:
    return f"{cell:,.1f}" if isinstance(cell, float) else f"{cell}"
