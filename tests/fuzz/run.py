"""Try parsers with mutations, made from a seed or led by coverage where atheris is.

Coverage-guided, one process tries one parser, for libFuzzer ends the process that it
runs in. What has failed is kept, and named.
"""

import argparse
import subprocess
import sys
import tempfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

from tests.endurance.figures import print_table

KEPT = Path("var/fuzz")
LONGEST = 16_384
SECONDS_AN_INPUT = 10
MEGABYTES = 2048
CHILD = "--led-by-coverage"


def led_by_coverage(name: str, runs: int, seed: int) -> None:
    """Let libFuzzer try one parser in this process; it does not return."""
    atheris = import_module("atheris")
    with atheris.instrument_imports(include=["mailssl_trio"]):
        target = import_module("tests.fuzz.targets").TARGETS[name]
    with tempfile.TemporaryDirectory(prefix="fuzz-") as directory:
        found, words = Path(directory) / "found", Path(directory) / "words"
        found.mkdir()
        words.write_text("\n".join(map(_entry, target.words)) + "\n")
        options = {
            "runs": runs,
            "seed": seed,
            "max_len": LONGEST,
            "timeout": SECONDS_AN_INPUT,
            "rss_limit_mb": MEGABYTES,
            "dict": words,
            "artifact_prefix": f"{KEPT / name}-",
            "verbosity": 0,
            "print_final_stats": 1,
        }
        arguments = [f"-{option}={value}" for option, value in options.items()]
        command = [sys.argv[0], *arguments, str(found), str(target.directory)]
        atheris.Setup(command, target.law)
        atheris.Fuzz()


def _entry(word: bytes) -> str:
    """Write a word as libFuzzer's dictionaries have it."""
    return '"' + "".join(f"\\x{octet:02x}" for octet in word[:64]) + '"'


def by_seed(name: str, runs: int, seed: int) -> str:
    """Try one parser with mutations of what is kept; return what came of it."""
    target = import_module("tests.fuzz.targets").TARGETS[name]
    for octets in target.mutations(seed, runs):
        try:
            target.law_in_time(octets)
        except Exception as failure:
            file = KEPT / f"{name}-{abs(hash(octets)):016x}"
            file.write_bytes(octets)
            return f"{type(failure).__name__}, kept in {file}"
    return "nothing"


def guided(name: str, runs: int, seed: int) -> str:
    """Try one parser in a process of its own; return what came of it."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.run", CHILD, name, f"{runs}", f"{seed}"],
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode == 0:
        return "nothing"
    said = done.stderr.decode("utf-8", "replace")
    print(said[-4000:])
    return f"exit {done.returncode}, kept in {KEPT}"


def main() -> int:
    """Try some parsers, or all; print a table."""
    if sys.argv[1:2] == [CHILD]:
        name, runs, seed = sys.argv[2:]
        led_by_coverage(name, int(runs), int(seed))
    names = tuple(import_module("tests.fuzz.targets").TARGETS)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parsers", nargs="*", metavar="PARSER", help=", ".join(names))
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--by-seed", action="store_true", help="not led by coverage")
    asked = parser.parse_args()
    if unknown := set(asked.parsers) - set(names):
        parser.error(f"no parser: {', '.join(sorted(unknown))}")
    is_guided = find_spec("atheris") is not None and not asked.by_seed
    if not is_guided:
        print("without atheris: mutations of the corpus, made from the seed")
    KEPT.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in asked.parsers or names:
        began = perf_counter()
        found = (guided if is_guided else by_seed)(name, asked.runs, asked.seed)
        seconds = perf_counter() - began
        rows.append((name, asked.runs, round(asked.runs / seconds), found))
        print(f"{name}: {found}, {seconds:.0f} s", flush=True)
    print_table(("parser", "inputs", "a second", "found"), rows)
    return int(any(found != "nothing" for *_, found in rows))


if __name__ == "__main__":
    sys.exit(main())
