"""The auth server of a virtual server, as it is configured."""

import tomllib
from pathlib import Path

import pytest
from attrs import evolve

from mailssl_trio.auth.http_server import AuthHttp, parse_auth_server
from mailssl_trio.config.effective import as_toml
from mailssl_trio.tls.policy import BackendTlsPolicy
from mailssl_trio.transport.upstream import ProxySsl
from tests.config.site import Site

SERVER = '[mail]\n[[mail.server]]\nlisten = "127.0.0.1:143"\n'
ASKED = f'{SERVER}auth_http = "auth.example.org"\n'


def asked(site: Site, lines: str) -> AuthHttp:
    """Return what a server knows of its auth server."""
    (server,) = site.load(f"{SERVER}{lines}\n").servers
    assert server.auth_http is not None
    assert (server.upstream, server.users) == (None, None)
    return server.auth_http


def test_auth_server_is_asked_as_nginx_asks_it(site: Site) -> None:
    settings = asked(site, 'auth_http = "auth.example.org/mail"')
    assert settings == AuthHttp(parse_auth_server("auth.example.org/mail"))
    assert settings.timeout == 60


def test_everything_that_can_be_said_of_it_is_heard(stocked: Site) -> None:
    settings = asked(
        stocked,
        """
auth_http = "https://auth.example.org/mail"
auth_http_header = ["X-Key secret", "Y"]
auth_http_timeout = "2s500ms"
auth_http_ssl_trusted_certificate = "ca.pem"
proxy_ssl = "starttls"
proxy_ssl_trusted_certificate = "ca.pem"
""",
    )
    ca = stocked.directory / "ca.pem"
    assert settings == AuthHttp(
        parse_auth_server("https://auth.example.org/mail"),
        2.5,
        (("X-Key", "secret"), ("Y", "")),
        trusted_certificate=ca,
        proxy_ssl=ProxySsl.STARTTLS,
        backend_tls=BackendTlsPolicy(trusted_certificate=ca),
    )
    assert settings.tls == BackendTlsPolicy(trusted_certificate=ca)
    assert "secret" not in repr(settings)


def test_socket_lies_beside_the_configuration(site: Site) -> None:
    settings = asked(site, 'auth_http = "unix:auth.sock:/mail"')
    expected = parse_auth_server(f"unix:{site.directory}/auth.sock:/mail")
    assert settings.server == expected


@pytest.mark.parametrize("other", ["users", "proxy_pass"])
@pytest.mark.parametrize("where", ["server", "mail"])
def test_nobody_decides_beside_an_auth_server(
    site: Site, other: str, where: str
) -> None:
    value = {"users": "users.toml", "proxy_pass": "10.0.0.1"}[other]
    line = f'{other} = "{value}"\n'
    if where == "mail":
        document, place = (
            ASKED.replace("[mail]\n", f"[mail]\n{line}"),
            f"2: mail.{other}",
        )
    else:
        document, place = ASKED + line, f"5: mail.server[0].{other}"
    at = 5 if where == "mail" else 4
    (said,) = site.said(document)
    assert said == (
        f"{place}: conflicts with `auth_http` in line {at}, which decides who may log"
        " in, and where; keep one of them, and set each in the servers that it is for"
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            'auth_http = "ftp://x"',
            '4: mail.server[0].auth_http: "ftp://x" is no auth server: neither'
            " HOST:PORT, [IPv6]:PORT, unix:PATH nor embedded; for example"
            ' "http://auth.example.org:8080/mail", or "unix:PATH:/URI"',
        ),
        (
            "auth_http = 80",
            '4: mail.server[0].auth_http: 80 is not a string; write "…"',
        ),
    ],
)
def test_auth_server_that_is_none_is_named_and_nothing_else(
    site: Site, line: str, said: str
) -> None:
    assert site.said(f"{SERVER}{line}\n") == [said]


@pytest.mark.parametrize(
    ("value", "index", "said"),
    [
        ('"X-Key: secret"', 0, 'no header: write "NAME VALUE"'),
        ('["Y", "X sécret"]', 1, "the value of a header is printable ASCII"),
        ('["Host secret"]', 0, "this header is not yours to set"),
        ("[1]", 0, 'not a string; write "NAME VALUE"'),
    ],
)
def test_header_that_cannot_be_sent_is_named_and_not_quoted(
    site: Site, value: str, index: int, said: str
) -> None:
    place = f"5: mail.server[0].auth_http_header[{index}]"
    document = f"{ASKED}auth_http_header = {value}\n"
    assert site.said(document) == [f"{place}: {said}"]


