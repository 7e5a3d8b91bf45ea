"""An nginx.conf as a configuration of this program: the text, and where it is from."""

from pathlib import Path

from attrs import field, frozen

from mailssl_trio.config.nginx.carrying import Carrying
from mailssl_trio.config.nginx.reading import Reading
from mailssl_trio.config.nginx.toml import write
from mailssl_trio.config.nginx.translation import Site
from mailssl_trio.config.nginx.vocabulary import Version
from mailssl_trio.config.problem import Problem, Severity
from mailssl_trio.files import Files


class NoMailError(Exception):
    """nginx would start, and have nothing to do with mail."""


@frozen
class Imported:
    """What ``import-nginx`` prints, and what it says about it."""

    text: str = field(repr=False)
    origins: tuple[int, ...]
    """For each line the line of the nginx.conf that it comes from."""
    warnings: tuple[Problem, ...]


def import_nginx(
    main: Path,
    files: Files,
    *,
    version: Version | None = None,
    prefix: Path | None = None,
) -> Imported:
    """Translate a configuration of nginx's. Raises RefusedError and NoMailError.

    Without a version, what any version takes is taken, and the defaults are those of
    the latest.
    """
    reading = Reading(main, files, version)
    tree = reading.read()
    if not any(tree.blocks("mail")):
        raise NoMailError(f'there is no "mail" block in {main}')
    directory = main.absolute().parent
    carrying = Carrying(Site(directory, prefix or _prefix(directory)), version)
    written = write([*carrying.tables(tree)])
    nginx_warns = (
        Problem(Path(place.file), place.line, "", text, "", Severity.WARNING)
        for place, text in reading.declared.warnings
    )
    return Imported(written.text, written.origins, (*nginx_warns, *carrying.warnings))


def _prefix(directory: Path) -> Path:
    """Guess nginx's prefix: its own layout has ``conf/nginx.conf`` below it."""
    directory = directory.absolute()
    return directory.parent if directory.name == "conf" else directory
