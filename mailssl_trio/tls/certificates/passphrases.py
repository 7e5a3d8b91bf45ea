"""The directive ``ssl_password_file``: a passphrase a line, tried in turn."""

from collections.abc import Iterator
from pathlib import Path

from mailssl_trio.files import Content, Files
from mailssl_trio.tls.certificates.sources import exposure, read
from mailssl_trio.tls.problems import TlsProblem

DIRECTIVE = "ssl_password_file"
MAX_LINE = 4096  # nginx's buffer
MAX_PASSPHRASE = 1024  # PEM_BUFSIZE: what is longer, OpenSSL never sees


def passphrase_problems(path: Path, files: Files) -> Iterator[TlsProblem]:
    """Yield why passphrases cannot be taken from a file, or must not be."""
    match read(DIRECTIVE, path, files, "give the name of a file of passphrases"):
        case TlsProblem() as problem:
            yield problem
        case content:
            yield from exposure(DIRECTIVE, "the file of passphrases", path, content)
            for number, line in enumerate(_lines(content), 1):
                if len(line) >= MAX_LINE:
                    yield TlsProblem(
                        DIRECTIVE,
                        f"line {number} of {path} is too long for a passphrase",
                        f"write one passphrase a line, under {MAX_LINE} octets",
                    )


def passphrases(path: Path, files: Files) -> tuple[bytes, ...]:
    """Return those of a file that has no problems; one that is empty for none."""
    lines = _lines(files.read(path))
    return tuple(line[:MAX_PASSPHRASE] for line in lines if line) or (b"",)


def _lines(content: Content) -> tuple[bytes, ...]:
    return tuple(line.removesuffix(b"\r") for line in content.data.split(b"\n"))
