"""What nginx would refuse is refused in its words, file and line included."""

import pytest

from tests.config.nginx.oracle import HEAD, nginx_says
from tests.config.nginx.refusals import OF_1_22, OLD_WORDS, PARAMETERS, REFUSED
from tests.config.nginx.site import Site
from tests.config.site import Site as SiteOfOurs

PAIR = "ssl_certificate cert.pem; ssl_certificate_key key.pem;"

TAKEN = (
    "# c",
    "mail {}",
    "mail { }# the end",
    "mail { timeout 5;# five\n }",
    "mail { \"timeout\" '5'; }",
    "mail { timeout '1h 30m'; }",
    "mail { timeout 1h30m; auth_http_timeout ' 5'; proxy_timeout '1m1'; }",
    "mail { ssl_session_timeout 1y1M1w1d1h1m1s; }",
    "mail { timeout m30s; proxy_timeout 1hm; resolver_timeout m5; }",
    "mail { timeout 0; max_errors 0; }",
    "mail { xclient ON; starttls Only; ssl_protocols tlsv1.2; imap_auth PLAIN; }",
    "mail { imap_capabilities A 'B C'; imap_capabilities D; }",
    "mail { auth_http unix:/a:b; auth_http 127.0.0.1?x=1; auth_http [::1]/x; }",
    "mail { error_log stderr debug_mail debug_core; }",
    "mail { ssl_session_cache shared:a:1m builtin; ssl_session_cache off; }",
    "mail { server_name a${b}c$d; }",
    "mail { server_name 'a\\'b'; }",
    'mail { server_name "a;b{c}d#e\n"; }',
    "mail { server_name a#b; }",
    "mail { proxy on; }",
    "mail { ssl_ciphers $none; ssl_verify_client optional_no_ca; }",
    "http { server { listen 80; location ~ '^/a{2}$' { return 200 '}'; } } }",
    "include *.none;",
    "worker_processes auto; user root root; worker_priority -5; env A=b; daemon on;",
    "mail { auth_http 127.0.0.1; server { listen unix:x; protocol imap; } }",
    "mail { auth_http 127.0.0.1; server { listen 143; listen 127.0.0.1:143 bind; } }",
    "mail { auth_http 127.0.0.1; server { listen 143 backlog=1; } }",
    "mail { auth_http 127.0.0.1; server { listen 143 so_keepalive=1m::3 rcvbuf=8k; } }",
    "mail { auth_http 127.0.0.1; server { protocol smtp; listen 3; protocol imap; } }",
)


def _write(nginx: Site, document: str) -> None:
    nginx.file.write_text(HEAD + document)


def _told(said: str, nginx: Site) -> str:
    return said.replace("HERE", str(nginx.file)).replace(
        "DIRECTORY", str(nginx.directory)
    )


@pytest.mark.parametrize(("document", "said"), REFUSED.items(), ids=map(repr, REFUSED))
def test_refused_in_the_words_of_nginx(nginx: Site, document: str, said: str) -> None:
    _write(nginx, document)
    assert nginx.refusal() == _told(said, nginx)


@pytest.mark.parametrize(("document", "said"), {**OF_1_22, **OLD_WORDS}.items())
def test_old_versions_are_refused_what_they_refused(
    nginx: Site, document: str, said: str
) -> None:
    _write(nginx, document)
    assert nginx.refusal((1, 22, 1)) == _told(said, nginx)


@pytest.mark.parametrize(("document", "said"), PARAMETERS.items())
def test_unknown_parameter_of_listen_is_refused(
    nginx: Site, document: str, said: str
) -> None:
    _write(nginx, document)
    assert nginx.refusal() == _told(said, nginx)


@pytest.mark.parametrize("document", TAKEN)
def test_taken_as_nginx_takes_it(nginx: Site, document: str) -> None:
    _write(nginx, document + "\nmail {}" * ("mail {" not in document))
    assert nginx.refusal() == ""


def test_directive_that_a_version_does_not_have_is_unknown_to_it(nginx: Site) -> None:
    _write(nginx, "mail { ssl on; }")
    said = _told('unknown directive "ssl" in HERE:2', nginx)
    assert nginx.refusal((1, 25, 1)) == said
    assert nginx.refusal((1, 25, 0)) == ""
    assert nginx.refusal() == ""


def test_file_that_is_not_there_is_refused(nginx: Site) -> None:
    said = f'open() "{nginx.file}" failed (2: No such file or directory)'
    assert nginx.refusal() == said


def test_configuration_without_events_is_refused(nginx: Site) -> None:
    nginx.write("mail {}")
    assert nginx.refusal() == 'no "events" section in configuration'


@pytest.mark.parametrize("word", ["on", "optional"])
def test_certificates_of_clients_are_somebodys(nginx: Site, word: str) -> None:
    tls = f"{PAIR} ssl_verify_client {word}; {{}} server {{{{ listen 993 ssl; }}}}"
    document = f"mail {{{{ auth_http 127.0.0.1; {tls} }}}}"
    _write(nginx, document.format(""))
    either = (
        "no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client"
    )
    assert nginx.refusal() == nginx.refusal((1, 27, 2)) == either
    assert (
        nginx.refusal((1, 27, 1)) == "no ssl_client_certificate for ssl_verify_client"
    )
    _write(nginx, document.format("ssl_trusted_certificate cert.pem;"))
    assert nginx.refusal() == ""
    assert (
        nginx.refusal((1, 27, 1)) == "no ssl_client_certificate for ssl_verify_client"
    )
    _write(nginx, document.format("ssl_client_certificate cert.pem;"))
    assert nginx.refusal((1, 27, 1)) == ""


@pytest.mark.interop
def test_nginx_says_the_same_of_certificates_of_clients(
    nginx: Site, site: SiteOfOurs
) -> None:
    tls = f"{PAIR} ssl_verify_client on; server {{ listen 993 ssl; }}"
    _write(nginx, f"mail {{ auth_http 127.0.0.1; {tls} }}")
    assert site.directory == nginx.directory
    assert nginx_says(nginx.file) == [nginx.refusal((1, 22, 1))]


def test_message_does_nothing_to_a_terminal(nginx: Site) -> None:
    _write(nginx, "mail { '\x1b[2J'; }")
    said = f'unknown directive "\\x1b[2J" in {nginx.file}:2'
    assert nginx.refusal() == said


@pytest.mark.interop
@pytest.mark.parametrize("document", [*REFUSED, *OF_1_22, *OLD_WORDS], ids=repr)
def test_nginx_says_the_same(nginx: Site, document: str) -> None:
    _write(nginx, document)
    said = {**REFUSED, **OF_1_22, **OLD_WORDS}[document]
    assert nginx_says(nginx.file)[-1:] == [_told(said, nginx)]


@pytest.mark.interop
@pytest.mark.parametrize("document", TAKEN)
def test_nginx_takes_it_too(nginx: Site, document: str) -> None:
    _write(nginx, document)
    refusals = [
        said for said in nginx_says(nginx.file) if "duplicate value" not in said
    ]
    assert refusals == []
