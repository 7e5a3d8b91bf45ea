"""Password schemes for which libraries are needed: argon2id and bcrypt.

They come with the extra ``[passwords]``. A hash that needs an absent one is refused
when the users file is read, not when its user logs in.
"""

import re
from contextlib import suppress
from importlib.util import find_spec
from typing import Self

from attrs import field, frozen

from mailssl_trio.auth.schemes import (
    MAX_MEMORY,
    SaltedHash,
    UnreadableHashError,
    check_lengths,
    match_form,
    unpadded,
    within,
)

with suppress(ImportError):
    import bcrypt
with suppress(ImportError):
    from argon2 import PasswordHasher
    from argon2.low_level import Type, hash_secret_raw

BCRYPT_LIMIT = 72
"""Octets of a password that bcrypt looks at."""
BCRYPT_COST = 12


@frozen
class Argon2id(SaltedHash):
    """``$argon2id$v=19$m=65536,t=3,p=4$SALT$DIGEST``: Argon2id, RFC 9106."""

    m: int
    t: int
    p: int

    FORM = re.compile(
        r"\$argon2id\$v=19\$m=([0-9]{1,9}),t=([0-9]{1,3}),p=([0-9]{1,3})"
        r"\$([^$]+)\$([^$]+)"
    )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a line of a users file."""
        require("argon2")
        m, t, p, salt, digest = match_form(cls.FORM, text, "$argon2id$v=19$")
        self = cls(unpadded(salt), unpadded(digest), int(m), int(t), int(p))
        check_lengths(self.salt, self.digest)
        within("octets of salt", len(self.salt), 8, 64)
        within("p", self.p, 1, 16)
        within("t", self.t, 1, 32)
        within("m", self.m, 8 * self.p, MAX_MEMORY >> 10)  # RFC 9106 section 3.1
        within("m times t", self.m * self.t, 1, 4 * MAX_MEMORY >> 10)
        return self

    @property
    def cost(self) -> str:
        """Name what a verification computes."""
        return f"argon2id m={self.m} t={self.t} p={self.p}"

    def derive(self, password: bytes) -> bytes:
        """Compute the digest that this password would have."""
        length = len(self.digest)
        return hash_secret_raw(
            password, self.salt, self.t, self.m, self.p, length, Type.ID
        )


@frozen
class Bcrypt:
    """``$2b$12$…``: bcrypt, also as ``$2a$`` and ``$2y$``.

    What lies behind the 72nd octet of a password was never hashed. Nothing can be
    said about it, so a longer password is never the right one.
    """

    text: bytes = field(repr=False)
    rounds: int

    # The 22nd character of the salt holds two bits; the library refuses any more.
    FORM = re.compile(r"\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a line of a users file."""
        require("bcrypt")
        (rounds,) = match_form(cls.FORM, text, "bcrypt")
        within("the cost", int(rounds), 4, 16)
        return cls(text.encode(), int(rounds))

    @property
    def cost(self) -> str:
        """Name what a verification computes."""
        return f"bcrypt {self.rounds}"

    def verify(self, password: bytes) -> bool:
        """Compare in constant time, and take it for a password too long as well."""
        matches = bcrypt.checkpw(password[:BCRYPT_LIMIT], self.text)
        return matches and len(password) <= BCRYPT_LIMIT


def hash_argon2id(password: bytes) -> str:
    """Hash with the parameters of RFC 9106 section 4, the second choice."""
    require("argon2")
    return PasswordHasher().hash(password)


def hash_bcrypt(password: bytes) -> str:
    """Hash a password of at most 72 octets; ValueError if it is longer."""
    require("bcrypt")
    if len(password) > BCRYPT_LIMIT:
        raise ValueError("bcrypt cannot tell passwords apart behind 72 octets")
    return bcrypt.hashpw(password, bcrypt.gensalt(BCRYPT_COST)).decode()


def require(library: str) -> None:
    """Refuse a scheme whose library is not installed."""
    if find_spec(library) is None:
        raise UnreadableHashError(
            f"this scheme needs the library {library}",
            'pip install "mailssl-trio[passwords]"',
        )
