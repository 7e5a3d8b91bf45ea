"""From TOML's tables to directives, noting everything that is wrong on the way."""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, TypeAlias, TypeVar, cast, get_args, get_origin

from attrs import fields_dict
from cattrs import ClassValidationError, Converter
from cattrs.errors import AttributeValidationNote, ForbiddenExtraKeysError

from mailssl_trio.config.directives import (
    MAIL,
    SERVER,
    TOP,
    MailDirectives,
    ServerDirectives,
    TopDirectives,
)
from mailssl_trio.config.nginx_only import NGINX_ONLY
from mailssl_trio.config.problem import KeyPath, Report
from mailssl_trio.config.values import WrongValueError, suggestion

Directives = TypeVar("Directives", TopDirectives, MailDirectives, ServerDirectives)

Reader: TypeAlias = Callable[[object], object]


def _converter() -> Converter:
    """Let every type that carries its reader be read by it."""
    converter = Converter(forbid_extra_keys=True, detailed_validation=True)
    converter.register_structure_hook_factory(_carries_reader, _by_reader)
    return converter


def _carries_reader(kind: object) -> bool:
    return get_origin(kind) is Annotated


def _by_reader(kind: object) -> Callable[[object, object], object]:
    reader: Reader = get_args(kind)[1]
    return lambda value, _kind: reader(value)


CONVERTER = _converter()


def structure(
    table: Mapping[str, object],
    kind: type[Directives],
    place: KeyPath,
    report: Report,
) -> tuple[Directives, Mapping[str, object]]:
    """Read a table; return its directives, and of the table what is right.

    What is wrong is noted and then taken for unset, so that everything else can still
    be judged.
    """
    wrong: set[str] = set()
    try:
        return CONVERTER.structure(table, kind), table
    except ClassValidationError as group:
        for name, fault in _faults(group):
            wrong.add(name)
            path: KeyPath = (*place, name)
            report.error(
                path if fault.index is None else (*path, fault.index),
                fault.text,
                fault.remedy,
            )
    right = {name: value for name, value in table.items() if name not in wrong}
    return CONVERTER.structure(right, kind), right


def _faults(
    group: ClassValidationError,
) -> Iterator[tuple[str, WrongValueError]]:
    """Take apart what cattrs has collected."""
    for fault in group.exceptions:
        match fault:
            case ForbiddenExtraKeysError():
                for name in fault.extra_fields:
                    yield name, unknown(name, frozenset(fields_dict(fault.cl)))
            case WrongValueError():
                yield _name(fault), fault
            case _:
                raise fault


def _name(fault: WrongValueError) -> str:
    notes = cast("list[object]", fault.__notes__)
    return next(
        note.name for note in notes if isinstance(note, AttributeValidationNote)
    )


def unknown(name: str, known: frozenset[str]) -> WrongValueError:
    """Say why a name is no directive of a table, and what was probably meant."""
    remedy = suggestion(name, known | {"mail"} if known == TOP else known)
    match name:
        case _ if name in TOP:
            remedy = f"`{name}` belongs at the top of the file, above [mail]"
        case _ if name in MAIL and known == TOP:
            remedy = f"`{name}` belongs in [mail] or [[mail.server]]"
        case _ if name in SERVER:
            remedy = f"`{name}` belongs in [[mail.server]]"
        case "server":
            remedy = "a server is written [[mail.server]]"
        case _ if name in NGINX_ONLY:
            return WrongValueError(
                "a directive of nginx's that is not available here", NGINX_ONLY[name]
            )
        case _:
            return WrongValueError("unknown directive", remedy or "leave it out")
    return WrongValueError("not allowed here", remedy)
