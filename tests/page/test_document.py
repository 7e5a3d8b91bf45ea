"""The page about the page names code and tests that are there, and every test."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "the-page.md").read_text()
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", TEXT)))
HERE = Path(__file__).parent


def place(file: str) -> Path:
    """Return which file is meant, by the rule that the page gives."""
    if file.startswith("tests/"):
        return ROOT / file
    return (HERE if file.startswith("test_") else ROOT / "mailssl_trio") / file


def defined_in(path: Path) -> set[str]:
    """Return the functions and classes of a file."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_what_the_page_names_is_there(file: str, name: str) -> None:
    assert name in defined_in(place(file))


def test_every_test_of_a_sentence_is_named() -> None:
    ours = {
        (path.name, name)
        for path in HERE.glob("test_*.py")
        if path.name != Path(__file__).name
        for name in defined_in(path)
        if name.startswith("test_")
    }
    assert ours <= set(NAMED)


def test_every_directive_of_the_page_has_its_section() -> None:
    assert re.findall(r"^## (.*)", TEXT, re.MULTILINE) == [
        "Overview",
        "ssl",
        "ssl_certificate",
        "ssl_certificate_key",
        "ssl_ciphers",
        "ssl_prefer_server_ciphers",
        "ssl_protocols",
        "ssl_session_cache",
        "ssl_session_timeout",
        "starttls",
        "What time has overtaken",
    ]
