"""Requests: what is one, and what is refused without being quoted."""

import json

import pytest

from mailssl_trio.supervision.control.request import Request, RequestError, parse
from mailssl_trio.supervision.control.verbs import TAKES


def said(**fields: object) -> bytes:
    return json.dumps({"v": 1, **fields}).encode()


def test_request_is_a_verb_and_what_stands_beside_it() -> None:
    request = parse(said(verb="who", user="zoë", all=True), TAKES)
    assert request == Request("who", {"user": "zoë", "all": True})
    assert request.text("user") == "zoë"
    assert request.text("session") is None
    assert request.flag("all")
    assert not request.flag("now")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"\0" * 100, "not JSON"),
        (b"[" * 60_000, "not JSON"),
        (b"GET / HTTP/1.1\r", "not JSON"),
        (b"[]", "a request is"),
        (b'"status"', "a request is"),
        (b'{"verb": "status"}', "a request is"),
        (b'{"v": "1", "verb": "status"}', "a request is"),
        (b'{"v": true, "verb": "status"}', "a request is"),
        (b'{"v": 1}', "a request is"),
        (b'{"v": 1, "verb": 7}', "a request is"),
        (b'{"v": 2, "verb": "status"}', "version 1"),
        (said(verb="shutdown"), "unknown verb; there are"),
        (said(verb="__class__"), "unknown verb"),
        (said(verb="status", all=True), "takes nothing else"),
        (said(verb="who", usr="x"), "takes user, session, network, all"),
        (said(verb="who", user=7), "`user` must be a string"),
        (said(verb="who", user=None), "`user` must be a string"),
        (said(verb="who", all=1), "`all` must be true or false"),
        (said(verb="stop", now="yes"), "`now` must be true or false"),
    ],
)
def test_what_is_no_request_is_refused(line: bytes, why: str) -> None:
    with pytest.raises(RequestError, match=why):
        parse(line, TAKES)


@pytest.mark.parametrize(
    ("word", "network"),
    [
        ("192.0.2.7", "192.0.2.7/32"),
        ("192.0.2.7/24", "192.0.2.0/24"),
        ("2001:db8::1", "2001:db8::1/128"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ("fe80::1%\n[alert] forged", "fe80::1/128"),
    ],
)
def test_network_may_be_an_address(word: str, network: str) -> None:
    assert Request("who", {"network": word}).network("network") == network


def test_what_is_no_network_is_refused_and_not_quoted() -> None:
    with pytest.raises(RequestError) as refused:
        Request("who", {"network": "\x1b[2J"}).network("network")
    assert str(refused.value) == "`network` is no address and no network"
