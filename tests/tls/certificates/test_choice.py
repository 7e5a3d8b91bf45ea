"""Which certificates lead where: by name and by type of key, without any of them."""

from datetime import UTC, datetime
from pathlib import Path
from time import process_time

import pytest

from mailssl_trio.tls.certificates.certificate import Certificate
from mailssl_trio.tls.certificates.choice import Choice, choose, never_shown
from mailssl_trio.tls.policy import Pair


def certificate(file: str, *names: str, key: str = "RSA") -> Certificate:
    pair = Pair(Path(file), Path(file))
    begin, end = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
    return Certificate(pair, names, key, begin, end)


def shown(choice: Choice, name: str | None) -> list[str]:
    return [str(pair.certificate) for pair in choice.pairs_for(name)]


MAIL = certificate("mail", "mail.example.org")
MAIL_EC = certificate("mail-ec", "mail.example.org", key="ECDSA")
OTHER = certificate("other", "other.example.net", "www.example.net")
ALL_OF_ORG = certificate("wild", "*.example.org")
ALL_OF_ORG_EC = certificate("wild-ec", "*.example.org", key="ECDSA")
NAMELESS = certificate("nameless")


def test_a_name_leads_to_its_certificate() -> None:
    choice = choose((MAIL, OTHER))
    assert shown(choice, "other.example.net") == ["other"]
    assert shown(choice, "www.example.net") == ["other"]
    assert shown(choice, "mail.example.org") == ["mail"]


@pytest.mark.parametrize("name", [None, "", "nowhere.example", "example.net", "::1"])
def test_no_name_and_an_unknown_one_lead_to_the_first(name: str | None) -> None:
    assert shown(choose((MAIL, OTHER)), name) == ["mail"]
    assert shown(choose((OTHER, MAIL)), name) == ["other"]


@pytest.mark.parametrize("name", ["OTHER.Example.NET", "other.example.net."])
def test_case_and_a_final_dot_say_nothing(name: str) -> None:
    assert shown(choose((MAIL, OTHER)), name) == ["other"]


def test_a_name_leads_to_all_types_of_key_that_have_it() -> None:
    choice = choose((OTHER, MAIL, MAIL_EC))
    assert shown(choice, "mail.example.org") == ["mail", "mail-ec"]
    assert shown(choice, "other.example.net") == ["other"]


def test_of_one_type_the_earlier_is_shown() -> None:
    renewed = certificate("renewed", "mail.example.org", "imap.example.org")
    choice = choose((OTHER, MAIL, renewed))
    assert shown(choice, "mail.example.org") == ["mail"]
    assert shown(choice, "imap.example.org") == ["renewed"]


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("a.example.org", "wild"),
        ("*.example.org", "wild"),
        ("a.b.example.org", "other"),
        ("example.org", "other"),
        (".example.org", "other"),
        ("aexample.org", "other"),
    ],
)
def test_a_wildcard_stands_for_exactly_one_label(name: str, file: str) -> None:
    assert shown(choose((OTHER, ALL_OF_ORG)), name) == [file]


def test_the_exact_name_comes_before_the_wildcard_whatever_the_order() -> None:
    for both in ((OTHER, ALL_OF_ORG, MAIL), (OTHER, MAIL, ALL_OF_ORG)):
        assert shown(choose(both), "mail.example.org") == ["mail"]
        assert shown(choose(both), "imap.example.org") == ["wild"]


def test_each_type_of_key_has_its_own_best() -> None:
    choice = choose((OTHER, ALL_OF_ORG_EC, MAIL))
    assert shown(choice, "mail.example.org") == ["wild-ec", "mail"]
    assert shown(choice, "imap.example.org") == ["wild-ec"]


@pytest.mark.parametrize(
    ("second", "together"),
    [
        (MAIL_EC, True),
        (ALL_OF_ORG_EC, True),
        (certificate("more-ec", "mail.example.org", "x.net", key="ECDSA"), True),
        (certificate("other-ec", "other.example.org", key="ECDSA"), False),
        (certificate("also-mail", "mail.example.org"), False),  # it is RSA too
    ],
)
def test_the_first_is_joined_by_other_keys_that_have_all_its_names(
    second: Certificate, together: bool
) -> None:
    default = choose((MAIL, second)).default
    assert default == ((MAIL.pair, second.pair) if together else (MAIL.pair,))


def test_a_wildcard_is_joined_by_the_same_wildcard_only() -> None:
    assert choose((ALL_OF_ORG, MAIL_EC)).default == (ALL_OF_ORG.pair,)
    both = (ALL_OF_ORG.pair, ALL_OF_ORG_EC.pair)
    assert choose((ALL_OF_ORG, ALL_OF_ORG_EC)).default == both


def test_a_certificate_without_names_can_only_be_the_first() -> None:
    assert shown(choose((NAMELESS, MAIL)), "mail.example.org") == ["mail"]
    assert shown(choose((NAMELESS, MAIL)), None) == ["nameless"]
    nameless_ec = certificate("nameless-ec", key="ECDSA")
    default = choose((NAMELESS, nameless_ec)).default
    assert default == (NAMELESS.pair, nameless_ec.pair)


def test_the_groups_are_all_that_any_name_can_lead_to() -> None:
    choice = choose((OTHER, ALL_OF_ORG, MAIL, MAIL_EC))
    assert choice.groups[0] == choice.default == (OTHER.pair,)
    assert set(choice.groups) == {
        (OTHER.pair,),
        (ALL_OF_ORG.pair,),
        (MAIL.pair, MAIL_EC.pair),
    }


def test_one_that_others_leave_no_name_to_is_never_shown() -> None:
    shadow = certificate("shadow", "mail.example.org")
    assert never_shown((MAIL, shadow, MAIL_EC, NAMELESS)) == (shadow, NAMELESS)
    assert never_shown((NAMELESS, shadow)) == ()


def test_nothing_leads_nowhere() -> None:
    assert choose(()).default == ()
    assert choose(()).pairs_for("mail.example.org") == ()


def test_thousands_of_certificates_are_grouped_in_less_than_a_second() -> None:
    many = tuple(certificate(f"c{n}", f"n{n}.example.org") for n in range(4000))
    began = process_time()
    choice = choose(many)
    assert process_time() - began < 1
    assert shown(choice, "n3999.example.org") == ["c3999"]
