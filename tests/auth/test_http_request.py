"""What the auth server is told: nginx's headers, in its order and escaping."""

from ipaddress import ip_address
from ssl import PEM_cert_to_DER_cert

import pytest
import trustme
from attrs import evolve

from mailssl_trio.auth.http_request import request_headers
from mailssl_trio.auth.http_server import AuthHttp, parse_auth_server
from mailssl_trio.auth.route import LoginAttempt
from mailssl_trio.protocol.credentials import (
    Apop,
    Bearer,
    Credentials,
    Digest,
    Envelope,
    External,
    Password,
)
from mailssl_trio.protocol.events import TlsInfo
from mailssl_trio.protocol.introduction import Introduction
from mailssl_trio.protocol.proxy_header import Addresses
from tests.auth.attempts import CLIENT, attempt

SETTINGS = AuthHttp(parse_auth_server("auth.example.org:8080/mail"))


def lines(asked: LoginAttempt, settings: AuthHttp = SETTINGS) -> list[bytes]:
    """Return the headers as they travel."""
    return [b"%s: %s" % header for header in request_headers(settings, asked)]


def test_plain_login_is_told_as_nginx_tells_it_and_ours_stands_behind() -> None:
    assert lines(attempt(Password(b"joe", b"x"), number=3)) == [
        b"Host: auth.example.org",
        b"Auth-Method: plain",
        b"Auth-User: joe",
        b"Auth-Pass: x",
        b"Auth-Protocol: imap",
        b"Auth-Login-Attempt: 3",
        b"Client-IP: 192.0.2.1",
        b"Client-Port: 50000",
        b"Server-Addr: 198.51.100.1",
        b"Server-Port: 143",
    ]


def test_names_and_passwords_are_escaped_up_to_the_space_and_the_percent_sign() -> None:
    told = lines(attempt(Password(b"a b%c\x01\x7f\xc3\xa9", b"\t \x1f!~%41\xff")))
    assert told[2:4] == [
        b"Auth-User: a%20b%25c%01\x7f\xc3\xa9",
        b"Auth-Pass: %09%20%1F!~%2541\xff",
    ]


@pytest.mark.parametrize(
    ("credentials", "told"),
    [
        (
            Apop(b"joe", b"<1.2@mx>", b"0123456789abcdef" * 2),
            [
                b"Auth-Method: apop",
                b"Auth-User: joe",
                b"Auth-Pass: 0123456789abcdef0123456789abcdef",
                b"Auth-Salt: <1.2@mx>",
            ],
        ),
        (
            Digest(b"joe", b"<1.2@mx>", b"0123456789abcdef" * 2),
            [
                b"Auth-Method: cram-md5",
                b"Auth-User: joe",
                b"Auth-Pass: 0123456789abcdef0123456789abcdef",
                b"Auth-Salt: <1.2@mx>",
            ],
        ),
        (
            External(b"joe"),
            [b"Auth-Method: external", b"Auth-User: joe", b"Auth-Pass: "],
        ),
        (
            Bearer(b"joe", b"token", "XOAUTH2"),
            [b"Auth-Method: xoauth2", b"Auth-User: joe", b"Auth-Pass: token"],
        ),
        (
            Bearer(b"joe", b"token"),
            [b"Auth-Method: oauthbearer", b"Auth-User: joe", b"Auth-Pass: token"],
        ),
    ],
)
def test_each_mechanism_has_its_method_and_what_takes_the_passwords_place(
    credentials: Credentials, told: list[bytes]
) -> None:
    assert lines(attempt(credentials))[1:-6] == told


