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
        nginx.file.write_text(HEAD + "".join(text))
        ours = nginx.refusal(DEBIANS)
        theirs = [said for said in nginx_says(nginx.file) if "duplicate" not in said]
        looked_up = [said for said in theirs if said.startswith("host not found")]
        if not looked_up:  # names are looked up when we start, not here
            assert theirs == list(filter(None, [ours])), "".join(text)


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
