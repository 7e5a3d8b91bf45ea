"""curl, which reads and sends mail with --ssl-reqd, through every door."""

from pathlib import Path

import pytest

from tests.interop.clients import await_arrival, fetch, imap_of, message, token
from tests.interop.fronts import each_way
from tests.interop.gateway import Doors, Security
from tests.interop.machine import run
from tests.interop.people import ALICE, BOB, Person

pytestmark = pytest.mark.interop


def curl(
    doors: Doors,
    protocol: str,
    security: Security,
    person: Person,
    path: str,
    *arguments: str | Path,
) -> str:
    scheme = protocol if security == "starttls" else f"{protocol}s"
    return run(
        "curl",
        *("--silent", "--show-error", "--max-time", "20", "--ssl-reqd"),
        *("--cacert", doors.ca, "--user", f"{person.name}:{person.password}"),
        *arguments,
        f"{scheme}://localhost:{doors.port(protocol, security)}/{path}",
    )


@each_way
def test_curl_uploads_and_downloads_by_imap(
    doors: Doors, security: Security, tmp_path: Path
) -> None:
    subject = token()
    upload, download = tmp_path / "upload", tmp_path / "download"
    upload.write_bytes(message(subject))
    curl(doors, "imap", security, ALICE, "INBOX", "--upload-file", upload)
    with imap_of(doors, ALICE) as client:
        client.select()
        number = await_arrival(client, subject)
    path = f"INBOX;MAILINDEX={number}"
    curl(doors, "imap", security, ALICE, path, "--output", download)
    assert download.read_bytes() == message(subject)


@each_way
def test_curl_submits_by_smtp_and_downloads_by_pop3(
    doors: Doors, security: Security, tmp_path: Path
) -> None:
    subject = token()
    upload = tmp_path / "upload"
    upload.write_bytes(message(subject))
    sender, recipient = ("--mail-from", ALICE.name), ("--mail-rcpt", BOB.name)
    arguments = (*sender, *recipient, "--upload-file", upload)
    curl(doors, "smtp", security, ALICE, "client.example.org", *arguments)
    with imap_of(doors, BOB) as client:
        client.select()
        number = await_arrival(client, subject)
        arrived = fetch(client, number)
    retrieved = curl(doors, "pop3", security, BOB, number)
    assert retrieved.replace("\r\n", "\n").encode() == arrived.replace(b"\r\n", b"\n")
