"""SASL mechanisms, both roles: RFC 4422, RFC 4616, and base64 as RFC 4954 has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailssl_trio.protocol import sasl
from mailssl_trio.protocol.credentials import Credentials, Password

TEXT = st.binary().filter(lambda text: not set(text) & set(b"\0\r\n"))


def converse(mechanism: bytes, *responses: bytes) -> tuple[list[bytes], Credentials]:
    """Return the challenges of an exchange, and the credentials that it brings."""
    exchange = sasl.server_exchange(mechanism)
    *earlier, last = responses
    challenges = [next(exchange), *map(exchange.send, earlier)]
    with pytest.raises(StopIteration) as over:
        exchange.send(last)
    return challenges, over.value.value


@pytest.mark.parametrize(
    ("message", "credentials"),
    [
        # RFC 4616 section 4, both examples
        (b"\0tim\0tanstaaftanstaaf", Password(b"tim", b"tanstaaftanstaaf")),
        (b"Ursel\0Kurt\0xipj3plmq", Password(b"Kurt", b"xipj3plmq", b"Ursel")),
        (b"\0tim\0", Password(b"tim", b"")),
    ],
)
def test_plain_carries_three_parts(message: bytes, credentials: Password) -> None:
    assert converse(b"PLAIN", message) == ([b""], credentials)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"tim",
        b"tim\0tanstaaf",
        b"\0\0tanstaaf",  # RFC 4616 section 2: authcid is 1*SAFE
        b"\0tim\0tan\0staaf",
        b"\0tim\r\nX: 1\0tanstaaf",
        b"\0tim\0pw\r\nDELE 1",
        b"root\n\0tim\0tanstaaf",
    ],
)
def test_plain_refuses_other_messages(message: bytes) -> None:
    with pytest.raises(sasl.MalformedResponseError):
        converse(b"PLAIN", message)


def test_login_asks_twice() -> None:
    assert converse(b"LOGIN", b"tim", b"tanstaaf") == (
        [b"Username:", b"Password:"],
        Password(b"tim", b"tanstaaf"),
    )


@pytest.mark.parametrize("responses", [(b"", b"x"), (b"a\nb", b"x"), (b"tim", b"a\0b")])
def test_login_refuses_no_name_and_ends_of_lines(
    responses: tuple[bytes, bytes],
) -> None:
    with pytest.raises(sasl.MalformedResponseError):
        converse(b"LOGIN", *responses)


@pytest.mark.parametrize("name", [b"plain", b"Login", b"PLAIN"])
def test_a_mechanism_has_its_name_in_any_case(name: bytes) -> None:
    next(sasl.server_exchange(name))


@pytest.mark.parametrize("name", [b"", b"CRAM-MD5", b"PLAIN ", b"\xff"])
def test_an_unknown_mechanism_is_refused(name: bytes) -> None:
    with pytest.raises(sasl.UnknownMechanismError):
        sasl.server_exchange(name)


@pytest.mark.parametrize("mechanism", sorted(sasl.CLIENT_MECHANISMS))
@given(authcid=TEXT.filter(bool), password=TEXT)
def test_both_roles_understand_each_other(
    mechanism: str, authcid: bytes, password: bytes
) -> None:
    credentials = Password(authcid, password)
    responses = sasl.CLIENT_MECHANISMS[mechanism](credentials)
    assert converse(mechanism.encode(), *responses)[1] == credentials


def test_plain_says_as_whom_to_act() -> None:
    response = next(sasl.plain_response(Password(b"Kurt", b"xipj3plmq", b"Ursel")))
    assert response == b"Ursel\0Kurt\0xipj3plmq"


@given(st.binary())
def test_what_travels_comes_back(message: bytes) -> None:
    assert sasl.decode(sasl.encode(message)) == message


@pytest.mark.parametrize("line", [b"", b"="])
def test_an_equals_sign_is_the_empty_message(line: bytes) -> None:
    """RFC 4954 section 4."""
    assert sasl.decode(line) == b""


@pytest.mark.parametrize(
    "line", [b"x", b"AGpv*ZQ==", b"AGpvZQ", b"AGpvZQ=", b"AG pv", b"*", b"==", b"\xff"]
)
def test_what_is_not_base64_is_refused(line: bytes) -> None:
    with pytest.raises(sasl.MalformedResponseError):
        sasl.decode(line)


@pytest.mark.parametrize(
    "refusal",
    [sasl.UnknownMechanismError, sasl.MalformedResponseError, sasl.CancelledError],
)
def test_a_refusal_says_why_and_nothing_of_what_was_sent(
    refusal: type[sasl.SaslError],
) -> None:
    assert refusal.text
    assert str(refusal()) == ""
