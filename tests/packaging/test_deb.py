"""The Debian package, built and unpacked in a place that is none of the system's."""

import imaplib
import re
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
from attrs import frozen

from tests.interop.background import background
from tests.interop.machine import PATIENCE, free_port

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.package,
    pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no dpkg-deb here"),
]


@frozen
class Package:
    """The file, and what it holds."""

    file: Path
    root: Path

    @property
    def program(self) -> list[str | Path]:
        """The program's own words, as its first line would be found when installed."""
        home = self.root / "usr/lib/mailssl-trio/bin"
        return [home / "python", "-I", home / "mailssl-trio"]

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.program, *arguments],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    directory = tmp_path_factory.mktemp("deb")
    subprocess.run([ROOT / "scripts" / "build-deb", directory], check=True)
    (file,) = directory.glob("*.deb")
    root = directory / "root"
    subprocess.run(["dpkg-deb", "-x", file, root], check=True)
    return Package(file, root)


def test_configuration_is_right_and_is_a_conffile(package: Package) -> None:
    file = "/etc/mailssl-trio/mail.toml"
    checked = package.run("check", package.root / file[1:])
    assert (checked.returncode, checked.stderr) == (0, "")
    shown = subprocess.run(
        ["dpkg-deb", "-I", package.file, "conffiles"], capture_output=True, check=True
    )
    assert file in shown.stdout.decode().splitlines()


def test_schema_lies_where_the_configuration_says(package: Package) -> None:
    text = (package.root / "etc/mailssl-trio/mail.toml").read_text()
    found = re.match(r"#:schema /(\S+)\n", text)
    assert found is not None
    assert package.run("show", "--schema").stdout == (
        (package.root / found[1]).read_text()
    )


def test_every_file_that_is_promised_is_there(package: Package) -> None:
    for file in (
        "usr/lib/systemd/system/mailssl-trio.service",
        "usr/lib/systemd/system/mailssl-trio.socket",
        "usr/lib/sysusers.d/mailssl-trio.conf",
        "usr/lib/tmpfiles.d/mailssl-trio.conf",
        "etc/logrotate.d/mailssl-trio",
        "etc/fail2ban/filter.d/mailssl-trio.conf",
        "usr/share/doc/mailssl-trio/examples/fail2ban.conf",
        "usr/share/man/man1/mailssl-trio.1.gz",
        "usr/share/man/man5/mail.toml.5.gz",
        "usr/share/man/man7/mailssl-auth-http.7.gz",
        "usr/share/bash-completion/completions/mailssl-trio",
        "usr/share/zsh/vendor-completions/_mailssl-trio",
        "usr/share/fish/vendor_completions.d/mailssl-trio.fish",
        "usr/share/doc/mailssl-trio/configuration.md",
        "usr/share/doc/mailssl-trio/copyright",
    ):
        assert (package.root / file).is_file(), file


def test_nothing_remembers_where_it_was_built(package: Package) -> None:
    home = package.root / "usr/lib/mailssl-trio"
    for file in (home / "pyvenv.cfg", home / "bin" / "mailssl-trio"):
        assert "/tmp" not in file.read_text()
    assert (
        (home / "bin/mailssl-trio")
        .read_text()
        .startswith("#!/usr/lib/mailssl-trio/bin/python -I\n")
    )
    assert not list(home.rglob("direct_url.json"))


def test_it_serves_and_a_client_logs_in(package: Package, tmp_path: Path) -> None:
    conf = tmp_path / "conf"
    conf.mkdir()
    shutil.copy(ROOT / "conf" / "users.toml", conf)
    text, port = (ROOT / "conf" / "mail.toml").read_text(), free_port()
    text = text.replace("127.0.0.1:1993", f"127.0.0.1:{port}")
    text = re.sub(r"127\.0\.0\.1:1[0-9]{3}\b", lambda _: _elsewhere(), text)
    (conf / "mail.toml").write_text(text)
    command = [*package.program, "serve", conf / "mail.toml"]
    with background("packaged", command, tmp_path) as program:
        program.await_words("ready")
        trust = ssl.create_default_context(cafile=tmp_path / "var/tls/ca.pem")
        with imaplib.IMAP4_SSL("localhost", port, ssl_context=trust) as client:
            client.sock.settimeout(PATIENCE)
            client.login("alice@example.org", "wonderland")
            assert client.select("INBOX")[0] == "OK"
        assert program.stop() == 0


def _elsewhere() -> str:
    return f"127.0.0.1:{free_port()}"


@pytest.mark.skipif(shutil.which("lintian") is None, reason="no lintian here")
def test_lintian_has_nothing_to_say(package: Package) -> None:
    said = subprocess.run(
        ["lintian", "--allow-root", package.file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.stdout == ""
