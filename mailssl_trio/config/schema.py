"""The configuration as JSON Schema has it (draft 2020-12), for editors."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from mailssl_trio.config.dictionary import MAIL, SERVER, TOP, Entry, dictionary

Object: TypeAlias = dict[str, object]

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> Object:
    """Return the schema of the whole file."""
    entries = dictionary()
    servers = {"type": "array", "items": {"$ref": "#/$defs/server"}, "minItems": 1}
    mail = _table(MAIL, entries, {"server": servers})
    return {
        "$schema": DRAFT,
        "title": "The configuration of mailssl-trio",
        **_table(TOP, entries, {"mail": {"$ref": "#/$defs/mail"}}),
        "required": ["mail"],
        "$defs": {
            "mail": {**mail, "required": ["server"]},
            "server": {**_table(SERVER, entries), "required": ["listen"]},
        },
    }


def _table(
    context: str, entries: Iterable[Entry], tables: Mapping[str, object] | None = None
) -> Object:
    """Describe a table: directives, perhaps other tables, and nothing else."""
    own = {each.name: _value(each) for each in entries if context in each.contexts}
    return {
        "type": "object",
        "properties": {**own, **(tables or {})},
        "additionalProperties": False,
    }


def _value(entry: Entry) -> Object:
    unset = f" Unset: {entry.unset}." if entry.unset else ""
    default = {} if entry.default is None else {"default": entry.default}
    return {"description": f"{entry.sentence}{unset}", **default, **entry.form.schema}
