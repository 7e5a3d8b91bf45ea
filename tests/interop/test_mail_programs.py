"""mbsync, mutt, msmtp and fetchmail, with the files that their users would write."""

from pathlib import Path

import pytest

from tests.interop.clients import await_arrival, fetch, imap_of, message, token
from tests.interop.fronts import each_way
from tests.interop.gateway import Doors, Security
from tests.interop.machine import find_program, run
from tests.interop.people import ALICE, BOB

pytestmark = pytest.mark.interop


@each_way
def test_mbsync_syncs_both_ways(
    doors: Doors, security: Security, tmp_path: Path
) -> None:
    there, here, folder = token(), token(), token()
    with imap_of(doors, ALICE) as client:
        client.create(folder)
        client.append(folder, "(\\Seen)", "", message(there))
    maildir = tmp_path / "mail" / folder
    for name in ("cur", "new", "tmp"):
        (maildir / name).mkdir(parents=True)
    (maildir / "new" / "1.1.here").write_bytes(message(here).replace(b"\r\n", b"\n"))
    settings = tmp_path / "mbsyncrc"
    settings.write_text(
        f"""\
FSync no

IMAPAccount gateway
Host localhost
Port {doors.port("imap", security)}
User {ALICE.name}
Pass {ALICE.password}
SSLType {"STARTTLS" if security == "starttls" else "IMAPS"}
CertificateFile {doors.ca}

IMAPStore far
Account gateway

MaildirStore near
Path {tmp_path}/mail/
SubFolders Verbatim

Channel both
Far :far:
Near :near:
Patterns {folder}
Create Both
Sync All
SyncState *
"""
    )
    run("mbsync", "-c", settings, "-a", home=tmp_path)
    arrived = [file.read_text() for file in (maildir / "cur").iterdir()]
    assert [text for text in arrived if f"Subject: {there}" in text]
    with imap_of(doors, ALICE) as client:
        client.select(folder)
        assert b"hello" in fetch(client, await_arrival(client, here))


@each_way
def test_mutt_copies_a_folder(doors: Doors, security: Security, tmp_path: Path) -> None:
    subject, folder = token(), token()
    with imap_of(doors, ALICE) as client:
        client.create(folder)
        client.append(folder, "", "", message(subject))
    scheme = "imap" if security == "starttls" else "imaps"
    port = doors.port("imap", security)
    settings = tmp_path / "muttrc"
    settings.write_text(
        f"""\
set folder = "{scheme}://localhost:{port}/"
set imap_user = "{ALICE.name}"
set imap_pass = "{ALICE.password}"
set ssl_force_tls = yes
set ssl_starttls = yes
set certificate_file = "{doors.ca}"
set ssl_usesystemcerts = no
set ssl_ca_certificates_file = "{doors.ca}"
set mbox_type = mbox
set confirmcreate = no
set confirmappend = no
set delete = no
set quit = yes
set sleep_time = 0
push "<tag-pattern>~A<enter><tag-prefix><copy-message>{tmp_path}/copy<enter><quit>"
"""
    )
    command = ("mutt", "-n", "-F", str(settings), "-f", f"={folder}")
    run_on_terminal(*command, home=tmp_path)
    assert f"Subject: {subject}" in (tmp_path / "copy").read_text()


def run_on_terminal(*command: str, home: Path) -> None:
    """Run a program that wants to see a terminal; script(1) has one to lend."""
    find_program(command[0])
    line = " ".join(f"'{word}'" for word in command)
    terminal = {"TERM": "vt100"}
    run(
        "script",
        *("--quiet", "--return", "--command", line, "/dev/null"),
        home=home,
        environment=terminal,
    )


@each_way
def test_msmtp_submits(doors: Doors, security: Security, tmp_path: Path) -> None:
    subject = token()
    settings = tmp_path / "msmtprc"
    settings.touch(mode=0o600)
    settings.write_text(
        f"""\
account default
host localhost
port {doors.port("smtp", security)}
from {ALICE.name}
auth on
user {ALICE.name}
password {ALICE.password}
tls on
tls_starttls {"on" if security == "starttls" else "off"}
tls_trust_file {doors.ca}
"""
    )
    run("msmtp", "-C", settings, BOB.name, stdin=message(subject), home=tmp_path)
    with imap_of(doors, BOB) as client:
        client.select()
        assert fetch(client, await_arrival(client, subject)).endswith(b"hello\r\n")


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
@each_way
def test_fetchmail_fetches(
    doors: Doors, security: Security, protocol: str, tmp_path: Path
) -> None:
    subject = token()
    with imap_of(doors, ALICE) as client:
        client.append("INBOX", "", "", message(subject))
    settings, fetched = tmp_path / "fetchmailrc", tmp_path / "fetched"
    settings.touch(mode=0o600)
    begun = "sslproto TLS1.2+" if security == "starttls" else "ssl"
    settings.write_text(
        f"""\
poll localhost protocol {protocol} port {doors.port(protocol, security)}
  user "{ALICE.name}" password "{ALICE.password}"
  {begun} sslcertck sslcertfile "{doors.ca}"
  keep fetchall mda "cat >>{fetched}"
"""
    )
    command = ("fetchmail", "-f", settings, "--pidfile", tmp_path / "pid", "--nosyslog")
    run(*command, home=tmp_path, environment={"FETCHMAILHOME": str(tmp_path)})
    assert f"Subject: {subject}" in fetched.read_text()
