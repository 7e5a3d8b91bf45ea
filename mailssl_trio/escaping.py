"""Text from peers, made fit for a line that people and their tools read."""

LONGEST_NAME = 400
"""Characters of a user's name that are told; RFC 5321 knows addresses of 320."""


def escape(text: str | bytes) -> str:
    """Return it with no control, no quote and no backslash raw."""
    text = as_text(text)
    if text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return "".join(
        char if char.isprintable() and char not in '"\\' else _escaped(char)
        for char in text
    )


def as_text(text: str | bytes) -> str:
    """Return what octets say; those that are no UTF-8 as ``\\xNN``."""
    if isinstance(text, bytes):
        return text.decode("utf-8", "backslashreplace")
    return text


def as_name(login: bytes) -> str:
    """Return the name of a user, or how it began: what stands behind it counts, too."""
    return as_text(login)[:LONGEST_NAME]


def octets(char: str) -> str:
    """Write a character as the octets that it is, also one of a file's name."""
    errors = "surrogateescape" if "\udc80" <= char <= "\udcff" else "replace"
    return "".join(f"\\x{octet:02x}" for octet in char.encode("utf-8", errors))


def _escaped(char: str) -> str:
    return "\\" + char if char in '"\\' else octets(char)
