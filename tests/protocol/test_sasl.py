"""SASL mechanisms, both roles: RFC 4422, RFC 4616, and base64 as RFC 4954 has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailssl_trio.protocol import sasl
from mailssl_trio.protocol.credentials import (
    Bearer,
    Credentials,
    Digest,
    Envelope,
    External,
    Password,
)

TEXT = st.binary().filter(lambda text: not set(text) & set(b"\0\r\n"))


CHALLENGE = b"<1896.697170952@postoffice.reston.mci.net>"  # RFC 2195 section 2
ENABLED = ("CRAM-MD5", "EXTERNAL", "XOAUTH2", "OAUTHBEARER")


def converse(mechanism: bytes, *responses: bytes) -> tuple[list[bytes], Credentials]:
    """Return the challenges of an exchange, and the credentials that it brings."""
    exchange = sasl.server_exchange(mechanism, ENABLED, lambda: CHALLENGE)
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


def test_cram_md5_answers_a_challenge() -> None:
    """RFC 2195 section 2, whose user has no spaces in its name; others may."""
    digest = b"b913a602c7eda7a495b4e6e7334d3890"
    for user in (b"tim", b"tim t."):
        assert converse(b"CRAM-MD5", user + b" " + digest) == (
            [CHALLENGE],
            Digest(user, CHALLENGE, digest),
        )


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"tim",
        b"b913a602c7eda7a495b4e6e7334d3890",
        b" b913a602c7eda7a495b4e6e7334d3890",
        b"tim b913a602c7eda7a495b4e6e7334d389",
        b"tim b913a602c7eda7a495b4e6e7334d38900",
        b"tim b913a602c7eda7a495b4e6e7334d389g",
        b"tim b913a602c7eda7a495b4e6e7334d3890 ",
        b"tim b913a602c7eda7a495b4e6e7334d3890\n",
        b"t\0m b913a602c7eda7a495b4e6e7334d3890",
    ],
)
def test_cram_md5_takes_a_name_and_32_digits(response: bytes) -> None:
    with pytest.raises(sasl.MalformedResponseError):
        converse(b"CRAM-MD5", response)


def test_what_answers_a_challenge_cannot_come_before_it() -> None:
    assert not sasl.takes_initial_response(b"cram-md5")
    assert sasl.takes_initial_response(b"external")


@pytest.mark.parametrize("name", [b"fred@example.com", b""])
def test_external_says_as_whom_to_act_or_nothing(name: bytes) -> None:
    """RFC 4422 appendix A.2, both examples."""
    assert converse(b"EXTERNAL", name) == ([b"Username:"], External(name))


def test_external_refuses_what_ends_a_line() -> None:
    with pytest.raises(sasl.MalformedResponseError):
        converse(b"EXTERNAL", b"fred\r\nX: 1")


TOKEN = b"vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="


@pytest.mark.parametrize(
    ("message", "name"),
    [
        # RFC 7628 section 4.1
        (
            b"n,a=user@example.com,\x01host=server.example.com\x01port=143\x01"
            b"auth=Bearer " + TOKEN + b"\x01\x01",
            b"user@example.com",
        ),
        (b"y,a=j=2Co=3De,\x01AUTH=bearer  " + TOKEN + b"\x01\x01", b"j,o=e"),
        (b"n,,\x01auth=Bearer " + TOKEN + b"\x01\x01", b""),
    ],
)
def test_oauthbearer_carries_a_token(message: bytes, name: bytes) -> None:
    credentials = Bearer(name, TOKEN, "OAUTHBEARER")
    assert converse(b"OAUTHBEARER", message) == ([b""], credentials)


def test_xoauth2_carries_a_token() -> None:
    message = b"user=someuser@example.com\x01auth=Bearer " + TOKEN + b"\x01\x01"
    credentials = Bearer(b"someuser@example.com", TOKEN, "XOAUTH2")
    assert converse(b"XOAUTH2", message) == ([b""], credentials)


@pytest.mark.parametrize(
    ("mechanism", "message"),
    [
        (b"OAUTHBEARER", b""),
        (b"OAUTHBEARER", b"\x01"),
        (b"OAUTHBEARER", b"n,a=joe,\x01\x01"),
        (b"OAUTHBEARER", b"n,a=joe,\x01auth=\x01\x01"),  # asks who may give a token
        (b"OAUTHBEARER", b"n,a=joe,\x01auth=Bearer x\x01"),
        (b"OAUTHBEARER", b"n,a=joe,\x01auth=Bearer x\x01\x01\x01"),
        (b"OAUTHBEARER", b"n,a=joe,\x01auth=Basic x\x01\x01"),
        (b"OAUTHBEARER", b"n,a=joe,\x01auth=Bearer x y\x01\x01"),
        (b"OAUTHBEARER", b"n,a=joe,\x01auth=Bearer x\x01auth=Bearer y\x01\x01"),
        (b"OAUTHBEARER", b"n,a=joe\x01auth=Bearer x\x01\x01"),
        (b"OAUTHBEARER", b"n,a=j=o,\x01auth=Bearer x\x01\x01"),
        (b"OAUTHBEARER", b"n,user=joe,\x01auth=Bearer x\x01\x01"),
        (b"OAUTHBEARER", b"p=tls-unique,a=joe,\x01auth=Bearer x\x01\x01"),
        (b"OAUTHBEARER", b"n,a=joe\r\n,\x01auth=Bearer x\x01\x01"),
        (b"OAUTHBEARER", b"user=joe\x01auth=Bearer x\x01\x01"),
        (b"XOAUTH2", b""),
        (b"XOAUTH2", b"user=joe\x01\x01"),
        (b"XOAUTH2", b"user=\x01auth=Bearer x\x01\x01"),
        (b"XOAUTH2", b"user=joe\x01auth=Bearer \x01\x01"),
        (b"XOAUTH2", b"user=j\0e\x01auth=Bearer x\x01\x01"),
        (b"XOAUTH2", b"n,a=joe,\x01auth=Bearer x\x01\x01"),
    ],
)
def test_token_mechanisms_refuse_other_messages(
    mechanism: bytes, message: bytes
) -> None:
    with pytest.raises(sasl.MalformedResponseError):
        converse(mechanism, message)


def test_a_token_whose_name_it_tells_itself_is_passed_on_without_one() -> None:
    said = sasl.client_mechanisms(Bearer(b"", b"x"))
    assert said == {"OAUTHBEARER": (b"n,,\x01auth=Bearer x\x01\x01",)}


@pytest.mark.parametrize(
    ("credentials", "mechanisms"),
    [
        (Password(b"joe", b"x"), ["PLAIN", "LOGIN"]),
        (Bearer(b"joe", b"x", "XOAUTH2"), ["XOAUTH2"]),
        (Envelope(b"MAIL FROM:<a@b>", b"RCPT TO:<c@d>"), []),
    ],
)
def test_credentials_travel_by_their_own_mechanisms_only(
    credentials: Password | Bearer | Envelope, mechanisms: list[str]
) -> None:
    assert [*sasl.client_mechanisms(credentials)] == mechanisms


@pytest.mark.parametrize("name", ENABLED)
def test_what_is_not_enabled_is_unknown(name: str) -> None:
    with pytest.raises(sasl.UnknownMechanismError):
        sasl.server_exchange(name.encode())
    next(sasl.server_exchange(name.lower().encode(), [name], lambda: CHALLENGE))


def test_a_challenge_is_never_made_of_nothing() -> None:
    with pytest.raises(RuntimeError):
        sasl.server_exchange(b"CRAM-MD5", ["CRAM-MD5"])


@pytest.mark.parametrize("name", [b"plain", b"Login", b"PLAIN"])
def test_a_mechanism_has_its_name_in_any_case(name: bytes) -> None:
    next(sasl.server_exchange(name))


@pytest.mark.parametrize("name", [b"", b"GSSAPI", b"PLAIN ", b"\xff"])
def test_an_unknown_mechanism_is_refused(name: bytes) -> None:
    for enabled in ((), ("GSSAPI",)):
        with pytest.raises(sasl.UnknownMechanismError):
            sasl.server_exchange(name, enabled)


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@given(authcid=TEXT.filter(bool), password=TEXT)
def test_both_roles_understand_each_other(
    mechanism: str, authcid: bytes, password: bytes
) -> None:
    credentials = Password(authcid, password)
    responses = sasl.client_mechanisms(credentials)[mechanism]
    assert converse(mechanism.encode(), *responses)[1] == credentials


@pytest.mark.parametrize("mechanism", ["OAUTHBEARER", "XOAUTH2"])
@given(
    authcid=TEXT.filter(lambda name: name and b"\x01" not in name),
    token=st.from_regex(rb"[A-Za-z0-9._~+/-]{1,99}=?", fullmatch=True),
)
def test_both_roles_understand_each_others_tokens(
    mechanism: str, authcid: bytes, token: bytes
) -> None:
    credentials = Bearer(authcid, token, mechanism)
    responses = sasl.client_mechanisms(credentials)[mechanism]
    assert converse(mechanism.encode(), *responses)[1] == credentials


def test_plain_says_as_whom_to_act() -> None:
    said = sasl.client_mechanisms(Password(b"Kurt", b"xipj3plmq", b"Ursel"))
    assert said["PLAIN"] == (b"Ursel\0Kurt\0xipj3plmq",)


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