def test_mail_without_a_login_is_told_with_the_commands_as_they_came() -> None:
    envelope = Envelope(b"MAIL FROM:<a@b> SIZE=3", b"RCPT TO:<c@d> \x0b ")
    client = evolve(CLIENT, helo=b"client.example", host="mx.example.org")
    assert lines(attempt(envelope, protocol="smtp", client=client))[1:-3] == [
        b"Auth-Method: none",
        b"Auth-User: ",
        b"Auth-Pass: ",
        b"Auth-Protocol: smtp",
        b"Auth-Login-Attempt: 1",
        b"Client-IP: 192.0.2.1",
        b"Client-Host: mx.example.org",
        b"Auth-SMTP-Helo: client.example",
        b"Auth-SMTP-From: MAIL FROM:<a@b> SIZE=3",
        b"Auth-SMTP-To: RCPT TO:<c@d> %0B",
    ]


def test_client_of_a_unix_socket_has_neither_ports_nor_addresses() -> None:
    asked = attempt(client=Introduction())
    assert lines(asked)[-2:] == [b"Client-IP: unix:", b"Server-Addr: unix:"]


def test_smtp_client_whose_name_nobody_has_looked_up_is_unavailable() -> None:
    assert b"Client-Host: [UNAVAILABLE]" in lines(attempt(protocol="smtp"))


def test_what_a_proxy_header_said_is_passed_on() -> None:
    there = ip_address("::ffff:192.0.2.7")
    said = Addresses(ip_address("2001:db8::1"), 1, there, 65535)
    told = lines(attempt(proxy_addresses=said))
    assert told[7:11] == [
        b"Proxy-Protocol-Addr: 2001:db8::1",
        b"Proxy-Protocol-Port: 1",
        b"Proxy-Protocol-Server-Addr: ::ffff:192.0.2.7",
        b"Proxy-Protocol-Server-Port: 65535",
    ]


def test_tls_is_told_and_the_name_that_was_asked_for_stands_last() -> None:
    tls = TlsInfo("TLSv1.3", "TLS_AES_256_GCM_SHA384", "mail.example.org")
    told = lines(attempt(tls=tls))
    assert told[7:10] == [
        b"Auth-SSL: on",
        b"Auth-SSL-Protocol: TLSv1.3",
        b"Auth-SSL-Cipher: TLS_AES_256_GCM_SHA384",
    ]
    assert told[-1] == b"Auth-SSL-SNI: mail.example.org"
    assert not [line for line in told if line.startswith(b"Auth-SSL-Verify")]


def test_client_that_has_no_certificate_is_told_with_one_word() -> None:
    told = lines(attempt(tls=TlsInfo("TLSv1.3", verified="NONE")))
    assert told[10] == b"Auth-SSL-Verify: NONE"
    assert not [line for line in told if line.startswith(b"Auth-SSL-Sub")]


def test_certificate_is_told_and_its_pem_only_where_it_is_asked_for() -> None:
    leaf = trustme.CA().issue_cert("joe@example.org", common_name="joe")
    pem = leaf.cert_chain_pems[0].bytes().decode()
    shown = TlsInfo(
        "TLSv1.3", verified="SUCCESS", certificate=PEM_cert_to_DER_cert(pem)
    )
    told = lines(attempt(tls=shown))
    names = [line.partition(b":")[0] for line in told[10:]]
    assert names[:5] == [
        b"Auth-SSL-Verify",
        b"Auth-SSL-Subject",
        b"Auth-SSL-Issuer",
        b"Auth-SSL-Serial",
        b"Auth-SSL-Fingerprint",
    ]
    assert b"Auth-SSL-Cert" not in names
    (with_pem,) = [
        line
        for line in lines(attempt(tls=shown), evolve(SETTINGS, pass_client_cert=True))
        if line.startswith(b"Auth-SSL-Cert: ")
    ]
    escaped = pem.strip().replace("%", "%25").replace(" ", "%20").replace("\n", "%0A")
    assert with_pem.removesuffix(b"%0A") == b"Auth-SSL-Cert: " + escaped.encode()


def test_headers_of_the_operator_stand_last_and_in_order() -> None:
    settings = evolve(SETTINGS, headers=(("X-Key", "a b"), ("Y", "$remote_addr")))
    assert lines(attempt(), settings)[-2:] == [b"X-Key: a b", b"Y: $remote_addr"]
