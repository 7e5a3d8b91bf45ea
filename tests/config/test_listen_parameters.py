"""The words behind the address of a ``listen``: read, and written again."""

import pytest

from mailssl_trio.config.effective import as_toml
from mailssl_trio.config.listen_parameters import socket_options, socket_words
from mailssl_trio.transport.socket_options import Keepalive, SocketOptions
from tests.config.site import Site


@pytest.mark.parametrize(
    ("word", "options"),
    [
        ("backlog=1", SocketOptions(backlog=1)),
        ("rcvbuf=64k", SocketOptions(rcvbuf=65536)),
        ("sndbuf=1m", SocketOptions(sndbuf=1048576)),
        ("ipv6only=off", SocketOptions(ipv6only=False)),
        ("multipath", SocketOptions(multipath=True)),
        ("so_keepalive=on", SocketOptions(keepalive=Keepalive())),
        ("so_keepalive=off", SocketOptions(keepalive=Keepalive(is_on=False))),
        (
            "so_keepalive=1800::10",
            SocketOptions(keepalive=Keepalive(True, 1800, 0, 10)),
        ),
        ("so_keepalive=1:2:3", SocketOptions(keepalive=Keepalive(True, 1, 2, 3))),
        ("so_keepalive=::9", SocketOptions(keepalive=Keepalive(True, 0, 0, 9))),
    ],
)
def test_parameter_is_read_and_written(word: str, options: SocketOptions) -> None:
    assert socket_options(["ssl", word]) == options
    assert list(socket_words(options)) == [word]


@pytest.mark.parametrize(
    ("word", "seconds"),
    [("30", 30), ("30m", 1800), ("1h30m", 5400), ("30:", 30), ("30::", 30)],
)
def test_times_of_keepalive_are_as_nginx_has_them(word: str, seconds: int) -> None:
    options = socket_options([f"so_keepalive={word}"])
    assert options.keepalive == Keepalive(idle=seconds)


@pytest.mark.parametrize("words", [[], ["bind"], ["ipv6only=on"], ["backlog=511"]])
def test_what_is_so_anyway_needs_no_word(words: list[str]) -> None:
    assert socket_options(words) == SocketOptions()
    assert list(socket_words(SocketOptions())) == []


@pytest.mark.parametrize(
    ("listen", "said"),
    [
        ("127.0.0.1:143 ipv6only=off", "`ipv6only` has no effect on 127.0.0.1:143: it"
         " is no address of IPv6"),
        ("unix:/run/imap so_keepalive=on", "`so_keepalive` has no effect on"
         " unix:/run/imap: it is a socket in the file system"),
        ("unix:/run/imap multipath", "`multipath` has no effect on unix:/run/imap: it"
         " is a socket in the file system"),
    ],
)  # fmt: skip
def test_parameter_that_decides_nothing_is_warned_of(
    site: Site, listen: str, said: str
) -> None:
    assert site.said(
        f"""
        [mail]
        proxy_pass = "10.0.0.1"
        [[mail.server]]
        listen = "{listen}"
        protocol = "imap"
        """
    ) == [f"4: warning: mail.server[0].listen: {said}; leave it out"]


@pytest.mark.parametrize("word", ["systemd:", "systemd:a:b", "systemd:\u00e9"])
def test_socket_of_systemds_has_a_name(site: Site, word: str) -> None:
    (said,) = [
        line
        for line in site.said(f"""
            [mail]
            [[mail.server]]
            listen = "{word}"
            protocol = "imap"
            starttls = "off"
            proxy_pass = "127.0.0.1"
            """)
        if "listen" in line
    ]
    assert "it must be systemd:NAME, as FileDescriptorName= has it" in said


def test_socket_of_systemds_needs_no_address_but_a_protocol(site: Site) -> None:
    document = """
        [mail]
        [[mail.server]]
        listen = "systemd:imap"
        proxy_pass = "127.0.0.1"
    """
    assert "2: mail.server[0]: no `protocol`" in site.said(document)[0]
    config = site.load(f"{document}protocol = 'imap'\n")
    assert 'listen = "systemd:imap"' in as_toml(config)
