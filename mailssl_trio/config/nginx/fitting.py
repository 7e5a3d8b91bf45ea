"""How much of what nginx takes this program takes, by asking the directive itself."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, get_args, get_origin

from attrs import fields, frozen

from mailssl_trio.config.directives import ServerDirectives, TopDirectives
from mailssl_trio.config.nginx.notes import AS_HERE, REMEDIES
from mailssl_trio.config.nginx.urls import parse_listen
from mailssl_trio.config.nginx.values import Value
from mailssl_trio.config.nginx_only import NGINX_ONLY
from mailssl_trio.config.values import WrongValueError

UNDECODED = re.compile("[\udc80-\udcff]")
"""What octets become that are not UTF-8."""

NOT_HERE = "not available here"


def _readers(
    kind: type[TopDirectives] | type[ServerDirectives],
) -> Iterator[tuple[str, Callable[[object], object]]]:
    for directive in fields(kind):
        for each in (directive.type, *get_args(directive.type)):
            if get_origin(each) is Annotated:
                yield directive.name, get_args(each)[1]
                break


OF_TOP = dict(_readers(TopDirectives))
OF_SERVER = dict(_readers(ServerDirectives))


@frozen
class Misfit:
    """What is not taken, and why."""

    reason: str
    word: str | None = None
    """The element of a list; None if nothing of it is taken."""


def fitted(
    name: str, value: Value, *, at_top: bool = False
) -> tuple[Value | None, list[Misfit]]:
    """Return what is taken of a value, None if nothing, and why the rest is not."""
    read = (OF_TOP if at_top else OF_SERVER).get(name)
    if read is None:
        return None, [Misfit(_absence(name))]
    misfits: list[Misfit] = []
    while (wrong := _wrong(read, value)) is not None:
        if not isinstance(value, list) or wrong.index is None:
            return None, [*misfits, Misfit(_reason(wrong))]
        misfits.append(Misfit(_reason(wrong), value[wrong.index]))
        value = [*value[: wrong.index], *value[wrong.index + 1 :]]
        if not value:
            return None, misfits
    return value, misfits


def is_so_anyway(name: str, value: Value | None) -> bool:
    """Whether there is no such directive, and need not be one."""
    is_known = name in OF_TOP or name in OF_SERVER
    return not is_known and name in AS_HERE and AS_HERE[name] == value


def fitted_listen(words: Sequence[str]) -> tuple[list[str], list[Misfit]]:
    """Return the addresses of a ``listen`` with the parameters that are taken."""
    read = OF_SERVER["listen"]
    where, *parameters = words
    wrong = _wrong(read, where)
    addresses = [where]
    if wrong is not None and parse_listen(where).last_port:
        addresses = [*parse_listen(where).names]
        wrong = _wrong(read, addresses)
    if wrong is not None:
        return [], [Misfit(_reason(wrong), where)]
    taken, misfits = [], []
    for parameter in parameters:
        if (wrong := _wrong(read, f"{addresses[0]} {parameter}")) is None:
            taken.append(parameter)
        else:
            misfits.append(Misfit(_reason(wrong), parameter))
    return [" ".join((address, *taken)) for address in addresses], misfits


def _wrong(read: Callable[[object], object], value: Value) -> WrongValueError | None:
    try:
        _check_letters(value)
        read(value)
    except WrongValueError as wrong:
        return wrong
    return None


def _check_letters(value: Value) -> None:
    """Refuse octets of nginx's that are no letters, and cannot stand in TOML."""
    for index, word in enumerate(value if isinstance(value, list) else [value]):
        if UNDECODED.search(str(word)):
            place = index if isinstance(value, list) else None
            raise WrongValueError("not UTF-8", "TOML always is", place)


def _reason(wrong: WrongValueError) -> str:
    return f"{wrong.text}; {wrong.remedy}" if wrong.remedy else wrong.text


def _absence(name: str) -> str:
    """Say that there is no such directive, and why, where that is known."""
    nginx_only = NGINX_ONLY.get(name, "").removeprefix("leave it out")
    return REMEDIES.get(name) or nginx_only.removeprefix(": ") or NOT_HERE
