"""Cut off or scrambled, it is refused as nginx refuses it, without a traceback."""

import tomllib
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailssl_trio.config.nginx.importing import import_nginx
from mailssl_trio.config.nginx.refusal import RefusedError
from mailssl_trio.files import Content, Files
from tests.config.nginx.oracle import HEAD, nginx_says
from tests.config.nginx.site import Site

DOCUMENT = r"""
mail {  # the "gateway"
    auth_http 127.0.0.1:9000/auth;
    auth_http_header X-Key "a \"quoted\" ${key}";
    smtp_capabilities 'SIZE 100' DSN; timeout 1m30s;
    server { listen 143; protocol imap;
        server_name mail\ host;
    }
}
"""

DEBIANS = (1, 22, 1)

SCRAPS = st.lists(
    st.sampled_from(
        [
            *"{};#\\'\"$ \n\r\t)a",
            *("mail ", "server ", "listen ", "143", "timeout ", "${", "include ", "5m"),
            *("events {}", "auth_http ", "127.0.0.1", "ssl on;", "ssl_certificate "),
            *("starttls ", "only;", "unix:", "[::1]", "imap_auth ", "plain;", "\udce9"),
        ]
    ),
    max_size=30,
).map("".join)


@pytest.mark.interop
def test_cut_anywhere_it_is_refused_as_nginx_refuses_it(nginx: Site) -> None:
    for cut in range(0, len(DOCUMENT), 3):
        nginx.file.write_text(HEAD + DOCUMENT[:cut])
        assert nginx_says(nginx.file) == list(filter(None, [nginx.refusal()])), cut


@pytest.mark.interop
def test_scrambled_it_is_refused_as_nginx_refuses_it(nginx: Site) -> None:
    random = Random(143)
    for _ in range(150):
        text = list(DOCUMENT)
        for _ in range(random.randint(1, 3)):
            text[random.randrange(len(text))] = random.choice("{};#\\'\" \n$a5")
        _compare(nginx, "".join(text))


PIECES = {
    "mail {{ timeout '{}'; }}": "1 0 25 d h m s ms M y w \\s",
    "mail {{ ssl_session_timeout '{}'; }}": "1 0 25 d h m s ms M y w \\s",
    "mail {{ proxy_buffer '{}'; }}": "1 0 8 k K m g",
    "mail {{ max_errors '{}'; }}": "1 0 - + a",
    "mail {{ server {{ listen '{}'; protocol imap; }} }}": (
        "1 143 : [ ] ::1 * - 127.0.0.1 / ? unix: 0"
    ),
    "mail {{ server {{ listen 143 '{}'; }} }}": (
        "so_keepalive= backlog= ipv6only= on off 1 m : ssl bind rcvbuf= k"
    ),
    "mail {{ auth_http '{}'; }}": "http:// 143 : [ ] ::1 127.0.0.1 / ? unix: x",
    "mail {{ ssl_session_cache '{}'; }}": "shared : SSL 1m builtin off none 32k 9",
    "mail {{ error_log stderr{}; }}": (
        "\\sinfo \\swarn \\sdebug \\sdebug_mail \\sdebug_core"
    ),
    "mail {{ resolver 127.0.0.1 '{}'; }}": "valid = 1 m ipv6 on off",
}
"""Directives, and what their values are made of."""


@pytest.mark.interop
def test_value_of_any_shape_is_refused_as_nginx_refuses_it(nginx: Site) -> None:
    random = Random(993)
    for _ in range(250):
        form = random.choice(list(PIECES))
        pieces = [each.replace("\\s", " ") for each in PIECES[form].split()]
        value = "".join(random.choices(pieces, k=random.randint(1, 6)))
        document = form.format(value)
        _compare(nginx, document)


def _compare(nginx: Site, document: str) -> None:
    """Ask both; but names are looked up when we start, not here."""
    nginx.file.write_text(HEAD + document)
    theirs = [said for said in nginx_says(nginx.file) if "duplicate value" not in said]
    if not any(said.startswith("host not found") for said in theirs):
        assert theirs == list(filter(None, [nginx.refusal(DEBIANS)])), document


@given(SCRAPS)
@settings(max_examples=300, deadline=None)
def test_whatever_it_is_it_is_refused_or_becomes_toml(scraps: str) -> None:
    file = Path("/nowhere/nginx.conf")
    content = f"events {{}} mail {{ {scraps}".encode(errors="surrogateescape")
    files = Files({file: Content(content)}, on_disk=False)
    try:
        imported = import_nginx(file, files)
    except RefusedError:
        return
    assert "mail" in tomllib.loads(imported.text)
    assert imported.text.count("\n") == len(imported.origins)
