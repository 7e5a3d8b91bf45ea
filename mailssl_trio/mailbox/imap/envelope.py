"""ENVELOPE (RFC 3501 section 7.4.2): the header as a list of strings."""

from email.utils import getaddresses

from mailssl_trio.mailbox.fields import Fields
from mailssl_trio.mailbox.imap.strings import NIL, nstring, parenthesised


def envelope(fields: Fields) -> bytes:
    """Write the envelope of a message."""
    sender = addresses(fields, b"from")
    return parenthesised(
        [
            nstring(fields.get(b"date")),
            nstring(fields.get(b"subject")),
            sender,
            addresses(fields, b"sender", sender),
            addresses(fields, b"reply-to", sender),
            addresses(fields, b"to"),
            addresses(fields, b"cc"),
            addresses(fields, b"bcc"),
            nstring(fields.get(b"in-reply-to")),
            nstring(fields.get(b"message-id")),
        ]
    )


def addresses(fields: Fields, name: bytes, default: bytes = NIL) -> bytes:
    """Write the addresses of a field; groups show as the addresses they hold."""
    values = [value.decode("latin-1") for value in fields.all(name)]
    try:
        found = [pair for pair in getaddresses(values) if pair[1]]
    except RecursionError:  # comments in comments in comments
        return default
    if not found:
        return default
    return b"(" + b"".join(_address(*pair) for pair in found) + b")"


def _address(display_name: str, address: str) -> bytes:
    local_part, _, domain = address.rpartition("@")
    if not local_part:
        local_part, domain = domain, ""
    name = display_name.encode("latin-1") or None
    parts = [nstring(name), NIL]
    parts += [nstring(part.encode("latin-1")) for part in (local_part, domain)]
    return parenthesised(parts)
