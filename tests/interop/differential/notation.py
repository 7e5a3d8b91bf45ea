"""How octets are written in the tables, and in what is compared."""

import hashlib
import hmac
import re
from base64 import b64encode

ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|([rn0t\\]))")
NAMED = {b"r": b"\r", b"n": b"\n", b"0": b"\0", b"t": b"\t", b"\\": b"\\"}
MACRO = re.compile(rb"<(b64|x\d+|cram|apop|me6?) ?([^<>]*)>")


def octets(
    text: str,
    *,
    me: str = "",
    me6: str = "",
    timestamp: bytes = b"",
    challenge: bytes = b"",
) -> bytes:
    """Write out a step.

    ``<b64 words>`` is base64, ``<x500 a>`` repeats, ``<cram joe secret>`` answers the
    latest challenge and ``<apop secret>`` the greeting's timestamp. ``<me>`` and
    ``<me6>`` are where a proxy says that the client comes from. A backslash is ours
    before r, n, t, 0, x41 and itself alone.
    """

    def macro(found: re.Match[bytes]) -> bytes:
        words = found[2]
        match found[1]:
            case b"b64":
                return b64encode(_unescaped(words))
            case b"cram":
                user, _, secret = words.rpartition(b" ")
                digest = hmac.digest(secret, challenge, "md5").hex()
                return b64encode(user + b" " + digest.encode())
            case b"apop":
                return hashlib.md5(timestamp + words).hexdigest().encode()
            case b"me":
                return me.encode()
            case b"me6":
                return me6.encode()
            case repeat:
                return _unescaped(words) * int(repeat[1:])

    return _unescaped(MACRO.sub(macro, text.encode("utf-8")))


def _unescaped(text: bytes) -> bytes:
    def one(found: re.Match[bytes]) -> bytes:
        return bytes.fromhex(found[1].decode()) if found[1] else NAMED[found[2]]

    return ESCAPE.sub(one, text)


def written(line: bytes) -> str:
    """Write octets so that a table can hold them in a line."""
    text = line.decode("latin-1")
    return "".join(
        char
        if " " <= char <= "~"
        else {"\r": "\\r", "\n": "\\n"}.get(char) or f"\\x{ord(char):02x}"
        for char in text
    )
