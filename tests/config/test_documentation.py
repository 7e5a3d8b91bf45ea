"""The page about the configuration knows every directive, and no other."""

import re
from pathlib import Path

from mailssl_trio.config.directives import SERVER, TOP

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
ROW = re.compile(r"^\| (`[a-z0-9_`, ]+`) \|", re.MULTILINE)


def test_every_directive_has_its_row_on_the_page() -> None:
    rows = ROW.findall(PAGE.read_text())
    names = {name.strip("` ") for row in rows for name in row.split(",")}
    assert names == SERVER | TOP - {"mail"}
