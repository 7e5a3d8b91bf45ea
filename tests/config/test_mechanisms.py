"""The directives ``*_auth``, ``*_client_buffer`` and ``smtp_greeting_delay``."""

import pytest

from mailssl_trio.config.effective import as_toml
from mailssl_trio.config.problem import ConfigError
from tests.config.site import Site

AUTH_SERVER = 'auth_http = "127.0.0.1:9000/auth"'
LISTEN = {"imap": 143, "pop3": 110, "smtp": 587}


def text(protocol: str, *lines: str) -> str:
    listen = f"listen = '127.0.0.1:{LISTEN[protocol]}'"
    return "\n".join(("[[mail.server]]", listen, *lines, ""))


@pytest.mark.parametrize(
    ("protocol", "words", "announced"),
    [
        ("imap", "OAuthBearer external login", "LOGIN EXTERNAL OAUTHBEARER"),
        ("imap", "cram-md5 plain plain xoauth2", "PLAIN CRAM-MD5 XOAUTH2"),
        ("pop3", "plain", "PLAIN LOGIN"),
        ("pop3", "external cram-md5 apop plain", "PLAIN LOGIN CRAM-MD5 EXTERNAL"),
        ("pop3", "xoauth2", "XOAUTH2"),
        ("pop3", "apop", ""),
        ("smtp", "login", "LOGIN"),
        ("smtp", "none", ""),
        ("smtp", "none cram-md5 login", "LOGIN CRAM-MD5"),
    ],
)
def test_mechanisms_are_announced_in_one_order_and_shown_as_they_mean(
    site: Site, protocol: str, words: str, announced: str
) -> None:
    config = site.load(text(protocol, AUTH_SERVER, f'{protocol}_auth = "{words}"'))
    policy = config.servers[0].policy
    assert policy.mechanisms == tuple(announced.split())
    assert policy.apop is ("apop" in words)
    assert policy.unauthenticated is ("none" in words)
    (site.directory / "shown.toml").write_text(as_toml(config))
    again = site.load((site.directory / "shown.toml").read_text())
    assert again.servers[0].policy == policy


@pytest.mark.parametrize(
    ("protocol", "word"),
    [
        ("imap", "apop"),
        ("imap", "none"),
        ("pop3", "login"),
        ("pop3", "none"),
        ("smtp", "apop"),
        ("smtp", "gssapi"),
    ],
)
def test_each_protocol_has_its_words(site: Site, protocol: str, word: str) -> None:
    line = f'{protocol}_auth = "plain {word}"'
    (said,) = site.said(text(protocol, AUTH_SERVER, line))
    assert f'{protocol}_auth[1]: unknown mechanism "{word}" (known: plain, ' in said


JUDGES = {"users": 'users = "users.toml"', "backend": ""}


@pytest.mark.parametrize(
    ("protocol", "word", "judges"),
    [
        ("imap", "cram-md5", ["users", "backend"]),
        ("pop3", "apop", ["users", "backend"]),
        ("smtp", "external", ["backend"]),
        ("smtp", "none", ["users", "backend"]),
        ("imap", "xoauth2", ["users"]),
        ("smtp", "oauthbearer", ["users"]),
    ],
)
def test_what_nobody_could_judge_is_not_offered(
    site: Site, protocol: str, word: str, judges: list[str]
) -> None:
    line = f'{protocol}_auth = ["plain", "{word}"]'
    for name, judge in JUDGES.items():
        given = text(protocol, 'proxy_pass = "127.0.0.1"', judge, line)
        if name not in judges:
            said = site.said(given)
            assert not [each for each in said if "needs `auth_http`" in each]
            continue
        with pytest.raises(ConfigError) as refused:
            site.load(given)
        (problem,) = refused.value.problems
        assert problem.text.startswith(f"`{word}` needs `auth_http`: ")


def test_mail_without_a_login_is_warned_of(site: Site) -> None:
    config = site.load(text("smtp", AUTH_SERVER, 'smtp_auth = "none"'))
    assert [str(warning) for warning in config.warnings if "open relay" in str(warning)]
    assert not site.load(text("smtp", AUTH_SERVER)).warnings


def test_a_greeting_may_wait(site: Site) -> None:
    for value, seconds in (('"1s500ms"', 1.5), ("0", 0.0), ("2", 2.0)):
        line = f"smtp_greeting_delay = {value}"
        (server,) = site.load(text("smtp", AUTH_SERVER, line)).servers
        assert server.policy.greeting_delay == seconds
    (said,) = site.said(text("smtp", AUTH_SERVER, "smtp_greeting_delay = -1"))
    assert "smtp_greeting_delay: " in said


def test_commands_may_be_as_long_as_the_operator_says(site: Site) -> None:
    for protocol, size, octets in (
        ("imap", '"16k"', 16384),
        ("smtp", "512", 512),
        ("pop3", None, 0),
    ):
        line = f"{protocol}_client_buffer = {size}" if size else ""
        (server,) = site.load(text(protocol, AUTH_SERVER, line)).servers
        assert server.policy.client_buffer == octets
    for size in ("127", '"2m"', '"8x"', "true"):
        (said,) = site.said(text("imap", AUTH_SERVER, f"imap_client_buffer = {size}"))
        assert "imap_client_buffer: " in said


def test_only_smtp_clients_wait_for_their_greeting(site: Site) -> None:
    config = site.load(text("imap", AUTH_SERVER, "smtp_greeting_delay = 5"))
    assert config.servers[0].policy.greeting_delay == 0
    (warning,) = config.warnings
    assert "smtp_greeting_delay: has no effect here: the protocol is imap" in str(
        warning
    )


CERTIFIED = """
[mail]
ssl_certificate = "cert.pem"
ssl_certificate_key = "key.pem"
ssl_client_certificate = "cert.pem"
users = "secret.toml"
proxy_pass = "127.0.0.1"
[[mail.server]]
listen = "127.0.0.1:993 ssl"
imap_auth = "plain external"
"""


@pytest.mark.parametrize(
    ("verify", "line", "said"),
    [
        ("on", 'upstream_password = "x"', ""),
        ("optional", 'upstream_password = "x"', ""),
        ("on", 'upstream = "embedded"', ""),
        ("optional_no_ca", 'upstream_password = "x"', "no certificate is verified"),
        ("off", 'upstream_password = "x"', "no certificate is verified"),
        ("on", "", "no user has an `upstream_password`"),
    ],
)
def test_users_may_come_with_certificates_that_are_verified(
    site: Site, verify: str, line: str, said: str
) -> None:
    users = site.directory / "secret.toml"
    users.touch(0o600)
    users.write_text((site.directory / "users.toml").read_text() + f"\n{line}\n")
    errors = site.errors(f'{CERTIFIED}ssl_verify_client = "{verify}"\n')
    assert [said in str(error) for error in errors] == [True] * bool(said)
