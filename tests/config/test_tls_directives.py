"""What each directive of TLS takes, and what is said about all else."""

from pathlib import Path

import pytest

from mailssl_trio.config.model import VirtualServer
from mailssl_trio.tls.policy import (
    BackendTlsPolicy,
    Inline,
    Pair,
    SessionCache,
    SharedCache,
    TlsPolicy,
    VerifyClient,
)
from tests.config.site import Site

SERVER = """
[mail]
proxy_pass = "10.0.0.1"
proxy_ssl = "starttls"
ssl_certificate = "development"
[[mail.server]]
listen = "127.0.0.1:143"
starttls = "only"
"""

CACHES = (
    'write "off", "none", "builtin:1000", "shared:SSL:10m", or the last two together'
)
WHOLE = 'is not a time in whole seconds; write seconds, or "5m", "1h30m"'
COMMAND = (
    "is not a command and its value; for example"
    ' "Ciphersuites TLS_CHACHA20_POLY1305_SHA256"'
)
ENGINE = (
    "is a form of nginx's that is not available here; put the key into a file and"
    " name the file"
)
NO_DATA = "data: is not taken here; put it into a file and name the file"


def server(site: Site, lines: str) -> VirtualServer:
    return site.load(f"{SERVER}{lines}\n").servers[0]


def policy(site: Site, lines: str) -> TlsPolicy:
    tls = server(site, lines).tls
    assert tls is not None
    return tls


def backend(site: Site, lines: str) -> BackendTlsPolicy:
    upstream = server(site, lines).upstream
    assert upstream is not None
    return upstream.tls


# Good values.


@pytest.mark.parametrize(
    ("value", "cache"),
    [
        ('"off"', SessionCache(announced=False)),
        ('"none"', SessionCache()),
        ('"builtin"', SessionCache(builtin=20480)),
        ('"builtin:1000"', SessionCache(builtin=1000)),
        ('"builtin:0"', SessionCache(builtin=20480)),
        ('"shared:SSL:10m"', SessionCache(shared=SharedCache("SSL", 10 * 2**20))),
        ('"shared:a b:32k"', None),
        ('["shared:a b:32K"]', SessionCache(shared=SharedCache("a b", 32 * 2**10))),
        ('"shared:SSL:32768"', SessionCache(shared=SharedCache("SSL", 32768))),
        (
            '"builtin:1000 shared:SSL:10m"',
            SessionCache(builtin=1000, shared=SharedCache("SSL", 10 * 2**20)),
        ),
        (
            '["shared:SSL:1m", "builtin"]',
            SessionCache(builtin=20480, shared=SharedCache("SSL", 2**20)),
        ),
    ],
)
def test_session_cache_is_read_as_in_nginx(
    site: Site, value: str, cache: SessionCache | None
) -> None:
    line = f"ssl_session_cache = {value}"
    if cache is None:
        assert len(site.said(f"{SERVER}{line}\n")) == 1
    else:
        assert policy(site, line).session_cache == cache


@pytest.mark.parametrize(
    ("value", "seconds"), [('"5m"', 300), ("1", 1), ('"1h30m"', 5400), ('"7d"', 604800)]
)
def test_sessions_last_whole_seconds(site: Site, value: str, seconds: int) -> None:
    lines = f'ssl_session_timeout = {value}\nssl_session_cache = "builtin"'
    assert policy(site, lines).session_timeout == seconds


@pytest.mark.parametrize(
    ("value", "mode"),
    [
        ("true", VerifyClient.ON),
        ('"On"', VerifyClient.ON),
        ("false", VerifyClient.OFF),
        ('"optional"', VerifyClient.OPTIONAL),
        ('"optional_no_ca"', VerifyClient.OPTIONAL_NO_CA),
    ],
)
def test_clients_are_verified_in_four_ways(
    site: Site, value: str, mode: VerifyClient
) -> None:
    lines = f'ssl_verify_client = {value}\nssl_client_certificate = "cert.pem"'
    assert policy(site, lines).verify_client is mode


@pytest.mark.parametrize(
    ("value", "commands"),
    [
        ('"Options -MiddleboxCompat"', [("Options", "-MiddleboxCompat")]),
        (
            '["Options  ServerPreference", "Ciphersuites TLS_AES_256_GCM_SHA384 "]',
            [
                ("Options", "ServerPreference"),
                ("Ciphersuites", "TLS_AES_256_GCM_SHA384"),
            ],
        ),
        ("[]", []),
    ],
)
def test_commands_for_openssl_are_a_name_and_a_value(
    site: Site, value: str, commands: list[tuple[str, str]]
) -> None:
    chosen = policy(site, f"ssl_conf_command = {value}").conf_commands
    assert chosen == tuple(commands)


