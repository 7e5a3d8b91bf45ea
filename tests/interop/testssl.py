"""testssl.sh, the scanner that many operators know, and what it finds."""

import json
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from tests.interop.gateway import Security
from tests.interop.machine import run

MINUTES = 240.0  # seconds, on a machine that is busy with others

LOW = frozenset({"OK", "INFO", "LOW"})
ABOUT_ITSELF = frozenset({"DEBUG", "WARN"})
"""What it could not find out, as with ciphers that its own OpenSSL has not got."""

NOT_OURS = frozenset({"cert_revocation"})
"""What a CA has to put into a certificate."""

PROTOCOLS = {
    "SSLv2": "SSLv2",
    "SSLv3": "SSLv3",
    "TLS1": "TLSv1",
    "TLS1_1": "TLSv1.1",
    "TLS1_2": "TLSv1.2",
    "TLS1_3": "TLSv1.3",
}


@frozen
class Finding:
    """A line of the report."""

    name: str
    severity: str
    text: str


@frozen
class Report:
    """What was found at a port."""

    findings: Mapping[str, Finding]

    @property
    def protocols(self) -> set[str]:
        """The versions that are offered, in our words."""
        return {
            version
            for name, version in PROTOCOLS.items()
            if self.findings[name].text.startswith("offered")
        }

    @property
    def above_low(self) -> list[Finding]:
        """What an operator would be asked about."""
        return [
            finding
            for finding in self.findings.values()
            if finding.severity not in LOW | ABOUT_ITSELF
            if finding.name not in NOT_OURS
        ]


def scan(
    protocol: str, security: Security, port: int, ca: Path, report: Path, *checks: str
) -> Report:
    """Have a port scanned; the report is written to a file that must not be there."""
    starttls = ("--starttls", protocol) if security == "starttls" else ()
    run(
        *("testssl", "--quiet", "--color", "0", "--warnings", "off"),
        *("--nodns", "none", "--fast", "--add-ca", ca, "--jsonfile", report),
        *checks,
        *starttls,
        f"127.0.0.1:{port}",
        expect=None,  # it counts what it has to say
        patience=MINUTES,
    )
    found = [
        Finding(each["id"], each["severity"], each["finding"])
        for each in json.loads(report.read_text())
    ]
    return Report({finding.name: finding for finding in found})
