"""What nginx had where nothing was said, by its version."""

import pytest

from mailssl_trio.config.nginx.versions import parse_version
from tests.config.nginx.site import Site

TLS = "ssl_certificate a; ssl_certificate_key b; server { listen 993 ssl; }"
SAYING = "\n# Where nothing is said, nginx has this:\n"
TICKETS = "ssl_session_tickets = true\n"
OLD = 'ssl_protocols = ["TLSv1", "TLSv1.1", "TLSv1.2"]\n'

WRITTEN_OUT = {
    "1.31.5": TICKETS,
    "1.27.3": TICKETS,
    "1.27.2": f'ssl_protocols = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]\n{TICKETS}',
    "1.23.3": OLD + TICKETS,
    "1.22.1": OLD + TICKETS,
    "1.8.0": f'ssl_protocols = ["SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2"]\n{TICKETS}',
    "1.0.0": 'ssl_protocols = ["SSLv3", "TLSv1"]\n'
    f'ssl_ciphers = "HIGH:!ADH:!MD5"\n{TICKETS}',
}


def defaults(nginx: Site, document: str, version: str | None = None) -> str:
    text = nginx.toml(document, parse_version(version) if version else None)
    mail = text.partition("\n\n[[mail.server]]")[0] + "\n"
    return mail.partition(SAYING)[2]


@pytest.mark.parametrize("version", WRITTEN_OUT)
def test_defaults_of_a_version_are_written_out(nginx: Site, version: str) -> None:
    document = f"mail {{ auth_http 127.0.0.1; {TLS} }}"
    assert defaults(nginx, document, version) == WRITTEN_OUT[version]


def test_defaults_without_a_version_are_those_of_the_latest(nginx: Site) -> None:
    assert defaults(nginx, f"mail {{ auth_http 127.0.0.1; {TLS} }}") == TICKETS


def test_what_is_said_is_not_said_again(nginx: Site) -> None:
    for said in ("ssl_session_tickets off;", "ssl_session_tickets on;"):
        document = f"mail {{ auth_http 127.0.0.1; {said} {TLS} }}"
        assert defaults(nginx, document) == ""
    own = TLS.replace("ssl;", "ssl; ssl_session_tickets off;")
    assert defaults(nginx, f"mail {{ auth_http 127.0.0.1; {own} }}") == ""


def test_server_without_tls_has_no_need_of_it(nginx: Site) -> None:
    document = "mail { auth_http 127.0.0.1; server { listen 143; } }"
    assert defaults(nginx, document, "1.22.1") == ""


def test_server_of_smtp_has_as_much_room_for_a_command_as_in_nginx(
    nginx: Site,
) -> None:
    document = "mail {{ auth_http 127.0.0.1; server {{ listen {}; {} }} }}"
    assert defaults(nginx, document.format(587, "")) == 'smtp_client_buffer = "4k"\n'
    for port, said in ((143, ""), (110, ""), (587, "smtp_client_buffer 1k;")):
        assert defaults(nginx, document.format(port, said)) == ""


def test_version_is_a_row_of_numbers() -> None:
    assert parse_version("1.22.1") == (1, 22, 1)
    for text in ("1", "1.x", "", "1.-2", "nginx/1.22.1"):
        with pytest.raises(ValueError, match="not a version"):
            parse_version(text)