def test_policy_has_what_each_directive_says(stocked: Site) -> None:
    lines = """
        ssl_certificate = ["rsa.pem", "ecdsa.pem"]
        ssl_certificate_key = ["locked.key", "ecdsa.pem"]
        ssl_password_file = "passphrases"
        ssl_protocols = "TLSv1.2"
        ssl_ciphers = "ECDHE"
        ssl_prefer_server_ciphers = true
        ssl_dhparam = "dh.pem"
        ssl_ecdh_curve = "X25519"
        ssl_conf_command = "Options -MiddleboxCompat"
        ssl_session_cache = "shared:SSL:1m"
        ssl_session_timeout = "1h"
        ssl_session_tickets = true
        ssl_session_ticket_key = ["new.key", "old.key"]
        ssl_verify_client = "optional"
        ssl_client_certificate = "ca.pem"
        ssl_trusted_certificate = "ca.pem"
        ssl_verify_depth = 2
        ssl_crl = "crl.pem"
    """
    directory = stocked.directory
    assert policy(stocked, lines) == TlsPolicy(
        (
            Pair(directory / "rsa.pem", directory / "locked.key"),
            Pair(directory / "ecdsa.pem", directory / "ecdsa.pem"),
        ),
        password_file=directory / "passphrases",
        protocols=("TLSv1.2",),
        ciphers="ECDHE",
        prefer_server_ciphers=True,
        dhparam=directory / "dh.pem",
        ecdh_curve="X25519",
        conf_commands=(("Options", "-MiddleboxCompat"),),
        session_cache=SessionCache(shared=SharedCache("SSL", 2**20)),
        session_timeout=3600,
        session_tickets=True,
        session_ticket_keys=(directory / "new.key", directory / "old.key"),
        verify_client=VerifyClient.OPTIONAL,
        client_certificate=directory / "ca.pem",
        trusted_certificate=directory / "ca.pem",
        verify_depth=2,
        crl=directory / "crl.pem",
    )


def test_policy_without_directives_is_that_of_the_defaults(site: Site) -> None:
    chosen = policy(site, "")
    assert chosen == TlsPolicy(chosen.pairs)
    assert backend(site, "") == BackendTlsPolicy()


def test_key_in_the_configuration_itself_is_taken(
    site: Site, pem: tuple[str, str]
) -> None:
    site.file.touch(0o600)
    certificate, key = pem
    lines = (
        f'ssl_certificate = """data:{certificate}"""\n'
        f'ssl_certificate_key = """data:{key}"""'
    )
    assert policy(site, lines).pairs == (Pair(Inline(certificate), Inline(key)),)


@pytest.mark.parametrize(
    ("lines", "directive"),
    [
        (
            'ssl_certificate = "cert.pem"\nssl_certificate_key = """data:{key}"""',
            "ssl_certificate_key",
        ),
        ('ssl_certificate = """data:{key}{certificate}"""', "ssl_certificate"),
        (
            'ssl_certificate = """data:{key}{certificate}"""\n'
            'ssl_certificate_key = "key.pem"',
            "ssl_certificate",
        ),
        (
            'proxy_ssl_certificate = "cert.pem"\n'
            'proxy_ssl_certificate_key = """data:{key}"""',
            "proxy_ssl_certificate_key",
        ),
    ],
)
def test_key_in_a_configuration_that_all_can_read_is_refused(
    site: Site, pem: tuple[str, str], lines: str, directive: str
) -> None:
    certificate, key = pem
    site.file.touch()
    site.file.chmod(0o644)
    document = lines.format(certificate=certificate, key=key)
    (told,) = site.said(f"{SERVER}{document}\n")
    assert told.partition(": ")[2] == (
        f"mail.server[0].{directive}: the key in mail.toml is open to every user"
        " (mode 0644); chmod o-rwx mail.toml"
    )


def test_certificate_in_a_configuration_that_all_can_read_is_no_matter(
    site: Site, pem: tuple[str, str]
) -> None:
    certificate, _ = pem
    site.file.touch()
    site.file.chmod(0o644)
    document = f'ssl_certificate = """data:{certificate}"""\n'
    assert site.said(f"{SERVER}{document}ssl_certificate_key = 'key.pem'\n") == []


