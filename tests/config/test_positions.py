"""The line of every key: examples to read, and documents nobody would write."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailssl_trio.config.positions import scan
from mailssl_trio.config.problem import KeyPath


def lines(document: str) -> dict[KeyPath, int]:
    text = dedent(document).lstrip("\n")
    positions = scan(text)
    assert set(positions.lines) == set(paths(tomllib.loads(text)))
    assert positions.repeated == {}
    return dict(positions.lines)


def paths(value: object, at: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield every key path of what tomllib has read."""
    match value:
        case dict():
            children: list[tuple[str | int, object]] = [*value.items()]
        case list():
            children = [*enumerate(value)]
        case _:
            return
    for step, child in children:
        yield (*at, step)
        yield from paths(child, (*at, step))


def test_tables_and_arrays_of_tables() -> None:
    assert lines(
        """
        top = 1

        [mail]  # shared
        timeout = "5m"

        [[mail.server]]
        listen = 143

        [[mail.server]]
        listen = 110
        [mail.server.deep]
        key = 1
        """
    ) == {
        ("top",): 1,
        ("mail",): 3,
        ("mail", "timeout"): 4,
        ("mail", "server"): 6,
        ("mail", "server", 0): 6,
        ("mail", "server", 0, "listen"): 7,
        ("mail", "server", 1): 9,
        ("mail", "server", 1, "listen"): 10,
        ("mail", "server", 1, "deep"): 11,
        ("mail", "server", 1, "deep", "key"): 12,
    }


def test_table_that_is_written_after_its_child_has_its_own_line() -> None:
    assert lines("[a.b]\n[a]\nc = 1\n") == {
        ("a",): 2,
        ("a", "b"): 1,
        ("a", "c"): 3,
    }


def test_arrays_over_several_lines_have_a_line_an_element() -> None:
    assert lines(
        """
        listen = [  # [ "
            "127.0.0.1:143",

            '''[::1]:143''', 1979-05-27 07:32:00,
        ]
        after = true
        """
    ) == {
        ("listen",): 1,
        ("listen", 0): 2,
        ("listen", 1): 4,
        ("listen", 2): 4,
        ("after",): 6,
    }


def test_strings_over_several_lines_hide_what_looks_like_keys() -> None:
    assert lines(
        '''
        one = """
        [two]
        three = 3 \\"""
        """""
        four = \'\'\'
        "five" = 5\'\'\'\'
        six = ""
        '''
    ) == {("one",): 1, ("four",): 5, ("six",): 7}


def test_keys_may_be_dotted_and_quoted() -> None:
    assert lines(
        """
        a . "b.c" . 'd"' = 1
        "\\u0061\\"]" = 2
        [ "x y" . z ]
        q = { r.s = [ { t = 1 }, { t = 2 } ], u = "}" }
        """
    ) == {
        ("a",): 1,
        ("a", "b.c"): 1,
        ("a", "b.c", 'd"'): 1,
        ('a"]',): 2,
        ("x y",): 3,
        ("x y", "z"): 3,
        ("x y", "z", "q"): 4,
        ("x y", "z", "q", "r"): 4,
        ("x y", "z", "q", "r", "s"): 4,
        ("x y", "z", "q", "r", "s", 0): 4,
        ("x y", "z", "q", "r", "s", 0, "t"): 4,
        ("x y", "z", "q", "r", "s", 1): 4,
        ("x y", "z", "q", "r", "s", 1, "t"): 4,
        ("x y", "z", "q", "u"): 4,
    }


def test_shipped_configuration_is_found_whole() -> None:
    file = Path(__file__).parents[2] / "conf" / "mail.toml"
    assert lines(file.read_text())["mail", "server", 5, "ssl"] > 1


@pytest.mark.parametrize(
    ("text", "path", "both"),
    [
        ("a = 1\na = 2\n", ("a",), (1, 2)),
        ("[m]\na = [\n1]\n\n'a' = 2\n", ("m", "a"), (2, 5)),
        ("[m]\n[n]\n[m]\n", ("m",), (1, 3)),
        ("[[m]]\na = 1\n[[m]]\na = 1\na = 2\n", ("m", 1, "a"), (4, 5)),
        ("a = { b = 1, b = 2 }\n", ("a", "b"), (1, 1)),
    ],
)
def test_key_that_is_set_twice_is_seen(
    text: str, path: KeyPath, both: tuple[int, int]
) -> None:
    assert dict(scan(text).repeated) == {path: both}


@pytest.mark.parametrize(
    "text",
    [
        "=",
        "[",
        "[[a]",
        "a",
        "a =",
        "a = ['1' 2]",
        "a = {b}",
        '"a',
        "[" * 9,
        "x=" + "[" * 9999,
    ],
)
def test_what_is_not_toml_ends_the_scan_after_what_was(text: str) -> None:
    assert scan(f"first = 1\n{text}").lines["first",] == 1


# Generated documents. Each is written line by line, so that the lines are known.

STEPS = st.text(min_size=1, max_size=4)
SCALARS = st.one_of(
    st.integers(-9, 9).map(str),
    st.booleans().map(lambda truth: str(truth).lower()),
    st.sampled_from(["1979-05-27 07:32:00Z", "1e3", "-inf", "''", '""', "'''\n#'''"]),
    st.sampled_from(['"]"', "'}'", '"\\""', '"""\n\\"""\n"""""', "'''[a]\n'''''"]),
)


def written(name: str) -> str:
    """Write a key as a basic string, whatever is in it."""
    escaped = (f"\\U{ord(letter):08x}" for letter in name)
    return f'"{"".join(escaped)}"'


@st.composite
def values(draw: st.DrawFn, depth: int = 2) -> str:
    """Draw a value, with line ends wherever TOML has them."""
    shape = draw(st.sampled_from(["scalar", "array", "table"] if depth else ["scalar"]))
    if shape == "scalar":
        return draw(SCALARS)
    inner = draw(st.lists(values(depth - 1), max_size=3))
    if shape == "array":
        ends = draw(st.sampled_from([", ", ",\n", " , # ]\n"]))
        return f"[\n{ends.join(inner)}\n]"
    pairs = (f"{written(str(n))} = {value}" for n, value in enumerate(inner))
    return f"{{ {', '.join(pairs)} }}"


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[KeyPath, int]]:
    """Draw a document, and the lines of its tables and their keys."""
    text = draw(st.sampled_from(["", "\n", "# = [\n"]))
    known: dict[KeyPath, int] = {}
    for name in draw(st.lists(STEPS, max_size=3, unique=True)):
        known[name,] = text.count("\n") + 1
        elements = draw(st.integers(0, 3))  # none is a plain table
        for index in range(max(elements, 1)):
            table: KeyPath = (name, index) if elements else (name,)
            known[table] = text.count("\n") + 1
            text += f"[[{written(name)}]]" if elements else f"[ {written(name)} ]"
            text += draw(st.sampled_from(["\n", " # x\n\n"]))
            for key in draw(st.lists(STEPS, max_size=3, unique=True)):
                known[*table, key] = text.count("\n") + 1
                text += f"{written(key)} = {draw(values())}\n"
    return text, known


@given(documents())
def test_every_key_of_any_document_is_found_in_its_line(
    drawn: tuple[str, dict[KeyPath, int]],
) -> None:
    text, known = drawn
    positions = scan(text)
    assert set(positions.lines) == set(paths(tomllib.loads(text)))
    assert {path: positions.lines[path] for path in known} == known
    assert positions.repeated == {}
