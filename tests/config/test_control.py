"""``control``: where the socket is, and how commands find it."""

from pathlib import Path

import pytest

from mailssl_trio.config.control import LONGEST_PATH
from mailssl_trio.config.problem import ConfigError
from mailssl_trio.config.whereabouts import Whereabouts, whereabouts
from tests.config.site import Site

SERVER = """
[[mail.server]]
listen = "127.0.0.1:143"
proxy_pass = "127.0.0.1:1"
"""


@pytest.mark.parametrize(
    ("words", "path", "is_default"),
    [
        ("", "../var/control.sock", True),
        ('state_directory = "state"', "state/control.sock", True),
        ('pid = "mail.pid"', "mail.sock", True),
        ('pid = "gateway"\nstate_directory = "state"', "gateway.sock", True),
        ('control = "here.sock"\npid = "mail.pid"', "here.sock", False),
        ('control = "off"', None, False),
        ("control = false", None, False),
    ],
)
def test_socket_is_where_it_is_said_or_beside_what_is_ours(
    site: Site, words: str, path: str | None, is_default: bool
) -> None:
    expected = None if path is None else (site.directory / path).resolve()
    config = site.load(words + SERVER)
    assert config.control == expected
    assert config.control_is_default is is_default
    assert whereabouts(site.file, environment={}).control == expected


def test_state_directory_of_systemd_is_where_it_is_for_both(site: Site) -> None:
    config = site.load(SERVER, STATE_DIRECTORY="/var/lib/mail")
    assert config.control == Path("/var/lib/mail/control.sock")
    found = whereabouts(site.file, environment={"STATE_DIRECTORY": "/var/lib/mail"})
    assert found == Whereabouts(config.control, None)


LONG = "x" * LONGEST_PATH


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (f'control = "{LONG}"', f"1: control: {LONG} is too long for a socket; name"),
        ('control = "nowhere/c.sock"', "1: control: nowhere is no directory; make"),
        ("control = 7", "1: control: 7 is not a string"),
        ("control = true", "1: control: true is not a string"),
        ('control = ""', '1: control: "" is not a file name'),
    ],
)
def test_place_where_none_can_be_is_refused(site: Site, words: str, said: str) -> None:
    (problem, *others) = site.said(words + SERVER)
    assert others == []
    assert problem.startswith(said)


def test_default_that_is_too_long_is_a_warning_and_no_socket(site: Site) -> None:
    config = site.load(f'state_directory = "{LONG}"' + SERVER)
    assert config.control is None
    (warning,) = config.warnings
    assert "there is no control socket" in str(warning)


def test_program_is_found_by_a_configuration_that_has_become_wrong(site: Site) -> None:
    site.file.write_text(
        'pid = "mail.pid"\nworker_processes = "many"\nkontrol = 1\n[mail]\nx = 1\n'
    )
    found = whereabouts(site.file)
    assert found.control == site.directory / "mail.sock"
    assert found.pid == site.directory / "mail.pid"


@pytest.mark.parametrize("wrong", ["control = 7", "pid = 7", "state_directory = []"])
def test_program_is_not_looked_for_where_nobody_has_meant(
    site: Site, wrong: str
) -> None:
    site.file.write_text(wrong + SERVER)
    with pytest.raises(ConfigError, match="is not a string"):
        whereabouts(site.file)


def test_program_of_a_file_that_is_no_toml_is_not_found(site: Site) -> None:
    site.file.write_text("control = = 7")
    with pytest.raises(ConfigError, match="not TOML"):
        whereabouts(site.file)
