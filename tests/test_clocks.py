"""The clock on the wall is asked only where people read it, or files carry it."""

import re
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "mailssl_trio"

WALL = re.compile(r"\btime\.time\b|\btime_ns\(|\bdatetime\.now\(|\bdate\.today\(")

MAY = {
    "logs/formats/as_json.py",  # lines of logs
    "logs/lines.py",
    "answering.py",  # what administrators are told
    "supervision/control/bans.py",
    "supervision/control/program.py",
    "supervision/control/status.py",
    "supervision/reloading.py",
    "auth/challenge.py",  # beside random bits
    "tls/certificates/certificate.py",  # validity
    "tls/certificates/development.py",
    "tls/certificates/revocation.py",
    "tls/certificates/warnings.py",
    "tls/sessions/session_cache.py",  # ages that outlive a process
    "tls/sessions/shared_zone.py",
    "tls/sessions/zone_files.py",
    "tls/sessions/zone_neighbours.py",
    "transport/client_names.py",  # what a cache of DNS holds against the clock
    "mailbox/durable.py",  # names and dates of messages
    "mailbox/folder.py",
    "mailbox/smtp.py",
    "mailbox/welcome.py",
}


def test_no_deadline_and_no_limit_asks_the_clock_on_the_wall() -> None:
    asks = {
        str(file.relative_to(PACKAGE))
        for file in PACKAGE.rglob("*.py")
        if WALL.search(file.read_text())
    }
    assert asks == MAY
