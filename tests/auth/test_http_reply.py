"""What the auth server answers, right and wrong."""

from pathlib import Path

import pytest

from mailssl_trio.auth.http_reply import (
    AuthHttpError,
    Backend,
    Refusal,
    Reply,
    Wait,
    read_reply,
)
from mailssl_trio.transport.address import TcpAddress, UnixAddress
from mailssl_trio.transport.upstream import ProxySsl

GOOD = {"auth-status": "OK", "auth-server": "192.0.2.9", "auth-port": "143"}
THERE = TcpAddress("192.0.2.9", 143)


def answered(protocol: str = "imap", **values: str) -> Reply:
    """Read an answer that is good but for these headers; "" leaves one out."""
    said = GOOD | {name.replace("_", "-"): value for name, value in values.items()}
    headers = [(k.encode(), v.encode("latin-1")) for k, v in said.items() if v]
    return read_reply(headers, protocol)


def test_user_who_may_log_in_is_sent_to_a_backend() -> None:
    assert answered() == Backend(THERE)


def test_names_and_passwords_for_the_backend_are_taken_raw() -> None:
    reply = answered(auth_user="joe%20@x", auth_pass="a b\xff")
    assert reply == Backend(THERE, b"joe%20@x", b"a b\xff")


@pytest.mark.parametrize(
    ("server", "address"),
    [
        ("192.0.2.9", THERE),
        ("2001:db8::9", TcpAddress("2001:db8::9", 143)),
        ("[2001:db8::9]", TcpAddress("2001:db8::9", 143)),
        ("imap.example.org", TcpAddress("imap.example.org", 143)),
        ("3com.example", TcpAddress("3com.example", 143)),
        ("embedded", TcpAddress("embedded", 143)),
        ("unix:/run/imap", UnixAddress(Path("/run/imap"))),
        ("unix:/run/\xc3\xbc", UnixAddress(Path("/run/ü"))),
        ("unix:/run/\xfc", UnixAddress(Path("/run/\udcfc"))),
    ],
)
def test_backend_is_an_address_a_name_or_a_socket(
    server: str, address: TcpAddress | UnixAddress
) -> None:
    assert answered(auth_server=server) == Backend(address)


def test_unix_socket_needs_no_port() -> None:
    reply = answered(auth_server="unix:/run/imap", auth_port="")
    assert reply == Backend(UnixAddress(Path("/run/imap")))


@pytest.mark.parametrize(
    ("headers", "wrong"),
    [
        ({"auth_status": ""}, "did not send status"),
        ({"auth_server": ""}, "did not send server or port"),
        ({"auth_port": ""}, "did not send server or port"),
        ({"auth_server": "127.0.0.1:143"}, 'invalid server address:"127.0.0.1:143"'),
        ({"auth_server": "127.0.0.1  x"}, 'invalid server address:"127.0.0.1  x"'),
        ({"auth_server": "300.1.1.1"}, 'invalid server address:"300.1.1.1"'),
        ({"auth_server": "127.1"}, 'invalid server address:"127.1"'),
        ({"auth_server": "2130706433"}, 'invalid server address:"2130706433"'),
        ({"auth_server": "0x7f000001"}, 'invalid server address:"0x7f000001"'),
        ({"auth_server": "0x7f.1"}, 'invalid server address:"0x7f.1"'),
        ({"auth_server": "[imap]"}, r'invalid server address:"\[imap\]"'),
        ({"auth_server": "unix:imap"}, 'invalid server address:"unix:imap"'),
        ({"auth_server": "im\xe4p"}, r'invalid server address:"im\\xe4p"'),
        ({"auth_port": "0"}, 'invalid server port:"0"'),
        ({"auth_port": "65536"}, 'invalid server port:"65536"'),
        ({"auth_port": "143x"}, 'invalid server port:"143x"'),
        ({"auth_port": "-1"}, 'invalid server port:"-1"'),
        ({"auth_backend_ssl": "yes"}, 'invalid Auth-Backend-SSL:"yes"'),
        ({"auth_backend_name": "a b"}, 'invalid Auth-Backend-Name:"a b"'),
        ({"auth_backend_name": "a..b"}, 'invalid Auth-Backend-Name:"a..b"'),
        ({"auth_smtp_auth": "yes"}, 'invalid Auth-SMTP-Auth:"yes"'),
        ({"auth_status": "WAIT"}, "sent WAIT and no time to wait"),
        ({"auth_status": "WAIT", "auth_wait": "0"}, "no time to wait"),
        ({"auth_status": "WAIT", "auth_wait": "soon"}, "no time to wait"),
        ({"auth_status": "no", "auth_error_sasl": "*"}, "sent invalid SASL error"),
    ],
)
def test_whatever_is_wrong_is_said(headers: dict[str, str], wrong: str) -> None:
    with pytest.raises(AuthHttpError, match=wrong):
        answered(**headers)


