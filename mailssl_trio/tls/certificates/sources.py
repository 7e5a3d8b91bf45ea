"""What a directive names, a file or PEM in the configuration itself: read, or why not.

An operator deserves better words than those of an ``OSError``.
"""

from collections.abc import Iterator
from stat import S_IRWXO

from mailssl_trio.files import Content, Files, NotAFileError
from mailssl_trio.tls.policy import Inline, Source
from mailssl_trio.tls.problems import TlsProblem

A_PEM_FILE = "give the name of a PEM file"


def read(
    directive: str, source: Source, files: Files, remedy: str = A_PEM_FILE
) -> Content | TlsProblem:
    """Read what may be missing, forbidden, or no file at all."""
    if isinstance(source, Inline):
        return Content(source.pem.encode())
    try:
        return files.read(source)
    except PermissionError:
        text = f"{source} may not be read"
        remedy = "let this user read it, and enter the directories above it"
        return TlsProblem(directive, text, remedy, denied=True)
    except FileNotFoundError:
        return TlsProblem(directive, f"{source} does not exist", remedy)
    except NotAFileError as error:
        return TlsProblem(directive, f"{source} {error}", remedy)
    except OSError as error:
        text = f"{source} cannot be read: {error.strerror}"
        return TlsProblem(directive, text, remedy)
    except ValueError:  # NUL
        return TlsProblem(directive, f"{str(source)!r} is no file name", remedy)


def exposure(
    directive: str, what: str, source: Source, content: Content
) -> Iterator[TlsProblem]:
    """Yield whether strangers can take a secret, or put another in its place."""
    if content.mode & S_IRWXO:
        yield TlsProblem(
            directive,
            f"{what} {source} is open to every user (mode {content.mode:04o})",
            f"chmod o-rwx {source}",
        )
