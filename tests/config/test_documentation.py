"""The page about the configuration says what the program says of itself, and more."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from mailssl_trio.config.dictionary import MAIL, SERVER, TOP, Entry, dictionary

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "configuration.md"
ROW = re.compile(r"^\| `([a-z0-9_]+)` \|(.*)\|$", re.MULTILINE)

SECTIONS: Mapping[tuple[str, ...], str] = {
    (TOP,): "At the top",
    (MAIL, SERVER): "In `[mail]` and `[[mail.server]]`",
    (SERVER,): "In `[[mail.server]]` only",
}

ENTRIES = dictionary()


def rows(section: str) -> Mapping[str, list[str]]:
    """Return the cells behind each name in a section's table."""
    _, _, below = PAGE.read_text().partition(f"\n## {section}\n")
    text, _, _ = below.partition("\n## ")
    return {
        name: [cell.strip() for cell in cells.split("|")]
        for name, cells in ROW.findall(text)
    }


def plain(text: str) -> str:
    """Return a text without what only makes it look well."""
    return re.sub(r"[`\"]", "", text).strip(" .").lower()


def named(entry: Entry) -> str:
    return f"{entry.name}, {entry.contexts[0]}"


@pytest.mark.parametrize(("contexts", "section"), SECTIONS.items())
def test_each_section_has_a_row_for_each_of_its_directives(
    contexts: tuple[str, ...], section: str
) -> None:
    names = [entry.name for entry in ENTRIES if entry.contexts == contexts]
    written = [name for name, _ in ROW.findall(PAGE.read_text())]
    assert sorted(rows(section)) == sorted(names)
    assert len(written) == len(ENTRIES), "no row is there twice"


@pytest.mark.parametrize("entry", ENTRIES, ids=named)
def test_every_directive_says_what_it_is_in_a_sentence(entry: Entry) -> None:
    assert entry.sentence[:1].isupper() or entry.sentence.startswith("`")
    assert entry.sentence.endswith(".")
    assert (DOCS / entry.page).is_file()


@pytest.mark.parametrize("entry", ENTRIES, ids=named)
def test_row_begins_with_the_sentence(entry: Entry) -> None:
    meaning = rows(SECTIONS[entry.contexts])[entry.name][-1]
    assert plain(meaning).startswith(plain(entry.sentence))


@pytest.mark.parametrize("entry", ENTRIES, ids=named)
def test_row_names_the_default(entry: Entry) -> None:
    cells = rows(SECTIONS[entry.contexts])[entry.name]
    if len(cells) > 1:
        default = "" if entry.default in (None, []) else str(entry.default)
        if isinstance(entry.default, bool):
            default = "on" if entry.default else "off"
        assert plain(cells[0]) == plain(entry.unset or default or (cells[0] and "none"))
