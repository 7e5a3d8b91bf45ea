"""The configuration file as TOML: its tables, and the line of everything in it."""

import re
import tomllib
from pathlib import Path

from attrs import field, frozen

from mailssl_trio.config.nginx.importing import NoMailError, import_nginx
from mailssl_trio.config.nginx.refusal import RefusedError
from mailssl_trio.config.positions import Positions, scan
from mailssl_trio.config.problem import (
    MAY_NOT_OPEN,
    WRONG,
    ConfigError,
    Problem,
    dotted,
)
from mailssl_trio.files import Files

NGINX = ".conf"

PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@frozen
class Document:
    """What TOML says, and where it says so."""

    tables: dict[str, object] = field(repr=False)
    positions: Positions = field(repr=False)
    warnings: tuple[Problem, ...] = ()
    """Of what could not be understood as it was meant."""


def read_document(file: Path, files: Files) -> Document:
    """Read the file; ConfigError if it cannot be opened or is not TOML.

    What is named ``.conf`` may be nginx's, and is then translated.
    """
    try:
        data = files.read(file).data
        if file.suffix == NGINX and not _is_toml(data):
            return _from_nginx(file, files)
        text = data.decode().replace("\r\n", "\n")
    except PermissionError as denied:
        raise _unusable(file, denied, "let this user read it", MAY_NOT_OPEN) from None
    except OSError as missing:
        raise _unusable(file, missing, "name a file that is there") from None
    except UnicodeDecodeError as foreign:
        line = foreign.object.count(b"\n", 0, foreign.start) + 1
        problem = Problem(file, line, "", "not UTF-8", "TOML is always UTF-8")
        raise ConfigError([problem]) from None
    try:
        return Document(tomllib.loads(text), scan(text))
    except (ValueError, RecursionError) as wrong:
        raise ConfigError([_not_toml(file, text, wrong)]) from None


def _is_toml(data: bytes) -> bool:
    try:
        tomllib.loads(data.decode())
    except (ValueError, RecursionError):
        return False
    return True


def _from_nginx(file: Path, files: Files) -> Document:
    """Translate a configuration of nginx's; its lines are those of the origin.

    What nginx lets be, works unchanged: secrets may be open to others.
    """
    files.forgive()
    try:
        imported = import_nginx(file, files)
    except RefusedError as refused:
        place = refused.place
        at, line = (file, None) if place is None else (Path(place.file), place.line)
        raise ConfigError([Problem(at, line, "", refused.text)]) from None
    except NoMailError as nothing:
        remedy = "name a file that has one, or write one"
        raise ConfigError([Problem(file, None, "", str(nothing), remedy)]) from None
    positions = scan(imported.text)
    lines = {path: imported.origins[at - 1] for path, at in positions.lines.items()}
    return Document(
        tomllib.loads(imported.text), Positions(lines, {}), imported.warnings
    )


def _unusable(
    file: Path, reason: OSError, remedy: str, exit_code: int = WRONG
) -> ConfigError:
    text = f"cannot be opened: {reason.strerror or reason}"
    return ConfigError([Problem(file, None, "", text, remedy, exit_code=exit_code)])


def _not_toml(file: Path, text: str, wrong: Exception) -> Problem:
    if not isinstance(wrong, tomllib.TOMLDecodeError):
        return Problem(file, None, "", "not TOML: nested too deeply, or a huge number")
    line, upto = _place(text, str(wrong))
    for path, (first, second) in scan(text[:upto]).repeated.items():
        remedy = f"it is there already in line {first}: keep one of them"
        return Problem(file, second, dotted(path), "set twice", remedy)
    said = PLACE.sub("", str(wrong))
    return Problem(file, line, "", f"not TOML: {said}", _toml_remedy(text, line))


def _place(text: str, said: str) -> tuple[int, int]:
    """Return the line, and how many characters of the text stand before the fault."""
    found = PLACE.search(said)
    if found is None or found[1] is None:
        return text.rstrip("\n").count("\n") + 1, len(text)
    line, column = int(found[1]), int(found[2])
    before = text.split("\n")[: line - 1]
    return line, sum(len(said) + 1 for said in before) + column - 1


def _toml_remedy(text: str, line: int) -> str:
    """Explain the one mistake that everybody makes who comes from nginx."""
    if re.match(r"[ \t]*[a-z_]+[ \t]+[^=\s]", text.split("\n")[line - 1]):
        return 'a directive is written `name = "value"`'
    return ""
