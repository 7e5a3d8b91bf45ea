"""What a scanner says of every port: testssl.sh, as Debian has it."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.interop.gateway import (
    SHIPPED_PORTS,
    Door,
    Doors,
    mail_table,
    serving,
)
from tests.interop.machine import find_program
from tests.interop.testssl import Report, scan

pytestmark = pytest.mark.interop

AT_THE_SAME_TIME = 3
CHECKS = (
    "--protocols",
    "--standard",  # ciphers by strength
    "--server-preference",
    "--server-defaults",  # the certificate, and how sessions are resumed
    "--vulnerable",
)
HEARD_OF = {
    *("heartbleed", "CCS", "ROBOT", "secure_renego", "secure_client_renego"),
    *("CRIME_TLS", "POODLE_SSL", "fallback_SCSV", "SWEET32", "FREAK", "DROWN"),
    *("LOGJAM", "BEAST", "LUCKY13", "RC4", "cipher_order", "cipherlist_aNULL"),
}
"""Some of what must have been looked at, for the report to be worth something."""

each_door = pytest.mark.parametrize("door", SHIPPED_PORTS, ids="-".join)


@pytest.fixture(scope="module")
def reports(
    embedded: Doors, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[Door, Report]:
    """Scan the six ports of the shipped configuration, some at the same time."""
    find_program("testssl")
    directory = tmp_path_factory.mktemp("testssl")

    def scan_one(door: Door) -> Report:
        file = directory / f"{'-'.join(door)}.json"
        return scan(*door, embedded.ports[door], embedded.ca, file, *CHECKS)

    with ThreadPoolExecutor(AT_THE_SAME_TIME) as scanners:
        found = scanners.map(scan_one, embedded.ports)
        return dict(zip(embedded.ports, found, strict=True))


@each_door
def test_a_scanner_finds_nothing_above_low(
    door: Door, reports: Mapping[Door, Report]
) -> None:
    report = reports[door]
    assert not report.above_low
    assert report.findings.keys() >= HEARD_OF


@each_door
def test_a_scanner_finds_the_versions_that_are_configured(
    door: Door, reports: Mapping[Door, Report]
) -> None:
    assert reports[door].protocols == {"TLSv1.2", "TLSv1.3"}


@pytest.mark.parametrize(
    "versions",
    [("TLSv1", "TLSv1.1"), ("TLSv1.1", "TLSv1.3")],
    ids=" and ".join,
)
def test_a_scanner_finds_old_versions_where_asked_for_and_no_others(
    versions: tuple[str, ...], tmp_path: Path
) -> None:
    """Gaps included: what lies between two versions is not offered."""
    doors = Doors.anywhere(tmp_path / "var/tls/ca.pem")
    settings = mail_table(
        *doors.servers, proxy_pass="127.0.0.1:1", ssl_protocols=list(versions)
    )
    ways: tuple[Door, ...] = (("imap", "tls"), ("smtp", "starttls"))
    with serving(tmp_path, settings):
        for door in ways:
            report = tmp_path / f"{door[0]}.json"
            found = scan(*door, doors.ports[door], doors.ca, report, "--protocols")
            assert found.protocols == set(versions)
