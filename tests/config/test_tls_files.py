"""The files that directives of TLS name, and each way in which they are wrong."""

import pytest

from mailssl_trio.config.load import load
from mailssl_trio.config.problem import ConfigError
from tests.config.site import Site

SERVER = """\
[mail]
proxy_pass = "10.0.0.1"
[[mail.server]]
listen = "127.0.0.1:143"
starttls = "only"
"""
CERTIFICATE = 'ssl_certificate = "rsa.pem"\nssl_certificate_key = "rsa.key"\n'
VERIFY = 'ssl_verify_client = true\nssl_client_certificate = "ca.pem"\n'
TICKETS = "ssl_session_tickets = true\n"
BACKEND = "proxy_ssl = true\n"


@pytest.mark.parametrize(
    "lines",
    [
        'ssl_certificate = "ecdsa.pem"',
        'ssl_certificate = ["rsa.pem", "ecdsa.pem"]\n'
        'ssl_certificate_key = ["rsa.key", "ecdsa.pem"]',
        'ssl_certificate = "rsa.pem"\nssl_certificate_key = "locked.key"\n'
        'ssl_password_file = "passphrases"',
        f'{CERTIFICATE}ssl_dhparam = "dh.pem"\nssl_ecdh_curve = "X25519:prime256v1"',
        f'{CERTIFICATE}{VERIFY}ssl_crl = "crl.pem"\nssl_verify_depth = 3',
        f'{CERTIFICATE}ssl_verify_client = "optional"\n'
        'ssl_trusted_certificate = "ca.pem"',
        f'{CERTIFICATE}ssl_verify_client = "optional_no_ca"',
        f'{CERTIFICATE}{TICKETS}ssl_session_ticket_key = ["new.key", "old.key"]',
        f'{CERTIFICATE}{TICKETS}ssl_session_timeout = "1h"',
        f'{CERTIFICATE}ssl_conf_command = "Options SessionTicket"\n'
        'ssl_session_timeout = "1h"',
        f'{CERTIFICATE}{BACKEND}proxy_ssl_certificate = "ecdsa.pem"',
        f'{CERTIFICATE}{BACKEND}proxy_ssl_certificate = "rsa.pem"\n'
        'proxy_ssl_certificate_key = "rsa.key"',
        'ssl_certificate = "rsa.pem"\nssl_certificate_key = "rsa.key"\n'
        'ssl_ciphers = "ALL:!ADH:RC4+RSA:+HIGH:+MEDIUM:+LOW:+SSLv2:+EXP"',
    ],
)
def test_files_of_the_right_kind_are_taken(stocked: Site, lines: str) -> None:
    assert stocked.said(f"{SERVER}{lines}\n") == []


