"""The manual: whole, and without a word that man or mandoc frowns at."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mailssl_trio.cli import COMMANDS
from mailssl_trio.config.dictionary import dictionary

ROOT = Path(__file__).parents[2]

PAGES = ("man1/mailssl-trio.1", "man5/mail.toml.5", "man7/mailssl-auth-http.7")


@pytest.fixture(scope="module")
def manual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with every page, made as of a day of 2020."""
    directory = tmp_path_factory.mktemp("man")
    subprocess.run(
        [sys.executable, ROOT / "scripts" / "manual", directory],
        env={**os.environ, "SOURCE_DATE_EPOCH": "1600000000"},
        check=True,
    )
    return directory


def needs(program: str) -> pytest.MarkDecorator:
    missing = shutil.which(program) is None
    return pytest.mark.skipif(missing, reason=f"no {program} here")


@needs("man")
@pytest.mark.parametrize("page", PAGES)
def test_man_has_no_warning(manual: Path, page: str) -> None:
    shown = subprocess.run(
        ["man", "--warnings", "-l", manual / page],
        env={**os.environ, "LC_ALL": "C.UTF-8", "MANPAGER": "cat", "MANWIDTH": "80"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stderr == ""
    assert "NAME\n" in shown.stdout


@needs("mandoc")
@pytest.mark.parametrize("page", PAGES)
def test_mandoc_has_no_warning(manual: Path, page: str) -> None:
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", manual / page],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout + done.stderr == ""


def test_every_page_knows_its_day(manual: Path) -> None:
    for page in PAGES:
        assert " 2020-09-13 " in (manual / page).read_text().splitlines()[0]


def test_every_command_has_its_part(manual: Path) -> None:
    page = (manual / PAGES[0]).read_text().replace("\\-", "-")
    parts = re.findall(r"^\.SS (\S+)", page, re.MULTILINE)
    assert parts == [name for name in COMMANDS if name != "worker"]  # is hidden


def test_signals_and_exit_codes_are_told(manual: Path) -> None:
    page = (manual / PAGES[0]).read_text()
    _, _, signals = page.partition(".SH SIGNALS\n")
    for word in ("SIGTERM", "SIGQUIT", "SIGHUP", "SIGUSR1", ".SH EXIT CODES", "78"):
        assert word in signals


def test_every_directive_has_its_entry(manual: Path) -> None:
    page = (manual / PAGES[1]).read_text()
    entries = re.findall(r"^\.TP\n\\fB([a-z0-9_]+)\\fR = ", page, re.MULTILINE)
    assert sorted(entries) == sorted(each.name for each in dictionary())


def test_every_header_of_the_auth_server_is_explained(manual: Path) -> None:
    page = (manual / PAGES[2]).read_text().replace("\\-", "-")
    headers = re.findall(
        r"^\| `([A-Z][A-Za-z-]+)`",
        (ROOT / "docs/auth-http.md").read_text(),
        re.MULTILINE,
    )
    assert len(headers) > 20
    for header in headers:
        assert f"\\fB{header}\\fR" in page
