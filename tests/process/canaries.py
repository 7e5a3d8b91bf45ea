"""Passwords and tokens that sing when they are written anywhere."""

from base64 import b64encode
from collections.abc import Iterator
from itertools import count
from urllib.parse import quote

from attrs import define, field

COMMON = "cNry/yellow+%Q<z"
"""With characters that each way of writing has a form of its own for."""


def forms(secret: str) -> Iterator[bytes]:
    """Yield a secret in every form in which one could come to stand somewhere."""
    octets = secret.encode()
    yield from (octets, octets.hex().encode(), octets.hex().upper().encode())
    yield from (quote(secret, safe=safe).encode() for safe in ("", "/"))
    yield octets[::-1]
    yield ascii(octets).encode()[2:-1]
    for shift in range(3):  # base64 of anything around it, however it falls
        inside = b64encode(b"." * shift + octets)
        whole = len(inside) - len(inside) % 4
        yield inside[4 if shift else 0 : whole - 4]


@define
class Cage:
    """All canaries that were let out, by what they were let out with."""

    numbers: Iterator[int] = field(factory=lambda: count(1000))
    out: dict[str, str] = field(factory=dict)

    def canary(self, way: str) -> str:
        """Return a secret that nobody else has."""
        secret = f"{COMMON}{next(self.numbers)}"
        self.out[secret] = way
        return secret

    def singing(self, written: bytes) -> list[str]:
        """Return by which ways canaries have come to stand in what was written."""
        if not any(form in written for form in forms(COMMON)):
            return []
        return [
            f"{way}: {form!r}"
            for secret, way in self.out.items()
            for form in forms(secret)
            if form in written
        ]