@pytest.mark.parametrize(
    ("lines", "path", "said"),
    [
        (
            'ssl_certificate = "missing"\nssl_certificate_key = "rsa.key"',
            "ssl_certificate",
            "missing does not exist",
        ),
        (
            'ssl_certificate = "rsa.key"\nssl_certificate_key = "rsa.key"',
            "ssl_certificate",
            "rsa.key holds no certificate",
        ),
        (
            'ssl_certificate = "rsa.pem"\nssl_certificate_key = "/dev/null"',
            "ssl_certificate_key",
            "/dev/null is not a regular file",
        ),
        (
            'ssl_certificate = "rsa.pem"\nssl_certificate_key = "ecdsa.pem"',
            "ssl_certificate_key",
            "the key in ecdsa.pem belongs to another certificate than rsa.pem",
        ),
        (
            'ssl_certificate = ["ecdsa.pem", "rsa.pem"]\n'
            'ssl_certificate_key = ["ecdsa.pem", "again.pem"]',
            "ssl_certificate_key",
            "pair 2: the key in again.pem belongs to another certificate than rsa.pem",
        ),
        (
            'ssl_certificate = "rsa.pem"\nssl_certificate_key = "locked.key"',
            "ssl_certificate_key",
            "the key in locked.key is encrypted",
        ),
        (
            'ssl_certificate = "rsa.pem"\nssl_certificate_key = "locked.key"\n'
            'ssl_password_file = "wrong-passphrases"',
            "ssl_certificate_key",
            "the key in locked.key is encrypted",
        ),
        (
            f'{CERTIFICATE}ssl_password_file = "missing"',
            "ssl_password_file",
            "missing does not exist",
        ),
        (
            f'{CERTIFICATE}ssl_password_file = "long-passphrases"',
            "ssl_password_file",
            "line 1 of long-passphrases is too long",
        ),
        (
            f'{CERTIFICATE}ssl_dhparam = "missing"',
            "ssl_dhparam",
            "missing does not exist",
        ),
        (
            f'{CERTIFICATE}ssl_dhparam = "garbage"',
            "ssl_dhparam",
            "garbage is not PEM",
        ),
        (
            f'{CERTIFICATE}ssl_dhparam = "short-dh.pem"',
            "ssl_dhparam",
            "the prime in short-dh.pem has 512 bits",
        ),
        (f'{CERTIFICATE}ssl_ecdh_curve = "bogus"', "ssl_ecdh_curve", "OpenSSL does"),
        (f'{CERTIFICATE}ssl_ciphers = "BOGUS"', "ssl_ciphers", '"BOGUS" selects no'),
        (
            f'{CERTIFICATE}ssl_conf_command = "Foo bar"',
            "ssl_conf_command",
            'OpenSSL does not take "Foo bar"',
        ),
        (
            f'{CERTIFICATE}ssl_conf_command = "Certificate missing"',
            "ssl_conf_command",
            "missing does not exist",
        ),
        (
            f'{CERTIFICATE}ssl_conf_command = "Options UnsafeLegacyRenegotiation"',
            "ssl_conf_command",
            '"Options UnsafeLegacyRenegotiation" would allow clients to renegotiate',
        ),
        (
            f'{CERTIFICATE}{TICKETS}ssl_session_ticket_key = "missing"',
            "ssl_session_ticket_key",
            "missing does not exist",
        ),
        (
            f'{CERTIFICATE}{TICKETS}ssl_session_ticket_key = ["new.key", "short.key"]',
            "ssl_session_ticket_key",
            "short.key must be 48 or 80 bytes",
        ),
        (
            f"{CERTIFICATE}ssl_verify_client = true",
            "ssl_verify_client",
            "no ssl_client_certificate or ssl_trusted_certificate for",
        ),
        (
            f"{CERTIFICATE}ssl_verify_client = true\n"
            'ssl_client_certificate = "missing"',
            "ssl_client_certificate",
            "missing does not exist",
        ),
        (
            f'{CERTIFICATE}{VERIFY}ssl_trusted_certificate = "rsa.key"',
            "ssl_trusted_certificate",
            "rsa.key holds no certificate",
        ),
        (f'{CERTIFICATE}{VERIFY}ssl_crl = "missing"', "ssl_crl", "missing does not"),
        (f'{CERTIFICATE}{VERIFY}ssl_crl = "ca.pem"', "ssl_crl", "ca.pem holds no CRL"),
        (
            f'{CERTIFICATE}{VERIFY}ssl_crl = "old-crl.pem"',
            "ssl_crl",
            "old-crl.pem is out of date",
        ),
        (
            f'{CERTIFICATE}{VERIFY}ssl_crl = "foreign-crl.pem"',
            "ssl_crl",
            "foreign-crl.pem holds the CRL of",
        ),
        (
            f'{CERTIFICATE}{BACKEND}proxy_ssl_certificate = "missing"',
            "proxy_ssl_certificate",
            "missing does not exist",
        ),
        (
            f'{CERTIFICATE}{BACKEND}proxy_ssl_certificate = "rsa.pem"',
            "proxy_ssl_certificate",
            "rsa.pem holds no private key",
        ),
        (
            f'{CERTIFICATE}{BACKEND}proxy_ssl_certificate = "rsa.pem"\n'
            'proxy_ssl_certificate_key = "ecdsa.pem"',
            "proxy_ssl_certificate_key",
            "the key in ecdsa.pem belongs to another certificate than rsa.pem",
        ),
        (
            f'{CERTIFICATE}{BACKEND}proxy_ssl_ciphers = "BOGUS"',
            "proxy_ssl_ciphers",
            '"BOGUS" selects no cipher',
        ),
        (
            f'{CERTIFICATE}{BACKEND}proxy_ssl_protocols = "TLSv1.2"\n'
            'proxy_ssl_trusted_certificate = "missing"',
            "proxy_ssl_trusted_certificate",
            "missing does not exist",
        ),
    ],
)
def test_file_of_the_wrong_kind_is_one_problem_with_its_line(
    stocked: Site, lines: str, path: str, said: str
) -> None:
    (problem,) = stocked.problems(f"{SERVER}{lines}\n")
    found = [line for line in f"{SERVER}{lines}".splitlines() if f"{path} =" in line]
    assert problem.path == f"mail.server[0].{path}"
    assert problem.line == f"{SERVER}{lines}".splitlines().index(found[-1]) + 1
    assert problem.text.replace(f"{stocked.directory}/", "").startswith(said)
    assert problem.remedy
    assert problem.exit_code == 78


