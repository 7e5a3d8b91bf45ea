"""``access_log``: where logins and ends are written, in which format, and for whom."""

import pytest

from mailssl_trio.config.effective import as_toml
from mailssl_trio.logs.access_log import AccessLog, Format
from mailssl_trio.logs.syslog import Syslog
from tests.config.site import Site

SERVER = """
[mail]
proxy_pass = "10.0.0.1"
{mail}
[[mail.server]]
listen = "127.0.0.1:110"
{server}
"""


def configured(top: str, mail: str = "", server: str = "") -> str:
    return top + SERVER.format(mail=mail, server=server)


LOCAL = Syslog("unix:/dev/log", "/dev/log", 0, facility="mail", tag="mailssl_trio")


@pytest.mark.parametrize(
    ("words", "target"),
    [
        ('"stderr"', AccessLog(None)),
        ('"stderr json"', AccessLog(None, Format.JSON)),
        ('"stderr nginx"', AccessLog(None, Format.NGINX)),
        ('"syslog:server=unix:/dev/log"', AccessLog(LOCAL)),
        (
            '"syslog:server=unix:/dev/log,facility=local1,severity=notice,tag=x json"',
            AccessLog(
                Syslog("unix:/dev/log", "/dev/log", 0, "local1", "notice", "x"),
                Format.JSON,
            ),
        ),
    ],
)
def test_target_and_format(words: str, target: AccessLog, site: Site) -> None:
    config = site.load(configured(f"access_log = {words}"))
    assert config.access_log == (target,)
    assert f'access_log = "{target}"' in as_toml(config)
    assert site.load(as_toml(config)).access_log == config.access_log


def test_file_is_found_from_the_configuration_on(site: Site) -> None:
    top = 'access_log = ["a log json", "b.log"]'
    config = site.load(configured(top))
    names = [(one.target, one.format.value) for one in config.access_log]
    assert names == [
        (site.directory / "a log", "json"),
        (site.directory / "b.log", "dovecot"),
    ]
    assert config.log_files == (site.directory / "a log", site.directory / "b.log")


def test_nobody_writes_it_unless_told(site: Site) -> None:
    config = site.load(configured(""))
    assert config.access_log == ()
    assert config.servers[0].access_log is None


@pytest.mark.parametrize(
    ("mail", "server", "chain"),
    [
        ("", "", None),
        ('access_log = "stderr json"', "", (AccessLog(None, Format.JSON),)),
        ('access_log = "stderr json"', 'access_log = "off"', ()),
        ('access_log = "off"', 'access_log = "stderr"', (AccessLog(None),)),
    ],
)
def test_what_is_nearer_decides(
    mail: str, server: str, chain: tuple[AccessLog, ...] | None, site: Site
) -> None:
    config = site.load(configured('access_log = "stderr"', mail, server))
    assert config.servers[0].access_log == chain
    again = site.load(as_toml(config))
    assert again.servers[0].access_log == chain


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ('"stderr info"', 'unknown log format "info" (known: dovecot, nginx, json)'),
        ("[]", 'no target; write "stderr dovecot" or "FILE dovecot"'),
        ('["stderr", "off"]', "access_log[1]: `off` stands alone, or not at all"),
        ('"off json"', "`off` stands alone, or not at all"),
        ('"memory:1m"', "is a log of nginx's that is not available here"),
        ('"nowhere/a.log"', "nowhere is no directory; make it, or mend it"),
        ('"syslog:server=log,severity=loud"', 'unknown severity "loud"'),
        ("5", "not a string"),
    ],
)
def test_what_is_wrong_is_told(words: str, problem: str, site: Site) -> None:
    (said,) = site.said(configured(f"access_log = {words}"))
    assert "access_log" in said
    assert problem in said
