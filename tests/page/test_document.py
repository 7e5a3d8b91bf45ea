"""What the documents about TLS name is there, and all that should be is named."""

import ast
import re
import sys
from pathlib import Path

import pytest
from trustme import CA

from tests.interop.machine import run

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


LESSON = (ROOT / "docs" / "tls.md").read_text()


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


def test_files_and_names_of_the_lesson_are_there() -> None:
    named = re.findall(r"`(?:(\w+)` in\s+`)?([\w/]+\.py)`", LESSON)
    assert len(named) > 10
    for name, file in named:
        assert name in {"", *defined_in(place(file))}


def test_configuration_of_the_lesson_holds(tmp_path: Path) -> None:
    [configuration] = re.findall(r"```toml\n(.*?)```", LESSON, re.DOTALL)
    (tmp_path / "ca.pem").write_bytes(CA().cert_pem.bytes())
    file = tmp_path / "mail.toml"
    file.write_text(configuration)
    said = run(sys.executable, "-m", "mailssl_trio", "check", file)
    assert said == f"{file}: ok\n"
