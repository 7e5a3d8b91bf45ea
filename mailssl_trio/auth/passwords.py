"""Hashed passwords: which scheme a hash is of, and how a new one is made."""

import base64
import re
import secrets

from mailssl_trio.auth.extra_schemes import (
    Argon2id,
    Bcrypt,
    hash_argon2id,
    hash_bcrypt,
)
from mailssl_trio.auth.schemes import (
    PasswordHash,
    Pbkdf2,
    SaltedSha1,
    Scrypt,
    UnreadableHashError,
)

WRITTEN = ("scrypt", "argon2id", "bcrypt")
"""The schemes that new hashes are made of."""

READ = "$scrypt$, {SSHA}, {PBKDF2}, $pbkdf2-sha256$, $argon2id$, $2b$"

DOVECOT_PREFIX = re.compile(r"\{(?:ARGON2ID|BLF-CRYPT)\}(?=\$)", re.IGNORECASE)
"""What Dovecot writes before hashes that say by themselves what they are."""

SCHEME = re.compile(r"\{[A-Za-z0-9.-]{1,20}\}|\$[a-z0-9-]{1,20}\$")


def parse_hash(text: str) -> PasswordHash:
    """Read a hash of any scheme we know, or raise UnreadableHashError."""
    text = DOVECOT_PREFIX.sub("", text, count=1)
    match _scheme(text):
        case "$scrypt$":
            return Scrypt.parse(text)
        case "{SSHA}":
            return SaltedSha1.parse(text)
        case "{PBKDF2}":
            return Pbkdf2.parse_dovecot(text)
        case "$pbkdf2$" | "$pbkdf2-sha256$" | "$pbkdf2-sha512$":
            return Pbkdf2.parse_passlib(text)
        case "$argon2id$":
            return Argon2id.parse(text)
        case "$2a$" | "$2b$" | "$2y$":
            return Bcrypt.parse(text)
        case scheme:
            raise UnreadableHashError(
                _why_unknown(scheme),
                f"make a hash with `mailssl-trio hash-password` (known: {READ})",
            )


def hash_password(password: bytes, scheme: str = "scrypt") -> str:
    """Hash a password with a fresh salt.

    Raises UnreadableHashError if the scheme's library is absent, and ValueError for
    a password that the scheme cannot take in whole.
    """
    match scheme:
        case "scrypt":
            return _hash_scrypt(password)
        case "argon2id":
            return hash_argon2id(password)
        case "bcrypt":
            return hash_bcrypt(password)
        case _:
            raise ValueError(f"unknown scheme {scheme}")


def _hash_scrypt(password: bytes) -> str:
    blank = Scrypt(secrets.token_bytes(16), bytes(32), ln=15, r=8, p=1)
    salt, digest = map(_unpadded_base64, (blank.salt, blank.derive(password)))
    return f"$scrypt$ln={blank.ln},r={blank.r},p={blank.p}${salt}${digest}"


def _unpadded_base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode().rstrip("=")


def _scheme(text: str) -> str:
    """Return what a hash begins with; "" if that names no scheme."""
    if (match := SCHEME.match(text)) is None:
        return ""
    return match[0].upper() if match[0].startswith("{") else match[0]


def _why_unknown(scheme: str) -> str:
    """Name the scheme only if braces show that it is one, not part of a password."""
    if scheme.startswith("{"):
        return f"unknown password scheme {scheme}"
    return "not a password hash of a known scheme"
