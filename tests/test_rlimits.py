"""What the system lets a process have; each tried in a process of its own."""

import subprocess
import sys
from textwrap import dedent


def said(script: str) -> list[str]:
    """Run a script that begins with 100 descriptors, and 200 at most."""
    beginning = """
        import resource
        from mailssl_trio.rlimits import *
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
    """
    done = subprocess.run(
        [sys.executable, "-c", dedent(beginning) + dedent(script)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_all_that_the_system_allows_is_used() -> None:
    assert said("""
        print(repr(raise_descriptors()))
        print(resource.getrlimit(resource.RLIMIT_NOFILE))
        print(repr(raise_descriptors(150)))
        print(resource.getrlimit(resource.RLIMIT_NOFILE))
    """) == ["''", "(200, 200)", "''", "(200, 200)"]


def test_more_than_the_kernel_has_is_refused_in_a_line_and_harms_nothing() -> None:
    refusal, limits = said("""
        print(raise_descriptors(2**30))
        print(resource.getrlimit(resource.RLIMIT_NOFILE))
    """)
    assert refusal.startswith("no more than 200 files may be open, not 1073741824: ")
    assert limits == "(200, 200)"


def test_worker_has_as_many_as_it_is_told_and_never_more_than_there_are() -> None:
    assert said("""
        for wanted in (None, 300, 90):
            limit_descriptors(wanted)
            print(resource.getrlimit(resource.RLIMIT_NOFILE))
    """) == ["(100, 200)", "(100, 200)", "(90, 90)"]


def test_nothing_is_written_at_a_crash() -> None:
    assert said("""
        write_no_core_files()
        print(resource.getrlimit(resource.RLIMIT_CORE))
    """) == ["(0, 0)"]
