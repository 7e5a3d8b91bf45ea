"""fail2ban's own ``fail2ban-regex``, with its own filter for Dovecot by our name."""

import shutil
from collections import Counter
from pathlib import Path

from tests.interop.machine import do_without, find_program, run

THEIRS = Path("/etc/fail2ban")
OURS = Path(__file__).parents[2] / "conf" / "fail2ban"
FILTER = "mailssl-trio"


def configuration(directory: Path) -> Path:
    """Put our filter beside theirs, as an installation does."""
    if not (THEIRS / "filter.d" / "dovecot.conf").exists():
        do_without("fail2ban")
    whole = directory / "fail2ban"
    shutil.copytree(THEIRS, whole)
    for file in OURS.glob("*/*.conf"):
        shutil.copy(file, whole / file.parent.name)
    return whole


def offenders(log: Path, directory: Path, filter_: str = FILTER) -> Counter[str]:
    """Return whose lines the filter finds, and how many each of them has."""
    find_program("fail2ban-regex")
    command = ("fail2ban-regex", "-c", str(directory), "-o", "ip", str(log), filter_)
    return Counter(run(*command).split())
