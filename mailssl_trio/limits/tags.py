"""Names and passwords as keyed hashes: the same gives the same, and nothing more."""

from hashlib import blake2b
from secrets import token_hex

from mailssl_trio.protocol.credentials import Bearer, Credentials, Password

OCTETS = 8
KEY_OCTETS = 32


def folded(user: bytes) -> bytes:
    """Return a name as it is counted: upper and lower case are one."""
    text = user.decode("utf-8", "surrogateescape").strip().casefold()
    return text.encode("utf-8", "surrogateescape")


class Tags:
    """Hashes with one key, which all workers have from their supervisor."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of_user(self, user: bytes) -> str:
        """Return the tag of a name; "" for none."""
        return self._hash(b"user", folded(user)) if user else ""

    def of_guess(self, credentials: Credentials) -> str:
        """Return the tag of what was shown for a name.

        The answer to a challenge never comes again, so each is another guess.
        """
        match credentials:
            case Password(authcid, password):
                return self._hash(b"password", folded(authcid), password)
            case Bearer(authcid, token):
                return self._hash(b"token", folded(authcid), token)
            case _:
                return token_hex(OCTETS)

    def _hash(self, *parts: bytes) -> str:
        said = blake2b(key=self._key, digest_size=OCTETS)
        for part in parts:
            said.update(len(part).to_bytes(4, "big") + part)
        return said.hexdigest()
