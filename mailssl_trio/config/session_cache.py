"""The directive ``ssl_session_cache``, word for word as nginx has it."""

import re
from typing import Annotated, TypeAlias

from mailssl_trio.config.units import format_size, parse_size
from mailssl_trio.config.values import WrongValueError, shown
from mailssl_trio.config.words import words
from mailssl_trio.tls.policy import SessionCache, SharedCache
from mailssl_trio.tls.sessions.session_cache import DEFAULT_SIZE

BUILTIN = re.compile(r"builtin(?::([0-9]{1,9}))?")
SHARED = re.compile(r"shared:([^:]+):([^:]+)")

SMALLEST = 8 * 4096  # nginx: eight pages
LARGEST = 16 * 2**30  # 65 million sessions a worker, as addresses, not as memory

FORMS = (
    'write "off", "none", "builtin:1000", "shared:SSL:10m", or the last two together'
)


def session_cache(value: object) -> SessionCache:
    """Read ``off``, ``none``, or ``builtin`` and ``shared``, together or alone."""
    listed = words(value)
    match [_alone(word, index) for index, word in enumerate(listed)]:
        case []:
            raise WrongValueError("no session cache", FORMS)
        case [cache]:
            return cache
        case [
            SessionCache(builtin=int(most)),
            SessionCache(shared=SharedCache() as zone),
        ] | [
            SessionCache(shared=SharedCache() as zone),
            SessionCache(builtin=int(most)),
        ]:
            return SessionCache(builtin=most, shared=zone)
    raise WrongValueError(
        f"{' and '.join(map(shown, listed))} contradict each other",
        "keep one of them, or one `builtin` and one `shared`",
    )


def _alone(word: str, index: int) -> SessionCache:
    """Read a word as if it stood alone."""
    if word in {"off", "none"}:
        return SessionCache(announced=word != "off")
    if found := BUILTIN.fullmatch(word):
        return SessionCache(builtin=int(found[1] or 0) or DEFAULT_SIZE)
    if (found := SHARED.fullmatch(word)) and (size := _size(found[2])) is not None:
        _check_size(word, size, index)
        return SessionCache(shared=SharedCache(found[1], size))
    raise WrongValueError(f"invalid session cache {shown(word)}", FORMS, index)


def _size(text: str) -> int | None:
    try:
        return parse_size(text)
    except ValueError:
        return None


def _check_size(word: str, size: int, index: int) -> None:
    if size < SMALLEST:
        raise WrongValueError(
            f"session cache {shown(word)} is too small",
            f"give it {format_size(SMALLEST)} or more",
            index,
        )
    if size > LARGEST:
        raise WrongValueError(
            f"session cache {shown(word)} is too large",
            f"give it {format_size(LARGEST)} or less",
            index,
        )


def cache_words(cache: SessionCache) -> tuple[str, ...]:
    """Write a cache in the words that it is read from."""
    found: tuple[str, ...] = ()
    if cache.builtin is not None:
        found += (f"builtin:{cache.builtin}",)
    if cache.shared is not None:
        found += (f"shared:{cache.shared.name}:{format_size(cache.shared.size)}",)
    return found or ("none" if cache.announced else "off",)


Cache: TypeAlias = Annotated[SessionCache, session_cache]
