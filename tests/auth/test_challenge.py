"""RFC 2195 section 2 and RFC 1939 section 7: what is answered is never asked again."""

import re
import time

from mailssl_trio.auth.challenge import challenge


def test_challenge_has_the_form_of_a_message_identifier_and_tells_the_time() -> None:
    made = re.fullmatch(rb"<[0-9]+\.([0-9]+)@mx\.example>", challenge("mx.example"))
    assert made is not None
    assert abs(time.time() - int(made[1])) < 5


def test_no_two_challenges_are_alike() -> None:
    assert len({challenge("mx") for _ in range(1000)}) == 1000
