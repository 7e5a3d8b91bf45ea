"""Password hashes: of other programs, of our own, and of nobody's."""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import argon2
import attrs
import bcrypt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailssl_trio.auth.passwords import hash_password, parse_hash
from mailssl_trio.auth.schemes import UnreadableHashError

SALT = b"SodiumChloride"


def unpadded(octets: bytes) -> str:
    return base64.b64encode(octets).decode().rstrip("=")


RFC_7914 = bytes.fromhex(
    "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
)

FOREIGN = [
    # RFC 7914 section 12
    (f"$scrypt$ln=14,r=8,p=1${unpadded(SALT)}${unpadded(RFC_7914)}", "pleaseletmein"),
    # RFC 6070 section 2
    ("{PBKDF2}$1$salt$4096$4b007901b765489abead49d926f721d065a429c1", "password"),
    # Dovecot
    ("{SSHA}nu+3cYH7CytBdcuIXjEcp3rETzLqOTuo", "wonderland"),
    (
        "{PBKDF2}$1$qMQbm/NQpTAznYuU$5000$072db0287adff607aff5d9e2cae52c490ab80f14",
        "wonderland",
    ),
    (
        "{BLF-CRYPT}$2y$05$kaUrXzB1StCXw3Ui2cj7Ru/jIk22fOh39R.PsHfKVBHcCQRvATgU2",
        "wonderland",
    ),
    (
        "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$cSP37eHb531r2euQVB5qtg"
        "$A4tIQtaAL5A5lCABp8C7PN+nqkagHTVNboRROlEIGHk",
        "wonderland",
    ),
    # passlib
    (
        "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q"
        "$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
        "password",
    ),
    ("$pbkdf2$6400$onQOoRRCyPnf27tXSuldCw$xSNW0DNGOyUhT5zbKR9WpEwzmzI", "wonderland"),
    (
        "$pbkdf2-sha256$6400$FCIkZIyRck5pbc1Zq9X6/w"
        "$Ngber16Nt7.MI5QL3AvxmlvuhnPWyDlRhisfSZlSSJI",
        "wonderland",
    ),
    (
        "$pbkdf2-sha512$6400$s9Y6x7h3DqGU8h7DeC8lBA"
        "$8KX3MNBzFD.brPvP.Y3wrD1C12I6z5R6ix9BdNLTY66XWQMf4SkjIH8PsvPktDRwmdz38Qm"
        "/bvmi8eIdeNFiSg",
        "wonderland",
    ),
    # crypt_blowfish
    ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"),
]


@pytest.mark.parametrize(("line", "password"), FOREIGN)
def test_hash_of_another_program_is_understood(line: str, password: str) -> None:
    known = parse_hash(line)
    assert known.verify(password.encode())
    assert not known.verify(password.encode() + b".")
    assert not known.verify(b"")


def pbkdf2(function: str, password: bytes, salt: bytes, length: int) -> str:
    digest = hashlib.pbkdf2_hmac(function, password, salt, 1000, length)
    return "$".join((unpadded(salt), unpadded(digest))).replace("+", ".")


@given(password=st.binary(), salt=st.binary(min_size=8, max_size=64))
def test_cheap_schemes_say_what_hashlib_says(password: bytes, salt: bytes) -> None:
    ssha = base64.b64encode(hashlib.sha1(password + salt).digest() + salt).decode()
    scrypt = hashlib.scrypt(password, salt=salt, n=4, r=1, p=2, dklen=32)
    for line in (
        f"{{SSHA}}{ssha}",
        f"{{ssha}}{ssha}",
        f"$pbkdf2$1000${pbkdf2('sha1', password, salt, 20)}",
        f"$pbkdf2-sha256$1000${pbkdf2('sha256', password, salt, 32)}",
        f"$pbkdf2-sha512$1000${pbkdf2('sha512', password, salt, 64)}",
        f"$scrypt$ln=2,r=1,p=2${unpadded(salt)}${unpadded(scrypt)}",
    ):
        assert parse_hash(line).verify(password)
        assert not parse_hash(line).verify(password + b"x")


@settings(deadline=None, max_examples=8)
@given(password=st.binary())
def test_what_we_hash_we_know_again(password: bytes) -> None:
    known = parse_hash(hash_password(password))
    assert known.cost == "scrypt ln=15 r=8 p=1"
    assert known.verify(password)
    assert not known.verify(password[::-1] + b"x")


def test_our_scrypt_is_the_librarys() -> None:
    _, scheme, parameters, salt, digest = hash_password(b"builder").split("$")
    assert (scheme, parameters) == ("scrypt", "ln=15,r=8,p=1")
    assert base64.b64decode(digest + "=") == hashlib.scrypt(
        b"builder",
        salt=base64.b64decode(salt + "=="),
        n=1 << 15,
        r=8,
        p=1,
        maxmem=64 << 20,
        dklen=32,
    )