def test_backend_is_shown_a_certificate_and_spoken_to_as_is_said(site: Site) -> None:
    lines = """
        proxy_ssl_certificate = "cert.pem"
        proxy_ssl_certificate_key = "key.pem"
        proxy_ssl_protocols = "TLSv1.3"
        proxy_ssl_ciphers = "HIGH"
        proxy_ssl_session_reuse = false
    """
    assert backend(site, lines) == BackendTlsPolicy(
        pair=Pair(site.directory / "cert.pem", site.directory / "key.pem"),
        protocols=("TLSv1.3",),
        ciphers="HIGH",
        session_reuse=False,
    )


# Bad ones.


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ssl_certificate = []", "no certificate; name a PEM file"),
        ("ssl_certificate = true", 'true is not a string; write "…"'),
        ('ssl_certificate = ""', '"" is not a file name'),
        (
            'ssl_certificate = "data:SECRET"',
            "there is no PEM behind data:; write the text from -----BEGIN on",
        ),
        (
            'ssl_certificate_key = "data:hidden"',
            "`show` has hidden the key that was here; `show --secrets` writes it out",
        ),
        ('ssl_certificate_key = "engine:pkcs11:1"', f'"engine:pkcs11:1" {ENGINE}'),
        ('ssl_certificate_key = "store:pkcs11:1"', f'"store:pkcs11:1" {ENGINE}'),
        ("ssl_certificate_key = 1", '1 is not a string; write "…"'),
        ('ssl_password_file = ""', '"" is not a file name'),
        ('ssl_password_file = "data:SECRET"', NO_DATA),
        ('ssl_dhparam = ["a", "b"]', 'an array is not a string; write "…"'),
        ('ssl_dhparam = "data:-----BEGIN DH PARAMETERS-----"', NO_DATA),
        (
            'ssl_ecdh_curve = "X25519 prime256v1"',
            '"X25519 prime256v1" is not a list of curves; for example "auto", or'
            ' "X25519:prime256v1"',
        ),
        ("ssl_ecdh_curve = true", 'true is not a string; write "…"'),
        ('ssl_conf_command = "Options"', f'"Options" {COMMAND}'),
        ('ssl_conf_command = ""', f'"" {COMMAND}'),
        ('ssl_conf_command = "A b\\u0000"', f'"A b\\x00" {COMMAND}'),
        ("ssl_conf_command = {}", 'a table is not a string; write "…"'),
        (
            'ssl_prefer_server_ciphers = "yes"',
            '"yes" is not a flag; write true or false',
        ),
        ("ssl_session_cache = []", f"no session cache; {CACHES}"),
        ('ssl_session_cache = ""', f"no session cache; {CACHES}"),
        ("ssl_session_cache = true", 'true is not a list; write ["WORD", "WORD"]'),
        (
            'ssl_session_cache = "off shared:SSL:10m"',
            '"off" and "shared:SSL:10m" contradict each other; keep one of them, or one'
            " `builtin` and one `shared`",
        ),
        (
            'ssl_session_cache = "builtin builtin:5"',
            '"builtin" and "builtin:5" contradict each other; keep one of them, or one'
            " `builtin` and one `shared`",
        ),
        (
            'ssl_session_timeout = "500ms"',
            f'"500ms" {WHOLE}',
        ),
        ('ssl_session_timeout = "1s1000ms"', f'"1s1000ms" {WHOLE}'),
        ("ssl_session_timeout = 0", f"0 {WHOLE}"),
        ("ssl_session_timeout = -1", f"-1 {WHOLE}"),
        ("ssl_session_timeout = 1.5", f"1.5 {WHOLE}"),
        ('ssl_session_timeout = "200y"', f'"200y" {WHOLE}'),
        (
            'ssl_session_tickets = "yes"',
            '"yes" is not a flag; write true or false',
        ),
        ("ssl_session_ticket_key = {}", 'a table is not a string; write "…"'),
        ('ssl_session_ticket_key = "data:SECRET"', NO_DATA),
        (
            'ssl_verify_client = "maybe"',
            'unknown ssl_verify_client mode "maybe" (known: off, on, optional,'
            " optional_no_ca)",
        ),
        (
            'ssl_verify_client = "optionnal"',
            'unknown ssl_verify_client mode "optionnal" (known: off, on, optional,'
            " optional_no_ca); did you mean `optional`?",
        ),
        ('ssl_client_certificate = ""', '"" is not a file name'),
        ("ssl_trusted_certificate = 1", '1 is not a string; write "…"'),
        ("ssl_verify_depth = -1", "-1 is not a number; write 0, 1, 2, …"),
        ('ssl_verify_depth = "1"', '"1" is not a number; write 0, 1, 2, …'),
        (
            "ssl_verify_depth = 2147483648",
            "2147483648 is too much; write at most 2147483647",
        ),
        ("ssl_crl = false", 'false is not a string; write "…"'),
        ('ssl_crl = "data:-----BEGIN X509 CRL-----"', NO_DATA),
        ("proxy_ssl_certificate = []", 'an array is not a string; write "…"'),
        (
            'proxy_ssl_certificate_key = "data:"',
            "there is no PEM behind data:; write the text from -----BEGIN on",
        ),
        (
            'proxy_ssl_ciphers = ""',
            '"" is not a cipher list; for example "HIGH:!aNULL:!MD5"',
        ),
        (
            'proxy_ssl_session_reuse = "yes"',
            '"yes" is not a flag; write true or false',
        ),
        (
            "ssl_early_data = true",
            "a directive of nginx's that is not available here; leave it out: early"
            " data could be replayed, so there is none",
        ),
        (
            "ssl_certificate_compression = true",
            "a directive of nginx's that is not available here; leave it out:"
            " certificates are not compressed",
        ),
        (
            "ssl_stapling = true",
            "a directive of nginx's that is not available here; leave it out: no OCSP"
            " responses are sent",
        ),
        (
            'ssl_buffer_size = "4k"',
            "a directive of nginx's that is not available here; leave it out: nothing"
            " waits to fill a record",
        ),
        (
            "ssl_session_ticket = true",
            "unknown directive; did you mean `ssl_session_tickets`?",
        ),
    ],
)
def test_value_that_a_directive_does_not_take_is_one_problem(
    site: Site, line: str, said: str
) -> None:
    directive = line.partition(" ")[0]
    place = f"9: mail.server[0].{directive}: "
    assert site.said(f"{SERVER}\n{line}\n") == [f"{place}{said}"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            'ssl_certificate = ["cert.pem",\n"other.pem",\n"cert.pem"]',
            '10: mail.server[0].ssl_certificate[2]: "cert.pem" is there twice; name'
            " each file once",
        ),
        (
            'ssl_certificate = ["cert.pem",\n"development"]',
            '9: mail.server[0].ssl_certificate[1]: "development" stands alone; name'
            " files for all certificates, or for none",
        ),
        (
            'ssl_session_ticket_key = ["new.key", "old.key",\n"new.key"]',
            '9: mail.server[0].ssl_session_ticket_key[2]: "new.key" is there twice;'
            " name each file once",
        ),
        (
            'ssl_conf_command = ["Options ServerPreference",\n"Options"]',
            f'9: mail.server[0].ssl_conf_command[1]: "Options" {COMMAND}',
        ),
        (
            'ssl_protocols = ["TLSv1.2",\n1]',
            "9: mail.server[0].ssl_protocols[1]: 1 is not a word of printable ASCII",
        ),
        (
            'proxy_ssl_protocols = ["TLSv1.2",\n"TLSv1.4"]',
            '9: mail.server[0].proxy_ssl_protocols[1]: unknown protocol "TLSv1.4"'
            " (known: SSLv2, SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3); did you mean"
            " `TLSv1.3`?",
        ),
        *(
            (
                f'ssl_session_cache = ["{word}"]',
                "8: mail.server[0].ssl_session_cache[0]: invalid session cache"
                f' "{word}"; {CACHES}',
            )
            for word in (
                "on",
                "Off",
                "builtin:",
                "builtin:x",
                "builtin:-1",
                "shared",
                "shared:SSL",
                "shared::10m",
                "shared:SSL:10g",
                "shared:SSL:10m:x",
                "shared:SSL:",
                "builtin:1 shared:SSL:10m",
            )
        ),
        (
            'ssl_session_cache = "builtin shared:SSL:31k"',
            '8: mail.server[0].ssl_session_cache[1]: session cache "shared:SSL:31k" is'
            " too small; give it 32k or more",
        ),
        (
            'ssl_session_cache = "shared:SSL:9999999m"',
            "8: mail.server[0].ssl_session_cache[0]: session cache"
            ' "shared:SSL:9999999m" is too large; give it 16384m or less',
        ),
    ],
)
def test_element_of_a_list_is_named_by_its_own_line(
    site: Site, line: str, said: str
) -> None:
    assert site.said(f"{SERVER}{line}\n") == [said]