@pytest.mark.parametrize(
    ("lines", "warned"),
    [
        ("auth_http_timeout = 5", "auth_http_timeout: has no effect here: there is no"),
        ('auth_http_header = "X y"', "auth_http_header: has no effect here: there is"),
    ],
)
def test_what_concerns_an_auth_server_is_idle_without_one(
    site: Site, lines: str, warned: str
) -> None:
    (said,) = site.said(f'{SERVER}proxy_pass = "10.0.0.1"\n{lines}\n')
    assert f"warning: mail.server[0].{warned}" in said


def test_client_certificate_is_not_passed_where_none_is_asked_for(site: Site) -> None:
    (said,) = site.said(f"{ASKED}auth_http_pass_client_cert = true\n")
    assert said == (
        "5: warning: mail.server[0].auth_http_pass_client_cert: has no effect here:"
        " `ssl_verify_client` is off; leave it out"
    )


def test_ca_of_an_auth_server_that_is_asked_in_the_clear_is_an_error(
    stocked: Site,
) -> None:
    line = 'auth_http_ssl_trusted_certificate = "ca.pem"\n'
    (error,) = stocked.errors(ASKED + line)
    assert error.text.endswith("`auth_http` does not begin with https://")


def test_ca_that_is_none_is_named_by_its_directive(stocked: Site) -> None:
    (error,) = stocked.errors(
        f'{SERVER}auth_http = "https://auth.example.org"\n'
        'auth_http_ssl_trusted_certificate = "garbage"\n'
    )
    assert error.path == "mail.server[0].auth_http_ssl_trusted_certificate"


def test_ca_of_backends_is_read_whether_or_not_there_is_tls_yet(stocked: Site) -> None:
    (error,) = stocked.errors(ASKED + 'proxy_ssl_trusted_certificate = "garbage"\n')
    assert error.path == "mail.server[0].proxy_ssl_trusted_certificate"


def test_tls_towards_backends_is_ready_for_when_the_auth_server_asks_for_it(
    stocked: Site,
) -> None:
    settings = asked(
        stocked,
        'auth_http = "auth.example.org"\nproxy_ssl_trusted_certificate = "ca.pem"',
    )
    ca = stocked.directory / "ca.pem"
    assert settings.backend_tls == BackendTlsPolicy(trusted_certificate=ca)
    assert settings.proxy_ssl is ProxySsl.OFF


def test_headers_are_inherited_as_a_whole(site: Site) -> None:
    document = """
        [mail]
        auth_http = "auth.example.org"
        auth_http_header = ["A 1", "B 2"]
        [[mail.server]]
        listen = "127.0.0.1:143"
        [[mail.server]]
        listen = "127.0.0.1:110"
        auth_http_header = "C 3"
        """
    one, other = site.load(document).servers
    assert one.auth_http is not None
    assert one.auth_http.headers == (("A", "1"), ("B", "2"))
    assert other.auth_http == evolve(one.auth_http, headers=(("C", "3"),))


def test_values_of_headers_are_shown_only_to_who_asks_for_secrets(site: Site) -> None:
    config = site.load(f'{ASKED}auth_http_header = "X-Key s3cret"\n')
    assert "s3cret" in as_toml(config, secrets=True)
    hidden = as_toml(config)
    assert "s3cret" not in hidden
    (said,) = site.errors(hidden)
    assert said.text == "`show` has hidden what was here"
    assert said.path == "mail.server[0].auth_http_header[0]"


def test_effective_configuration_names_the_auth_server(site: Site) -> None:
    (server,) = tomllib.loads(as_toml(site.load(ASKED)))["mail"]["server"]
    assert server["auth_http"] == "http://auth.example.org:80/"
    assert not {"users", "proxy_pass", "proxy_ssl"} & set(server)
    assert Path(server.get("auth_http_ssl_trusted_certificate", "/")) == Path("/")
