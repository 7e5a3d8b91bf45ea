"""All figures that a gateway is measured by, one after the other, in one table.

What each program prints is kept whole, a file each, in the directory that is named at
the end.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp

from attrs import frozen

from tests.endurance.figures import print_table

ROOT = Path(__file__).parents[2]
PYTEST = ("scripts/test", "-q", "--no-header")
COUNT = r"\d+ passed.*"


@frozen
class Figure:
    """One measure: what is run, and which lines of what it says are the figure."""

    number: str
    what: str
    target: str
    command: Sequence[str]
    quick: Sequence[str]
    """What is run where there is little time."""
    lines: str = COUNT
    """A pattern; every match is a part of the figure."""
    hours: float = 1.0
    """It is ended after so long."""


def tests(*names: str) -> tuple[str, ...]:
    """Return the command that runs some tests."""
    return (*PYTEST, *names)


def twice(command: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Run the same thing whether there is time or not."""
    return command, command


FIGURES = (
    Figure(
        "1, 2", "idle sessions held, logins beside them",
        "0 lost; NOOP p99 < 50 ms; <= 1.1 times",
        ("scripts/hold-idle", "9000", "600"), ("scripts/hold-idle", "1000", "20"),
        r"(?m)^(?:\d+ held|NOOP p99|login with|memory of).*",
    ),
    Figure(
        "3, 4", "reloads and kills under load", "0 refused; lost: the dead worker's",
        ("scripts/kill-and-reload", "2000"), ("scripts/kill-and-reload", "200"),
        r"(?m)^(?:10 reloads|kill -9).*",
    ),
    Figure(
        "5", "backends killed, cut, hanging", "client answered in time",
        *twice(tests("tests/test_gateway.py", "tests/interop", "-k",
                      "backend_that or cut or hang or reset or tls_at_backends")),
    ),
    Figure(
        "6", "auth server hangs, resets, lies", "as 5",
        *twice(tests("tests/auth", "tests/test_auth_http.py")),
    ),
    Figure(
        "7", "descriptors run out", "back within 1 s, no busy loop",
        *twice(tests("-s", "tests/process/test_descriptors.py")),
        r"busy \d+%.*",
    ),
    Figure(
        "8", "soak", "flat; memory within 5 %",
        ("scripts/soak", "30"), ("scripts/soak", "2"), r"(?m)^.*(?:flat|GROWN)$",
    ),
    Figure(
        "9", "network fuzz", "0 hangs, 0 tracebacks",
        ("scripts/fuzz-network", "300000"), ("scripts/fuzz-network", "--quick"),
        r"(?m)^.*$", hours=4,
    ),
    Figure(
        "9", "parsers, 10^6 inputs each", "0 failures",
        ("scripts/fuzz-parsers",), tests("tests/fuzz"), r"(?m)^.*$", hours=6,
    ),
    Figure(
        "10", "hostile tables", "every case answered or closed in time",
        *twice(("scripts/hostile",)), r"(?m)^.*$",
    ),
    Figure(
        "11", "slow and silent clients", "all cut off in time; login p95 <= 3 times",
        ("scripts/slow-clients", "500"), ("scripts/slow-clients", "90"),
        r"login p95.*|.*cut off late",
    ),
    Figure(
        "12", "STARTTLS injection, both sides", "0 executed",
        tests("-m", "exhaustive", "tests/exhaustive"), tests("tests/exhaustive"),
    ),
    Figure(
        "13", "resumption", "every cell as specified",
        *twice(tests("tests/process/test_resumption.py",
                      "tests/process/test_renewed_sessions.py",
                      "tests/process/test_sessions_apart.py")),
    ),
    Figure(
        "15", "octets through the relay", "identical",
        ("scripts/relay-checksum", "10"), ("scripts/relay-checksum", "0.2"),
        r"(?m)^.*$", hours=2,
    ),
    Figure(
        "16", "canaries", "0 found",
        *twice(tests("tests/process/test_canaries.py")),
    ),
    Figure(
        "17", "known against unknown user", "medians within 1 ms",
        ("scripts/compare-refusals", "400"), ("scripts/compare-refusals", "80"),
        r"(?m)^(?:no )?limits.*",
    ),
    Figure(
        "3.1", "what strangers make us keep", "stated; < 120 KB each",
        ("scripts/measure-strangers", "5000"), ("scripts/measure-strangers", "500"),
        r"worst.*",
    ),
    Figure(
        "3.5", "a bug at every await", "that connection ends, no other notices",
        tests("-m", "exhaustive", "tests/faults"), tests("tests/faults"),
    ),
    Figure(
        "5.4", "who over thousands of sessions", "< 1 s",
        ("scripts/who-many", "9000"), ("scripts/who-many", "500"),
        r"(?m)^(?:who|mailssl-trio).*",
    ),
)  # fmt: skip


def measured(figure: Figure, *, quick: bool, kept: Path) -> tuple[object, ...]:
    """Run it; return a row of the table."""
    command = figure.quick if quick else figure.command
    file = kept / f"{figure.number}-{figure.what}.txt".replace(" ", "-")
    began = time.monotonic()
    with file.open("wb") as out:
        try:
            code = subprocess.run(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                timeout=figure.hours * 3600, check=False,
            ).returncode  # fmt: skip
        except subprocess.TimeoutExpired:
            code = -1
    took = time.monotonic() - began
    seen = list(_seen(figure, file.read_text("utf-8", "replace")))
    verdict = "kept" if code == 0 else f"NOT KEPT ({code})"
    row = (figure.number, figure.what, figure.target, verdict, f"{took:.0f} s")
    print(*row, sep="  ", flush=True)
    print(*(f"    {line}" for line in seen), sep="\n", flush=True)
    return (*row, "; ".join(seen))


def _seen(figure: Figure, said: str) -> Iterator[str]:
    """Yield the lines that are the figure, the last of them if there are many."""
    found = [" ".join(line.split()) for line in re.findall(figure.lines, said)]
    yield from [line for line in found if line][-4:]


def main() -> int:
    """Measure everything; return whether a figure is not as it has to be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("numbers", nargs="*", help="only these, as the table has them")
    asked = parser.parse_args()
    kept = Path(mkdtemp(prefix="scorecard-"))
    wanted = [
        figure
        for figure in FIGURES
        if not asked.numbers or set(asked.numbers) & set(figure.number.split(", "))
    ]
    rows = [measured(figure, quick=asked.quick, kept=kept) for figure in wanted]
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    print(
        f"\n{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} processors, {memory:.0f} GiB"
        f"{', quick' if asked.quick else ''}; all that was said: {kept}\n"
    )
    print_table(("#", "figure", "target", "", "took", "seen"), rows)
    print("\n| # | figure | target | seen |\n|---|---|---|---|")
    for number, what, target, verdict, _, seen in rows:
        print(f"| {number} | {what} | {target} | {verdict}: {seen} |")
    return int(any(row[3] != "kept" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