@pytest.mark.parametrize("code", ["235 2.0.0", "5355", "535-5.7.8", "535 5.7", "x"])
def test_code_that_refuses_nothing_is_wrong_where_it_matters(code: str) -> None:
    with pytest.raises(AuthHttpError, match="sent invalid error code"):
        answered("smtp", auth_status="no", auth_error_code=code)
    assert answered("imap", auth_status="no", auth_error_code=code) == Refusal("no")


@pytest.mark.parametrize("status", ["no", "ok", "Ok", "wait", "OK OK", "Später"])
def test_whatever_is_neither_ok_nor_wait_is_what_the_client_hears(status: str) -> None:
    headers = [(b"auth-status", status.encode())]
    assert read_reply(headers, "imap") == Refusal(status)


def test_empty_status_refuses_in_the_usual_words() -> None:
    assert read_reply([(b"auth-status", b"")], "imap") == Refusal("")


def test_refusal_has_a_code_a_time_and_what_a_mechanism_says() -> None:
    reply = answered(
        "smtp",
        auth_status="no",
        auth_error_code="454 4.7.1",
        auth_wait="3",
        auth_error_sasl="eyJzIjoxfQ==",
    )
    assert reply == Refusal("no", 3, "454 4.7.1", b'{"s":1}')


@pytest.mark.parametrize("wait", ["0", "soon", "-1", "1.5", "10000000000"])
def test_time_that_is_no_number_is_no_time(wait: str) -> None:
    assert answered(auth_status="no", auth_wait=wait) == Refusal("no")


def test_wait_has_a_time() -> None:
    assert answered(auth_status="WAIT", auth_wait="5") == Wait(5)


@pytest.mark.parametrize(
    ("statuses", "reply"),
    [
        (("OK", "no"), Refusal("no")),
        (("no", "OK"), Refusal("no")),
        (("never", "no"), Refusal("no")),
        (("WAIT", "no"), Refusal("no", 1)),
        (("OK", "WAIT"), Wait(1)),
    ],
)
def test_of_several_statuses_the_worst_counts(
    statuses: tuple[str, ...], reply: Reply
) -> None:
    headers = [(b"auth-status", status.encode()) for status in statuses]
    if reply != Refusal("no"):
        headers.append((b"auth-wait", b"1"))
    assert read_reply(headers, "imap") == reply


@pytest.mark.parametrize("ssl", [*ProxySsl])
def test_backend_is_secured_as_the_auth_server_says(ssl: ProxySsl) -> None:
    reply = answered(
        auth_backend_ssl=ssl.value,
        auth_backend_name="imap.example.org",
        auth_smtp_auth="off",
    )
    assert reply == Backend(THERE, ssl=ssl, name="imap.example.org", smtp_auth=False)


@pytest.mark.parametrize("protocol", ["imap", "pop3", "smtp"])
def test_text_for_the_client_is_one_bearable_line(protocol: str) -> None:
    status = b"no\x1b[2J\x07 entry " + b"x" * 30_000
    reply = read_reply([(b"auth-status", status)], protocol)
    assert isinstance(reply, Refusal)
    assert reply.text.startswith("no?[2J? entry xxx")
    assert len(reply.text) == 400
