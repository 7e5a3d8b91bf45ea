"""The files that a configuration names: certificates, keys and users."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest

from mailssl_trio.config.load import load
from mailssl_trio.config.problem import ConfigError
from tests.config.site import Site

NOBODY = 65534

TLS = """
[mail]
proxy_pass = "10.0.0.1"
ssl_certificate = "cert.pem"
ssl_certificate_key = "key.pem"
[[mail.server]]
listen = "127.0.0.1:143"
starttls = "only"
"""

USERS = """
[mail]
users = "users.toml"
proxy_pass = "embedded"
[[mail.server]]
listen = "127.0.0.1:143"
"""


def remove(directory: Path) -> None:
    (directory / "cert.pem").unlink()


def garble(directory: Path) -> None:
    (directory / "cert.pem").write_text("not PEM")


def exchange(directory: Path) -> None:
    (directory / "other.pem").replace(directory / "key.pem")


def open_up(directory: Path) -> None:
    (directory / "key.pem").chmod(0o644)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            remove,
            "3: mail.ssl_certificate: cert.pem does not exist; give the name of a PEM"
            " file",
        ),
        (
            garble,
            "3: mail.ssl_certificate: cert.pem is not PEM; if it is DER: openssl x509"
            " -inform DER -in cert.pem -out NEW",
        ),
        (
            exchange,
            "4: mail.ssl_certificate_key: the key in key.pem belongs to another"
            " certificate than cert.pem; name the key that the certificate was made"
            " for, and the leaf first",
        ),
        (
            open_up,
            "4: mail.ssl_certificate_key: the key in key.pem is open to every user"
            " (mode 0644); chmod o-rwx key.pem",
        ),
    ],
)
def test_pair_that_is_no_pair_is_named_with_file_and_reason(
    site: Site, spoil: Callable[[Path], None], said: str
) -> None:
    spoil(site.directory)
    assert site.said(TLS) == [said]


def test_certificate_without_key_is_looked_for_its_key_in_its_own_file(
    site: Site,
) -> None:
    (site.directory / "cert.pem").chmod(0o600)
    document = TLS.replace('ssl_certificate_key = "key.pem"\n', "")
    (told,) = site.said(document)
    assert told.startswith("3: mail.ssl_certificate: cert.pem holds no private key")


def test_file_that_is_missing_for_both_is_named_once(site: Site) -> None:
    remove(site.directory)
    document = TLS.replace('ssl_certificate_key = "key.pem"\n', "")
    assert site.said(document) == [
        "3: mail.ssl_certificate: cert.pem does not exist; give the name of a PEM file"
    ]


def test_cas_to_believe_a_backend_by_must_be_there(site: Site) -> None:
    remove(site.directory)
    assert site.said(
        """
        [mail]
        proxy_pass = "10.0.0.1"
        proxy_ssl = "starttls"
        proxy_ssl_trusted_certificate = "cert.pem"
        [[mail.server]]
        listen = "127.0.0.1:143"
        """
    ) == [
        "4: mail.proxy_ssl_trusted_certificate: cert.pem does not exist; give the name"
        " of a PEM file"
    ]


def test_dead_protocols_are_warned_of_and_refused_alone(site: Site) -> None:
    dead = "is known, but OpenSSL cannot speak it; remove it"
    assert site.said(f"{TLS}ssl_protocols = 'SSLv3 TLSv1.2'\n") == [
        f"8: warning: mail.server[0].ssl_protocols: SSLv3 {dead}"
    ]
    assert site.said(f"{TLS}ssl_protocols = 'SSLv2 SSLv3'\n") == [
        "8: mail.server[0].ssl_protocols: no protocol is left that OpenSSL can speak;"
        ' use "TLSv1.2 TLSv1.3"',
        f"8: warning: mail.server[0].ssl_protocols: SSLv2 {dead}",
        f"8: warning: mail.server[0].ssl_protocols: SSLv3 {dead}",
    ]


def test_deprecated_protocols_are_warned_of(site: Site) -> None:
    assert site.said(f"{TLS}ssl_protocols = 'tlsv1 TLSv1.1 TLSv1.2'\n") == [
        f"8: warning: mail.server[0].ssl_protocols: {version} is deprecated, and lowers"
        " OpenSSL's security level to 0; leave it out unless a client that you must"
        " serve knows no other"
        for version in ("TLSv1", "TLSv1.1")
    ]


def test_development_certificate_is_not_made_but_its_ciphers_are_checked(
    site: Site,
) -> None:
    development = TLS.replace('"cert.pem"', '"development"').replace(
        'ssl_certificate_key = "key.pem"\n', ""
    )
    assert site.load(development).development_certificate
    assert sorted(path.name for path in site.directory.iterdir()) == [
        "cert.pem",
        "key.pem",
        "mail.toml",
        "other.pem",
        "users.toml",
    ]
    assert site.said(f"{development}ssl_ciphers = 'BOGUS'\n") == [
        '7: mail.server[0].ssl_ciphers: "BOGUS" selects no cipher; see'
        ' openssl-ciphers(1); the default is "HIGH:!aNULL:!MD5"'
    ]


def test_tls_settings_are_judged_only_where_there_is_tls(site: Site) -> None:
    document = TLS.replace('starttls = "only"', 'starttls = "off"')
    config = site.load(document.replace('"cert.pem"', '"missing.pem"'))
    assert config.servers[0].tls is None
    assert [problem.path for problem in config.warnings] == [
        "mail.ssl_certificate",
        "mail.ssl_certificate_key",
    ]


def test_users_file_that_is_missing_is_named_by_its_directive(site: Site) -> None:
    (site.directory / "users.toml").unlink()
    assert site.said(USERS) == [
        "2: mail.users: users.toml: cannot be opened: No such file or directory; name a"
        " file that this user may read"
    ]


def test_users_file_is_checked_with_its_own_lines(site: Site) -> None:
    (site.directory / "users.toml").write_text(
        '["alice@example.org"]\npasword = "x"\n\n[bob]\nnetworks = ["10.0.0.1/8"]\n'
    )
    assert site.said(USERS) == [
        'users.toml:1: "alice@example.org": no password; add one: `mailssl-trio'
        " hash-password`",
        'users.toml:2: "alice@example.org".pasword: unknown key; did you mean'
        " `password`?",
        "users.toml:4: bob: no password; add one: `mailssl-trio hash-password`",
        'users.toml:5: bob.networks[0]: "10.0.0.1/8" is no network; did you mean'
        " 10.0.0.0/8?",
    ]


def test_users_file_that_is_not_toml_has_its_line(site: Site) -> None:
    (site.directory / "users.toml").write_text("\nalice: wonderland\n")
    (told,) = site.said(USERS)
    assert told.startswith("users.toml:2: not TOML: ")
    assert "wonderland" not in told


def test_users_with_backends_of_their_own_need_no_other(
    site: Site, password_hash: str
) -> None:
    (site.directory / "users.toml").write_text(
        f'[alice]\npassword = "{password_hash}"\nupstream = "10.0.0.5:143"\n'
    )
    config = site.load(USERS.replace('proxy_pass = "embedded"\n', ""))
    assert config.servers[0].upstream is None


def test_tls_that_would_not_reach_a_users_own_backend_is_an_error(
    site: Site, password_hash: str
) -> None:
    (site.directory / "users.toml").write_text(
        f'[alice]\npassword = "{password_hash}"\nupstream = "10.0.0.5:143"\n'
    )
    document = USERS.replace('proxy_pass = "embedded"', "proxy_ssl = true")
    assert site.said(document) == [
        "3: mail.proxy_ssl: secures nothing without `proxy_pass`; set `proxy_pass`; the"
        " users' own backends are then reached the same way"
    ]
    assert site.said(f'{document}proxy_pass = "embedded"\n') == [
        '3: mail.proxy_ssl: user "alice" would be sent on without TLS, since `embedded`'
        " has none; give users with a backend of their own a server of their own"
    ]


# Permission. The superuser reads everything, so where the tests are his, he
# becomes nobody for a moment.


@contextmanager
def without_privileges() -> Iterator[None]:
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def own(stocked: Site) -> Iterator[Site]:
    """The same site, owned by whoever is without privileges."""
    directory = Path(mkdtemp())
    owner = os.geteuid() or NOBODY
    os.chown(directory, owner, -1)
    for file in stocked.directory.iterdir():
        copy = directory / file.name
        copy.write_bytes(file.read_bytes())
        copy.chmod(0o600)
        os.chown(copy, owner, -1)
    yield Site(directory)
    rmtree(directory)


@pytest.mark.parametrize("name", ["mail.toml", "cert.pem", "key.pem", "users.toml"])
def test_file_that_may_not_be_opened_has_an_exit_code_of_its_own(
    own: Site, name: str
) -> None:
    own.file.write_text(TLS.replace("[mail]", '[mail]\nusers = "users.toml"'))
    os.chown(own.file, os.geteuid() or NOBODY, -1)
    with without_privileges():
        load(own.file)
    (own.directory / name).chmod(0o000)
    with without_privileges(), pytest.raises(ConfigError) as wrong:
        load(own.file)
    assert wrong.value.exit_code == 77


@pytest.mark.parametrize(
    "name",
    [
        "rsa.pem",
        "locked.key",
        "passphrases",
        "dh.pem",
        "ca.pem",
        "crl.pem",
        "new.key",
        "ecdsa.pem",
    ],
)
def test_file_of_tls_that_may_not_be_opened_has_it_too(own: Site, name: str) -> None:
    own.file.write_text(
        """
        [mail]
        proxy_pass = "10.0.0.1"
        ssl_certificate = "rsa.pem"
        ssl_certificate_key = "locked.key"
        ssl_password_file = "passphrases"
        ssl_dhparam = "dh.pem"
        ssl_verify_client = true
        ssl_client_certificate = "ca.pem"
        ssl_crl = "crl.pem"
        ssl_session_tickets = true
        ssl_session_ticket_key = "new.key"
        proxy_ssl = true
        proxy_ssl_certificate = "ecdsa.pem"
        [[mail.server]]
        listen = "127.0.0.1:143"
        starttls = "only"
        """
    )
    own.file.chmod(0o644)
    with without_privileges():
        assert load(own.file).warnings == ()
    (own.directory / name).chmod(0o000)
    with without_privileges(), pytest.raises(ConfigError) as wrong:
        load(own.file)
    assert wrong.value.exit_code == 77


def test_wrong_directive_outweighs_a_file_that_may_not_be_opened(own: Site) -> None:
    own.file.write_text(f"{TLS}startls = 1\n")
    own.file.chmod(0o644)
    (own.directory / "key.pem").chmod(0o000)
    with without_privileges(), pytest.raises(ConfigError) as wrong:
        load(own.file)
    assert [problem.exit_code for problem in wrong.value.problems] == [77, 78]
    assert wrong.value.exit_code == 78
