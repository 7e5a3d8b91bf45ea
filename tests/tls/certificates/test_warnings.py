"""Certificates that are served although something about them is odd."""

from pathlib import Path

import pytest
from attrs import evolve
from trustme import CA, KeyType

from mailssl_trio.files import Files
from mailssl_trio.tls.certificates.warnings import certificate_warnings
from mailssl_trio.tls.context import server_context
from mailssl_trio.tls.policy import Pair, TlsPolicy
from tests.tls.certificates.issuing import DAY, NOW, issue, self_signed, write


def warned(*pairs: Pair) -> list[str]:
    policy = TlsPolicy(pairs)
    server_context(policy, "imap")  # none of this keeps it from being served
    return [warning.text for warning in certificate_warnings(policy, Files())]


def own(directory: Path, *names: str, days: int = 365, since: int = -1) -> Pair:
    begin, end = NOW + since * DAY, NOW + days * DAY
    made = self_signed(*names, not_before=begin, not_after=end)
    both = write(directory, made.certificate, made.key)
    return Pair(both, both)


def test_a_good_certificate_is_not_worth_a_word(tmp_path: Path) -> None:
    assert warned(own(tmp_path, "localhost")) == []


@pytest.mark.parametrize(
    ("since", "days", "said"),
    [(-10, -1, "expired on "), (1, 10, "is not valid before ")],
)
def test_one_out_of_its_time_is_served_with_a_warning(
    since: int, days: int, said: str, tmp_path: Path
) -> None:
    (text,) = warned(own(tmp_path, "localhost", since=since, days=days))
    assert said in text


def test_one_without_names_is_served_with_a_warning(tmp_path: Path) -> None:
    (text,) = warned(own(tmp_path))
    assert text.endswith("has no subjectAltName")


def test_one_that_no_client_can_ask_for_is_named(ca: CA, tmp_path: Path) -> None:
    first = issue(ca, tmp_path, "localhost")
    rsa = issue(ca, tmp_path, "localhost", key_type=KeyType.RSA)
    again = issue(ca, tmp_path, "localhost")
    (text,) = warned(first, rsa, again)
    assert text == (
        f"certificate {again.certificate} (localhost; ECDSA) is never shown: earlier"
        " ones of its type of key have all its names"
    )


def test_one_that_cannot_be_read_is_a_problem_and_no_warning(
    policy: TlsPolicy, tmp_path: Path
) -> None:
    file = write(tmp_path, b"nothing")
    broken = evolve(policy, pairs=(Pair(file, file),))
    assert certificate_warnings(broken, Files()) == ()
