"""The arguments of MAIL and RCPT (RFC 5321 section 4.1.2)."""

import re

from attrs import field, frozen

MAX_PATH = 256  # RFC 5321 section 4.5.3.1.3

PATH = re.compile(
    rb"(FROM|TO): *"
    rb"<((?:[!#-;=?A-~]|\"(?:[ !#-\[\]-~]|\\[ -~])*\")*(?:@[0-9A-Za-z.:\[\]-]+)?)>"
    rb"((?: +[0-9A-Za-z-]+(?:=[!-<>-~]*)?)*) *",
    re.IGNORECASE,
)


@frozen
class Path:
    """A reverse-path or forward-path in lower case, and the parameters behind it."""

    address: bytes
    parameters: tuple[tuple[bytes, bytes], ...] = field(default=())

    def has_other_than(self, known: frozenset[bytes]) -> bool:
        """Whether there is a parameter that is none of these."""
        return any(name not in known for name, _ in self.parameters)

    @property
    def is_8bit_at_most(self) -> bool:
        """Whether BODY declares what we can take (RFC 6152 section 2)."""
        body = dict(self.parameters).get(b"BODY", b"7BIT")
        return body.upper() in {b"7BIT", b"8BITMIME"}

    @property
    def size(self) -> int:
        """What SIZE declares (RFC 1870 section 6), or 0."""
        digits = dict(self.parameters).get(b"SIZE", b"")
        return int(digits[:20]) if digits.isdigit() else 0


def parse_path(argument: bytes, keyword: bytes) -> Path | None:
    """Read ``FROM:<…>`` or ``TO:<…>`` with its parameters; None for anything else."""
    match = PATH.fullmatch(argument)
    if match is None or match[1].upper() != keyword or len(match[2]) > MAX_PATH:
        return None
    words = (word.partition(b"=") for word in match[3].split())
    return Path(
        match[2].lower(), tuple((name.upper(), value) for name, _, value in words)
    )