@pytest.mark.parametrize("mail", ['ssl_session_cache = "shared:SSL:10m"', ""])
def test_zone_of_two_sizes_is_one_problem_with_both_lines(
    site: Site, mail: str
) -> None:
    assert site.said(
        f"""
        [mail]
        proxy_pass = "10.0.0.1"
        ssl_certificate = "development"
        starttls = "only"
        {mail}
        [[mail.server]]
        listen = 143
        {'ssl_session_cache = "shared:SSL:10240k"' if not mail else ""}
        [[mail.server]]
        listen = 110
        ssl_session_cache = "builtin shared:SSL:20m"
        """
    ) == [
        f'11: mail.server[1].ssl_session_cache: zone "SSL" of 20m has 10m in line'
        f" {5 if mail else 8}; give it one size, or each its own name"
    ]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ('"key.pem"', "no key for certificate b.pem in line 9"),
        ('["key.pem"]', "no key for certificate b.pem in line 9"),
        ('["1", "2", "3"]', "no certificate in line 9 for key 3"),
    ],
)
def test_certificates_and_keys_must_be_as_many(
    site: Site, keys: str, said: str
) -> None:
    lines = f'ssl_certificate_key = {keys}\nssl_certificate = ["cert.pem", "b.pem"]\n'
    assert site.said(f"{SERVER}{lines}") == [
        f"8: mail.server[0].ssl_certificate_key: {said}; name as many keys as"
        " certificates, in the same order"
    ]