def test_other_libraries_know_what_we_hash() -> None:
    assert argon2.PasswordHasher().verify(hash_password(b"x", "argon2id"), b"x")
    assert bcrypt.checkpw(b"x", hash_password(b"x", "bcrypt").encode())


@pytest.mark.parametrize("scheme", ["scrypt", "argon2id", "bcrypt"])
def test_same_password_never_hashes_alike(scheme: str) -> None:
    assert hash_password(b"x", scheme) != hash_password(b"x", scheme)


def test_bcrypt_never_accepts_what_it_has_not_hashed() -> None:
    longest = b"x" * 72
    known = parse_hash(bcrypt.hashpw(longest, bcrypt.gensalt(4)).decode())
    assert known.verify(longest)
    assert not known.verify(longest + b"x")
    with pytest.raises(ValueError, match="72 octets"):
        hash_password(longest + b"x", "bcrypt")


def test_hash_shows_what_it_costs_and_nothing_it_knows() -> None:
    assert repr(parse_hash(FOREIGN[0][0])) == "Scrypt(ln=14, r=8, p=1)"
    for line, _ in FOREIGN:
        assert not re.search("salt|digest|text|b['\"]", repr(parse_hash(line)))


B22 = "A" * 22
B43 = "A" * 43

UNREADABLE = {
    "": "not a password hash of a known scheme",
    "wonderland": "not a password hash of a known scheme",
    "$wonder$land": "not a password hash of a known scheme",
    "{PLAIN}wonderland": "unknown password scheme {PLAIN}",
    "{plain-md5}abc": "unknown password scheme {PLAIN-MD5}",
    "$argon2i$v=19$m=65536,t=3,p=4$x$y": "not a password hash of a known scheme",
    "$scrypt$": "damaged $scrypt$ hash",
    f"$scrypt$ln=15,r=8,p=1${B22}": "damaged $scrypt$ hash",
    f"$scrypt$ln=15,r=8,p=1${B22}${B43}\n": "the hash is not base64",
    f"$scrypt$ln=15,r=8,p=1${B22}$é{B43}": "the hash is not base64",
    f"$scrypt$ln=15,r=8,p=1${B22}$AAAAA": "the hash is not base64",
    f"$scrypt$ln=٣,r=8,p=1${B22}${B43}": "damaged $scrypt$ hash",
    f"$scrypt$ln=15,r=8,p=1${B22}$AAAA": (
        "octets of digest: 3 is out of bounds (16 to 64)"
    ),
    f"$scrypt$ln=15,r=8,p=1$AAAA${B43}": (
        "octets of salt: 3 is out of bounds (4 to 64)"
    ),
    f"$scrypt$ln=0,r=8,p=1${B22}${B43}": "ln: 0 is out of bounds (1 to 31)",
    f"$scrypt$ln=16,r=1,p=1${B22}${B43}": "ln: 16 is out of bounds (1 to 15)",
    f"$scrypt$ln=999,r=8,p=1${B22}${B43}": "ln: 999 is out of bounds (1 to 31)",
    f"$scrypt$ln=15,r=0,p=1${B22}${B43}": "r: 0 is out of bounds (1 to 32)",
    f"$scrypt$ln=15,r=8,p=0${B22}${B43}": "p: 0 is out of bounds (1 to 16)",
    f"$scrypt$ln=19,r=8,p=1${B22}${B43}": (
        "octets of memory: 536870912 is out of bounds (0 to 268435456)"
    ),
    f"$scrypt$ln=17,r=8,p=3${B22}${B43}": (
        "octets of memory: 402653184 is out of bounds (0 to 268435456)"
    ),
    "{SSHA}": "damaged {SSHA} hash",
    "{SSHA}AAAA": "octets of salt: 0 is out of bounds (4 to 64)",
    "{PBKDF2}$2$salt$5000$" + 40 * "0": "damaged {PBKDF2}$1$ hash",
    "{PBKDF2}$1$salt$0$" + 40 * "0": "rounds: 0 is out of bounds (1 to 5000000)",
    "{PBKDF2}$1$salt$5000$" + 38 * "0": "damaged {PBKDF2}$1$ hash",
    f"$pbkdf2-sha256$99999999${B22}${B43}": (
        "rounds: 99999999 is out of bounds (1 to 5000000)"
    ),
    f"$argon2id$m=65536,t=3,p=4${B22}${B43}": "damaged $argon2id$v=19$ hash",
    f"$argon2id$v=19$m=999999,t=3,p=4${B22}${B43}": (
        "m: 999999 is out of bounds (32 to 262144)"
    ),
    f"$argon2id$v=19$m=31,t=3,p=4${B22}${B43}": (
        "m: 31 is out of bounds (32 to 262144)"
    ),
    f"$argon2id$v=19$m=262144,t=32,p=4${B22}${B43}": (
        "m times t: 8388608 is out of bounds (1 to 1048576)"
    ),
    f"$argon2id$v=19$m=64,t=3,p=1$AAAAAA${B43}": (
        "octets of salt: 4 is out of bounds (8 to 64)"
    ),
    "$2b$12$short": "damaged bcrypt hash",
    "$2b$12$" + 53 * "A": "damaged bcrypt hash",  # bits behind the end of the salt
    "$2b$31$" + 53 * "O": "the cost: 31 is out of bounds (4 to 16)",
}


