"""The values of the directives that are about backends, but for their TLS."""

from typing import Annotated, TypeAlias

from mailssl_trio.config.values import GREATEST, WrongValueError, shown, size
from mailssl_trio.config.words import choice, flag_word
from mailssl_trio.transport.announcing import ProxyProtocol

SMALLEST_BUFFER = 512  # RFC 5321 section 4.5.3.1.5, the longest line of a reply


def buffer_size(value: object) -> int:
    """Read ``proxy_buffer``."""
    octets = size(value, '"4k", "1m"')
    if not SMALLEST_BUFFER <= octets <= GREATEST:
        raise WrongValueError(
            f"{shown(value)} is too little or too much for a reply",
            f"write at least {SMALLEST_BUFFER}",
        )
    return octets


def proxy_form(value: object) -> ProxyProtocol:
    """Read ``proxy_protocol``: a flag, or ``v2``."""
    known = [form.value for form in ProxyProtocol]
    return ProxyProtocol(choice(flag_word(value), known, "form of PROXY header"))


BufferSize: TypeAlias = Annotated[int, buffer_size]
ProxyForm: TypeAlias = Annotated[ProxyProtocol, proxy_form]
