"""The page for those who come from nginx shows what the importer really prints."""

import re
from pathlib import Path

from mailssl_trio.config.directives import SERVER, TOP
from mailssl_trio.config.nginx.importing import import_nginx
from mailssl_trio.config.nginx.vocabulary import DIRECTIVES
from mailssl_trio.files import Content, Files

PAGE = Path(__file__).parents[3] / "docs" / "coming-from-nginx.md"
ROW = re.compile(r"^\| (`[a-z0-9_`, ]+`) \|", re.MULTILINE)

MAIN = Path("/etc/nginx/nginx.conf")


def fenced(kind: str) -> str:
    """Return what stands on the page in a block of a kind."""
    found = re.search(rf"```{kind}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def test_example_is_what_the_importer_prints() -> None:
    content = Content(fenced("nginx").encode())
    imported = import_nginx(MAIN, Files({MAIN: content}, on_disk=False))
    assert imported.text == fenced("toml")
    warnings = "".join(f"{warning}\n" for warning in imported.warnings)
    assert f"```\n{warnings}```" in PAGE.read_text()


def test_what_is_said_not_to_be_there_is_what_is_not_there() -> None:
    rows = ROW.findall(PAGE.read_text())
    missing = {name.strip("` ") for row in rows for name in row.split(",")}
    here = SERVER | TOP
    assert missing & here == set()
    of_mail = {
        name for name, each in DIRECTIVES.items() if "MAIL" in str(each.contexts)
    }
    assert of_mail - here - missing == set()
