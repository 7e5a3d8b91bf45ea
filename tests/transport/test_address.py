"""Where a backend may be, as operators write it."""

from pathlib import Path

import pytest

from mailssl_trio.transport.address import (
    Address,
    EmbeddedAddress,
    TcpAddress,
    UnixAddress,
    parse_address,
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("mail.example.org", TcpAddress("mail.example.org", 143)),
        ("192.0.2.1:1143", TcpAddress("192.0.2.1", 1143)),
        ("[2001:db8::1]", TcpAddress("2001:db8::1", 143)),
        ("[::1]:65535", TcpAddress("::1", 65535)),
        ("unix:/run/imap", UnixAddress(Path("/run/imap"))),
        ("embedded", EmbeddedAddress()),
    ],
)
def test_address_is_read_and_written(text: str, address: Address) -> None:
    assert parse_address(text, 143) == address
    assert parse_address(str(address), 143) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":143",
        "host:",
        "host:0",
        "host:65536",
        "::1",
        "[::1",
        "a b:1",
        "unix:",
        "h/x",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"port|HOST|path"):
        parse_address(text, 143)