def test_crl_without_a_ca_is_warned_of_and_taken_as_in_nginx(stocked: Site) -> None:
    document = f"""{SERVER}{CERTIFICATE}ssl_verify_client = "optional_no_ca"
ssl_crl = "foreign-crl.pem"
"""
    (warning,) = stocked.problems(document)
    assert str(warning).endswith(
        "warning: mail.server[0].ssl_crl: revokes nothing, since there is no CA whose"
        " certificates it could revoke; name the CA as ssl_trusted_certificate"
    )


def test_all_files_are_judged_at_once(stocked: Site) -> None:
    told = stocked.errors(
        f"""{SERVER}
        ssl_certificate = ["rsa.pem", "ecdsa.pem", "again.pem"]
        ssl_certificate_key = ["locked.key", "ecdsa.pem", "rsa.key"]
        ssl_password_file = "wrong-passphrases"
        ssl_dhparam = "short-dh.pem"
        ssl_ecdh_curve = "bogus"
        ssl_session_tickets = true
        ssl_session_ticket_key = ["missing", "short.key"]
        ssl_verify_client = true
        ssl_client_certificate = "ca.pem"
        ssl_crl = "old-crl.pem"
        proxy_ssl = true
        proxy_ssl_certificate = "garbage"
        proxy_ssl_certificate_key = "missing"
        """
    )
    assert [problem.path.removeprefix("mail.server[0].") for problem in told] == [
        "ssl_certificate_key",
        "ssl_certificate_key",
        "ssl_dhparam",
        "ssl_ecdh_curve",
        "ssl_session_ticket_key",
        "ssl_session_ticket_key",
        "ssl_crl",
        "proxy_ssl_certificate",
        "proxy_ssl_certificate_key",
    ]


def test_certificate_that_nobody_is_shown_is_warned_of(stocked: Site) -> None:
    lines = 'ssl_certificate = ["ecdsa.pem", "again.pem"]\n'
    (problem,) = stocked.load(f"{SERVER}{lines}").warnings
    assert problem.path == "mail.server[0].ssl_certificate"
    assert "again.pem (mail.example.org; ECDSA) is never shown" in problem.text


def test_passphrases_that_no_key_needs_are_warned_of(stocked: Site) -> None:
    lines = f'{CERTIFICATE}ssl_password_file = "passphrases"\n'
    assert stocked.said(f"{SERVER}{lines}") == [
        "8: warning: mail.server[0].ssl_password_file: has no effect here: no key is"
        " encrypted; leave it out"
    ]


def test_inherited_file_that_is_wrong_is_one_problem_for_all_servers(
    stocked: Site,
) -> None:
    stocked.file.write_text(
        f"[mail]\nproxy_pass = 'mx'\n{CERTIFICATE}starttls = 'only'\n"
        "ssl_dhparam = 'garbage'\n[[mail.server]]\nlisten = 143\n"
        "[[mail.server]]\nlisten = 110\n"
    )
    with pytest.raises(ConfigError) as wrong:
        load(stocked.file)
    assert [problem.path for problem in wrong.value.problems] == ["mail.ssl_dhparam"]


@pytest.mark.parametrize(
    "lines",
    [
        'ssl_password_file = "missing"',
        'ssl_session_ticket_key = "missing"',
        'ssl_client_certificate = "missing"',
        'ssl_trusted_certificate = "missing"',
        'ssl_crl = "missing"',
        'ssl_dhparam = "missing"\nssl_protocols = "TLSv1.3"',
    ],
)
def test_file_that_decides_nothing_is_not_read(stocked: Site, lines: str) -> None:
    document = f'{SERVER}ssl_certificate = "development"\n{lines}\n'
    (warning,) = stocked.load(document).warnings
    assert warning.path.removeprefix("mail.server[0].") in lines