@pytest.mark.parametrize("line", UNREADABLE)
def test_hash_that_cannot_be_used_is_refused_when_read(line: str) -> None:
    with pytest.raises(UnreadableHashError) as refusal:
        parse_hash(line)
    assert refusal.value.text == UNREADABLE[line]
    assert refusal.value.remedy


@pytest.mark.parametrize(
    "line",
    [
        f"$scrypt$ln=18,r=8,p=1${B22}${B43}",
        f"$scrypt$ln=15,r=1,p=16${B22}${B43}",
        f"$scrypt$ln=1,r=1,p=1${B22}${B43}",
        f"$argon2id$v=19$m=262144,t=1,p=16${B22}${B43}",
        f"$argon2id$v=19$m=8,t=1,p=1${B22}${B43}",
        "$2y$04$" + 21 * "/" + "u" + 31 * "/",
    ],
)
def test_hash_at_the_edge_of_its_bounds_can_be_computed(line: str) -> None:
    assert not parse_hash(line).verify(b"wonderland")


@given(st.text(st.sampled_from("$,=ln15rpmtv{}SHAargon2idscryptPBKDF/+. \n\0é")))
def test_no_text_whatever_raises_anything_else(text: str) -> None:
    for prefix in ("", "$scrypt$ln=1,r=1,p=1$", "{SSHA}", "$pbkdf2$1$", "$argon2id$"):
        with suppress(UnreadableHashError):
            parse_hash(prefix + text)


def test_absent_library_is_named_when_the_hash_is_read(tmp_path: Path) -> None:
    """An interpreter that finds attrs, and nothing else that is installed."""
    for package in ("attr", "attrs"):
        source = Path(attrs.__file__).parents[1] / package
        (tmp_path / package).symlink_to(source)
    program = (
        "from mailssl_trio.auth.passwords import *\n"
        "for line in ('$argon2id$v=19$', '$2b$12$'):\n"
        "    try: parse_hash(line)\n"
        "    except UnreadableHashError as e: print(e.text, '|', e.remedy)\n"
        "print(parse_hash(hash_password(b'x')).verify(b'x'))\n"
    )
    house = Path(__file__).parents[2]
    path = os.pathsep.join((str(house), str(tmp_path)))
    run = subprocess.run(
        [sys.executable, "-S", "-c", program],
        env={"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.splitlines() == [
        'this scheme needs the library argon2 | pip install "mailssl-trio[passwords]"',
        'this scheme needs the library bcrypt | pip install "mailssl-trio[passwords]"',
        "True",
    ]


DOVEADM = shutil.which("doveadm")

needs_dovecot = pytest.mark.skipif(DOVEADM is None, reason="no Dovecot here")


def doveadm_pw(*arguments: str) -> str:
    command = [str(DOVEADM), "-c", "/dev/null", "pw", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.interop
@needs_dovecot
@pytest.mark.parametrize("scheme", ["SSHA", "PBKDF2", "BLF-CRYPT", "ARGON2ID"])
def test_hash_that_dovecot_makes_today_is_understood(scheme: str) -> None:
    known = parse_hash(doveadm_pw("-s", scheme, "-p", "tan staaf ü"))
    assert known.verify("tan staaf ü".encode())
    assert not known.verify(b"tan staaf u")


@pytest.mark.interop
@needs_dovecot
@pytest.mark.parametrize(
    ("scheme", "prefix"), [("argon2id", "{ARGON2ID}"), ("bcrypt", "{BLF-CRYPT}")]
)
def test_hash_that_we_make_is_understood_by_dovecot(scheme: str, prefix: str) -> None:
    line = prefix + hash_password(b"wonderland", scheme)
    assert "(verified)" in doveadm_pw("-t", line, "-p", "wonderland")
