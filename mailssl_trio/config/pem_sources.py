"""Directives that name files: of PEM, which may stand here itself, and several."""

from collections.abc import Callable, Iterator
from typing import Annotated, TypeAlias, TypeVar

from mailssl_trio.config.values import DATA, WrongValueError, file_name, shown
from mailssl_trio.tls.policy import Inline, Source

Named: TypeAlias = str | Inline
"""PEM as the configuration names it: relative to itself, or in it."""

DEVELOPMENT = "development"
"""The ``ssl_certificate`` that we issue ourselves."""

HIDDEN = "hidden"
"""What ``show`` writes in place of a key behind ``data:``, and of another secret."""

T = TypeVar("T")


def pem(value: object) -> Named:
    """Read the name of a PEM file, or ``data:`` and the PEM, which is never shown."""
    match value:
        case str() if value.startswith(DATA):
            return _inline(value.removeprefix(DATA))
        case str() if value.startswith(("engine:", "store:")):
            raise WrongValueError(
                f"{shown(value)} is a form of nginx's that is not available here",
                "put the key into a file and name the file",
            )
    return file_name(value)


def _inline(text: str) -> Inline:
    if text.strip() == HIDDEN:
        raise WrongValueError(
            "`show` has hidden the key that was here", "`show --secrets` writes it out"
        )
    if "-----BEGIN " not in text:
        raise WrongValueError(
            "there is no PEM behind data:", "write the text from -----BEGIN on"
        )
    return Inline(text)


def holds_key(source: Source) -> bool:
    """Whether a key stands in the configuration itself, be it behind a certificate."""
    return isinstance(source, Inline) and "PRIVATE KEY-----" in source.pem


def certificates(value: object) -> tuple[Named, ...]:
    """Read ``ssl_certificate``: one, or an array of several."""
    named = tuple(_each(value, pem))
    if not named:
        raise WrongValueError("no certificate", "name a PEM file")
    if DEVELOPMENT in named and len(named) > 1:
        raise WrongValueError(
            f'"{DEVELOPMENT}" stands alone',
            "name files for all certificates, or for none",
            named.index(DEVELOPMENT),
        )
    return _once(named)


def keys(value: object) -> tuple[Named, ...]:
    """Read ``ssl_certificate_key``: one, or an array; two may be the same."""
    return tuple(_each(value, pem))


def file_names(value: object) -> tuple[str, ...]:
    """Read the names of files: one, or an array of several."""
    return _once(tuple(_each(value, file_name)))


def _each(value: object, read: Callable[[object], T]) -> Iterator[T]:
    """Read a value that is one, or the elements of an array."""
    if not isinstance(value, list):
        yield read(value)
        return
    for index, element in enumerate(value):
        try:
            yield read(element)
        except WrongValueError as wrong:
            raise WrongValueError(wrong.text, wrong.remedy, index) from None


def _once(named: tuple[T, ...]) -> tuple[T, ...]:
    for index, name in enumerate(named):
        if name in named[:index]:
            raise WrongValueError(
                f"{shown(name)} is there twice", "name each file once", index
            )
    return named


Pem: TypeAlias = Annotated[Named, pem]
Certificates: TypeAlias = Annotated[tuple[Named, ...], certificates]
Keys: TypeAlias = Annotated[tuple[Named, ...], keys]
FileNames: TypeAlias = Annotated[tuple[str, ...], file_names]
