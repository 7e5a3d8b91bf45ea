"""Password schemes that Python itself can compute: scrypt, PBKDF2 and salted SHA-1.

A users file is trusted, but it may be the work of a slip or of another program: what
it asks for is bounded here, so that no line of it can cost a login its memory or its
minute, and a digest is never so short that guessing would find it.
"""

import base64
import binascii
import re
from hashlib import pbkdf2_hmac, scrypt, sha1
from hmac import compare_digest
from typing import Protocol, Self

from attrs import field, frozen

MAX_MEMORY = 256 << 20
"""Octets of memory that one verification may take."""
MAX_ROUNDS = 5_000_000
"""Of PBKDF2: some seconds; ten times what is advised today."""


class UnreadableHashError(Exception):
    """This is no hash we can verify against. Never quotes what may be a secret."""

    def __init__(self, text: str, remedy: str) -> None:
        super().__init__(text)
        self.text = text
        self.remedy = remedy


class PasswordHash(Protocol):
    """What is known of a user's password."""

    @property
    def cost(self) -> str:
        """Name what a verification computes; equal costs take equal time."""
        ...

    def verify(self, password: bytes) -> bool:
        """Say whether this is the password, after work that does not depend on it."""
        ...


@frozen
class SaltedHash:
    """A digest that is computed from password and salt anew, and compared."""

    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)

    def derive(self, password: bytes) -> bytes:
        """Compute the digest that this password would have."""
        raise NotImplementedError

    def verify(self, password: bytes) -> bool:
        """Compare in constant time."""
        return compare_digest(self.derive(password), self.digest)


@frozen
class Scrypt(SaltedHash):
    """``$scrypt$ln=15,r=8,p=1$SALT$DIGEST``: scrypt, RFC 7914, in the PHC's form."""

    ln: int
    r: int
    p: int

    FORM = re.compile(
        r"\$scrypt\$ln=([0-9]{1,3}),r=([0-9]{1,3}),p=([0-9]{1,3})\$([^$]+)\$([^$]+)"
    )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a line of a users file."""
        ln, r, p, salt, digest = match_form(cls.FORM, text, "$scrypt$")
        self = cls(unpadded(salt), unpadded(digest), int(ln), int(r), int(p))
        check_lengths(self.salt, self.digest)
        within("r", self.r, 1, 32)
        within("ln", self.ln, 1, min(16 * self.r - 1, 31))  # RFC 7914 section 2
        within("p", self.p, 1, 16)
        within("octets of memory", self.memory, 0, MAX_MEMORY)
        return self

    @property
    def cost(self) -> str:
        """Name what a verification computes."""
        return f"scrypt ln={self.ln} r={self.r} p={self.p}"

    @property
    def memory(self) -> int:
        """Octets that RFC 7914 section 5 fills, for each of p.

        They are filled one after another, in the same place; to count them all
        bounds the time too.
        """
        return 128 * self.r * self.p << self.ln

    def derive(self, password: bytes) -> bytes:
        """Compute the digest that this password would have."""
        return scrypt(
            password,
            salt=self.salt,
            n=1 << self.ln,
            r=self.r,
            p=self.p,
            maxmem=2 * MAX_MEMORY,  # OpenSSL counts some blocks more than the RFC
            dklen=len(self.digest),
        )


@frozen
class Pbkdf2(SaltedHash):
    """PBKDF2 with HMAC (RFC 8018 section 5.2), as two families of programs write it.

    Dovecot: ``{PBKDF2}$1$SALT$ROUNDS$DIGEST``, SHA-1, the salt as it stands, the
    digest in hex. Passlib: ``$pbkdf2-sha256$ROUNDS$SALT$DIGEST`` (also ``-sha512``,
    and ``$pbkdf2$`` for SHA-1), base64 with ``.`` for ``+`` and no padding.
    """

    function: str
    rounds: int

    DOVECOT = re.compile(
        r"\{PBKDF2\}\$1\$([!-#%-~]+)\$([0-9]{1,9})\$([0-9A-Fa-f]{40})", re.IGNORECASE
    )
    PASSLIB = re.compile(
        r"\$pbkdf2(?:-(sha256|sha512))?\$([0-9]{1,9})\$([^$+]+)\$([^$+]+)"
    )

    @classmethod
    def parse_dovecot(cls, text: str) -> Self:
        """Read a line as ``doveadm pw -s PBKDF2`` prints it."""
        salt, rounds, digest = match_form(cls.DOVECOT, text, "{PBKDF2}$1$")
        return cls(
            salt.encode(), bytes.fromhex(digest), "sha1", int(rounds)
        )._within_bounds()

    @classmethod
    def parse_passlib(cls, text: str) -> Self:
        """Read a line as passlib prints it."""
        function, rounds, salt, digest = match_form(cls.PASSLIB, text, "$pbkdf2-…$")
        return cls(
            unpadded(salt.replace(".", "+")),
            unpadded(digest.replace(".", "+")),
            function or "sha1",
            int(rounds),
        )._within_bounds()

    @property
    def cost(self) -> str:
        """Name what a verification computes."""
        return f"pbkdf2-{self.function} rounds={self.rounds}"

    def derive(self, password: bytes) -> bytes:
        """Compute the digest that this password would have."""
        length = len(self.digest)
        return pbkdf2_hmac(self.function, password, self.salt, self.rounds, length)

    def _within_bounds(self) -> Self:
        check_lengths(self.salt, self.digest)
        within("rounds", self.rounds, 1, MAX_ROUNDS)
        return self


@frozen
class SaltedSha1(SaltedHash):
    """``{SSHA}``: base64 of SHA-1 over password and salt, then the salt.

    Cheap to guess: read because old directories are full of it, never written.
    """

    FORM = re.compile(r"\{SSHA\}([^=]+)={0,2}", re.IGNORECASE)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a line of a users file."""
        (encoded,) = match_form(cls.FORM, text, "{SSHA}")
        octets = unpadded(encoded)
        self = cls(salt=octets[20:], digest=octets[:20])
        check_lengths(self.salt, self.digest)
        return self

    @property
    def cost(self) -> str:
        """Name what a verification computes."""
        return "ssha"

    def derive(self, password: bytes) -> bytes:
        """Compute the digest that this password would have."""
        return sha1(password + self.salt).digest()


def match_form(form: re.Pattern[str], text: str, scheme: str) -> tuple[str, ...]:
    """Return the groups of a hash, or say that it is not whole."""
    if (match := form.fullmatch(text)) is None:
        raise UnreadableHashError(
            f"damaged {scheme} hash", "copy the whole hash, on one line"
        )
    return match.groups()


def unpadded(text: str) -> bytes:
    """Decode base64 without its padding, as the PHC string format writes it."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise UnreadableHashError(
            "the hash is not base64", "copy the whole hash, on one line"
        ) from None


def check_lengths(salt: bytes, digest: bytes) -> None:
    """Refuse what is too short to protect anything, or absurdly long."""
    within("octets of salt", len(salt), 4, 64)
    within("octets of digest", len(digest), 16, 64)


def within(what: str, value: int, least: int, most: int) -> None:
    """Refuse a parameter out of bounds."""
    if not least <= value <= most:
        raise UnreadableHashError(
            f"{what}: {value} is out of bounds ({least} to {most})",
            "make a new hash with `mailssl-trio hash-password`",
        )