def test_problems_of_all_directives_are_told_at_once(site: Site) -> None:
    told = site.problems(
        f"""{SERVER}
        ssl_certificate_key = 1
        ssl_ciphers = "BOGUS"
        ssl_session_timeout = 0
        ssl_session_cache = "some"
        ssl_verify_client = "maybe"
        """
    )
    assert [problem.path.removeprefix("mail.server[0].") for problem in told] == [
        "ssl_certificate_key",
        "ssl_ciphers",
        "ssl_session_timeout",
        "ssl_session_cache[0]",
        "ssl_verify_client",
    ]


def test_secret_is_in_no_message_and_no_repr(site: Site, pem: tuple[str, str]) -> None:
    certificate, key = pem
    site.file.touch(0o600)
    secret = key.splitlines()[1][:12]
    for directive in (
        "ssl_certificate_key",
        "proxy_ssl_certificate",
        "ssl_crl",
        "ssl_protocols",
        "ssl_session_cache",
        "ssl_session_timeout",
        "ssl_conf_command",
        "ssl_certificate_kye",
        "ssl_ciphers",
        "server_name",
    ):
        lines = f'ssl_certificate = ["cert.pem"]\n{directive} = """data:{key}"""\n'
        for problem in site.problems(f"{SERVER}{lines}"):
            assert secret not in repr(problem)
    lines = (
        f'ssl_certificate = """data:{certificate}"""\n'
        f'ssl_certificate_key = """data:{key}"""'
    )
    assert secret not in repr(site.load(f"{SERVER}{lines}\n"))


def test_key_that_cannot_be_read_is_one_problem_and_not_looked_for_elsewhere(
    site: Site,
) -> None:
    lines = 'ssl_certificate = "cert.pem"\nssl_certificate_key = ["key.pem", 1]\n'
    assert site.said(f"{SERVER}{lines}") == [
        '9: mail.server[0].ssl_certificate_key[1]: 1 is not a string; write "…"'
    ]
    backends = 'proxy_ssl_certificate = "cert.pem"\nproxy_ssl_certificate_key = 1\n'
    assert site.said(f"{SERVER}{backends}") == [
        '9: mail.server[0].proxy_ssl_certificate_key: 1 is not a string; write "…"'
    ]


def test_sessions_that_tls_13_ends_earlier_are_warned_of(site: Site) -> None:
    lines = 'ssl_session_timeout = "8d"\nssl_session_cache = "builtin"\n'
    assert site.said(f"{SERVER}{lines}") == [
        "8: warning: mail.server[0].ssl_session_timeout: TLS 1.3 sessions end after a"
        ' week (RFC 8446 section 4.6.1); write at most "7d"'
    ]
    assert site.said(f"{SERVER}{lines}ssl_protocols = 'TLSv1.2'\n") == []


def test_old_protocols_towards_a_backend_are_warned_of(site: Site) -> None:
    (told,) = site.said(f"{SERVER}proxy_ssl_protocols = 'TLSv1.2 SSLv3'\n")
    assert told == (
        "8: warning: mail.server[0].proxy_ssl_protocols: SSLv3 is known, but OpenSSL"
        " cannot speak it; remove it"
    )


def test_files_that_commands_name_lie_beside_the_configuration(
    site: Site, tmp_path: Path
) -> None:
    line = 'ssl_conf_command = ["verifyCAfile cert.pem", "Options -MiddleboxCompat"]'
    assert policy(site, line).conf_commands == (
        ("verifyCAfile", str(tmp_path / "cert.pem")),
        ("Options", "-MiddleboxCompat"),
    )
