"""A directory with an nginx.conf in it, and what becomes of that."""

from pathlib import Path
from textwrap import dedent

from attrs import frozen

from mailssl_trio.config.nginx.importing import (
    Imported,
    NoMailError,
    import_nginx,
)
from mailssl_trio.config.nginx.refusal import RefusedError
from mailssl_trio.config.nginx.vocabulary import Version
from mailssl_trio.files import Files


@frozen
class Site:
    """Where nginx's configuration lies."""

    directory: Path

    @property
    def file(self) -> Path:
        """The main file."""
        return self.directory / "nginx.conf"

    def write(self, text: str, name: str = "nginx.conf") -> Path:
        """Write a file that is indented as the test is."""
        file = self.directory / name
        file.parent.mkdir(exist_ok=True)
        data = dedent(text).lstrip("\n").encode(errors="surrogateescape")
        file.write_bytes(data)
        return file

    def imported(self, text: str, version: Version | None = None) -> Imported:
        """Translate a document, below the block that must be in any."""
        self.write("events {}\n" + dedent(text).lstrip("\n"))
        return self.imported_file(version)

    def imported_file(self, version: Version | None = None) -> Imported:
        """Translate what has been written."""
        return import_nginx(self.file, Files(), version=version, prefix=Path("/prefix"))

    def toml(self, text: str, version: Version | None = None) -> str:
        """Return what a document becomes, without the directory."""
        text = self.imported(text, version).text
        return text.replace(f"{self.directory}/", "")

    def warnings(self, text: str, version: Version | None = None) -> list[str]:
        """Return the warnings about it, each with its line, less the first of all."""
        return [
            f"{problem.line and problem.line - 1}: {problem.path}: {problem.text}"
            for problem in self.imported(text, version).warnings
        ]

    def refusal(self, version: Version | None = None) -> str:
        """Return what is said against the main file; "" if nothing is."""
        try:
            import_nginx(self.file, Files(), version=version)
        except RefusedError as refused:
            return str(refused)
        except NoMailError:
            pass  # nginx has nothing against that
        return ""
