"""The values of ``auth_http`` and ``auth_http_header``."""

from pathlib import Path

import pytest

from mailssl_trio.auth.http_server import AuthServer, parse_auth_server, parse_header
from mailssl_trio.transport.address import TcpAddress, UnixAddress


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("auth", AuthServer(TcpAddress("auth", 80), "auth")),
        ("http://auth", AuthServer(TcpAddress("auth", 80), "auth")),
        ("auth:8080/a?b=c", AuthServer(TcpAddress("auth", 8080), "auth", "/a?b=c")),
        ("[::1]:8080/", AuthServer(TcpAddress("::1", 8080), "[::1]")),
        ("https://auth", AuthServer(TcpAddress("auth", 443), "auth", "/", True)),
        (
            "https://127.0.0.1:1/x",
            AuthServer(TcpAddress("127.0.0.1", 1), "127.0.0.1", "/x", True),
        ),
        ("unix:/s", AuthServer(UnixAddress(Path("/s")), "localhost")),
        ("unix:/s:/a", AuthServer(UnixAddress(Path("/s")), "localhost", "/a")),
    ],
)
def test_what_stands_there_is_read_and_written_again(
    text: str, server: AuthServer
) -> None:
    assert parse_auth_server(text) == server
    assert parse_auth_server(str(server)) == server


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http://",
        "http:///uri",
        "unix:",
        "unix:/s:uri",
        "embedded",
        "https://unix:/s",
        "host:0",
        "host:65536",
        "host:port",
        "ftp://host",
        "user@host",
        "host?x",
        "host/a b",
        "host/\r\nX: y",
        "host/ä",
        "h\u00f6st",
    ],
)
def test_what_leads_nowhere_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_auth_server(text)


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("X-Key secret", ("X-Key", "secret")),
        ("X-Key   two words  ", ("X-Key", "two words")),
        ("X-Key", ("X-Key", "")),
        ("X-Key $remote_addr:x", ("X-Key", "$remote_addr:x")),
    ],
)
def test_header_is_a_name_and_a_value(text: str, header: tuple[str, str]) -> None:
    assert parse_header(text) == header


@pytest.mark.parametrize(
    "text",
    [
        "",
        " value",
        "X-Key: secret",
        "X-Key sec\r\nret",
        "X-Key s\u00e9cret",
        "Host secret",
        "content-length secret",
        "Transfer-Encoding secret",
        "Connection secret",
    ],
)
def test_header_that_cannot_be_sent_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ValueError, match=r".+") as refused:
        parse_header(text)
    assert "secret" not in str(refused.value)
