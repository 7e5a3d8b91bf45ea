"""Names that strangers chose, as names of directories."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailssl_trio.mailbox.names import (
    BadNameError,
    folder_directory,
    folder_name,
    folder_of_directory,
    matches,
    user_directory,
    with_superiors,
)


@pytest.mark.parametrize(
    ("user", "directory"),
    [
        (b"alice@example.org", "alice@example.org"),
        (b"Alice@Example.ORG", "alice@example.org"),
        (b"..", "%2E."),
        (b".unborn", "%2Eunborn"),
        (b"../../etc", "%2E.%2F..%2Fetc"),
        (b"a/b\\c%2F", "a%2Fb%5Cc%252f"),
        (b"\xc3\xa4\n", "%C3%A4%0A"),
    ],
)
def test_user_stays_within_the_directory_of_all(user: bytes, directory: str) -> None:
    assert user_directory(user) == directory


@pytest.mark.parametrize("user", [b"", b"a" * 201, b"/" * 70])
def test_user_whose_name_makes_no_directory_is_none(user: bytes) -> None:
    with pytest.raises(BadNameError):
        user_directory(user)


@given(st.lists(st.binary(min_size=1, max_size=20), min_size=2, max_size=2))
def test_two_users_never_share_a_directory(users: list[bytes]) -> None:
    one, other = map(user_directory, users)
    assert "/" not in one
    assert not one.startswith(".")
    assert (one == other) == (users[0].lower() == users[1].lower())


@pytest.mark.parametrize(
    ("said", "name", "directory"),
    [
        (b"inbox", "INBOX", ""),
        (b"InBox/Sub", "INBOX/Sub", ".INBOX.Sub"),
        (b"Sent/", "Sent", ".Sent"),
        (b"a/b.c", "a/b.c", ".a.b%2Ec"),
        (b"../..", "../..", ".%2E%2E.%2E%2E"),
        (b"&AOQ-&-", "&AOQ-&-", ".&AOQ-&-"),
        (b"50 percent", "50 percent", ".50 percent"),
    ],
)
def test_folder_has_a_directory_of_its_own(
    said: bytes, name: str, directory: str
) -> None:
    assert folder_name(said) == name
    assert folder_directory(name) == directory
    assert name == "INBOX" or folder_of_directory(directory) == name


@pytest.mark.parametrize(
    "said",
    [b"", b"/", b"/a", b"a//b", b"a*", b"50%", b"a\0", b"\xe4", b"&", b"a" * 201],
)
def test_folder_name_that_is_none_is_refused(said: bytes) -> None:
    with pytest.raises(BadNameError):
        folder_name(said)


@pytest.mark.parametrize(
    ("pattern", "name", "covered"),
    [
        ("*", "a/b", True),
        ("%", "a", True),
        ("%", "a/b", False),
        ("%/%", "a/b", True),
        ("a*c", "a/b/c", True),
        ("a%c", "a/b/c", False),
        ("", "", True),
        ("a", "A", False),
    ],
)
def test_list_wildcards(pattern: str, name: str, *, covered: bool) -> None:
    assert matches(pattern, name) is covered


@given(st.text("ab/*%", max_size=8), st.text("ab/", max_size=8))
def test_wildcards_mean_what_a_regular_expression_would(
    pattern: str, name: str
) -> None:
    meaning = {"*": ".*", "%": "[^/]*"}
    expression = "".join(meaning.get(letter, letter) for letter in pattern)
    assert matches(pattern, name) == bool(re.fullmatch(expression, name))


def test_pattern_of_many_stars_does_not_take_for_ever() -> None:
    assert not matches("*a" * 5000, "a" * 190)


def test_names_that_only_stand_above_others_are_known() -> None:
    assert with_superiors(["a/b/c", "d"]) == ["a", "a/b", "a/b/c", "d"]
