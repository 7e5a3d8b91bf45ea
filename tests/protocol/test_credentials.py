"""Credentials are safe to write on any wire, and are told to nobody."""

import pytest

from mailssl_trio.protocol.credentials import (
    Accepted,
    MalformedCredentialsError,
    Password,
    Reason,
    Rejected,
)
from mailssl_trio.protocol.events import Authenticate


@pytest.mark.parametrize(
    "octets",
    [b"a\0b", b"a\rb", b"a\nb", b"alice\r\nX-Injected: 1", b"pw\r\nDELE 1", b"\n"],
)
def test_octets_that_end_a_line_are_refused_in_every_part(octets: bytes) -> None:
    for parts in (octets, b"x", b"x"), (b"x", octets, b"x"), (b"x", b"x", octets):
        with pytest.raises(MalformedCredentialsError) as refusal:
            Password(*parts)
        assert str(refusal.value) == ""


@pytest.mark.parametrize("octets", [b"", b"a b", b"\\\"'%s{}", b"\xff\x7f\x01\t\x1b"])
def test_all_other_octets_stay_as_they_came(octets: bytes) -> None:
    password = Password(octets, octets, octets)
    assert password.authcid == password.password == password.authzid == octets


def test_a_password_stands_in_no_repr() -> None:
    password = Password(b"joe", b"tanstaaf")
    assert repr(password) == "Password(authcid=b'joe', authzid=b'')"
    assert "tanstaaf" not in repr(Authenticate(password))
    assert "tanstaaf" not in f"{password} {Authenticate(password)!s}"


def test_a_verdict_has_usual_words() -> None:
    assert Accepted() == Accepted(b"", b"")
    assert Rejected(Reason.UNAVAILABLE).text == ""


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_named_as_the_rfc_names_it_and_worded_for_people(
    reason: Reason,
) -> None:
    """RFC 5530 section 3: codes are words in upper case."""
    assert reason.name.isupper()
    assert reason.value.isprintable()
