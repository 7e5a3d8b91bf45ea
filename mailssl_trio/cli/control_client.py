"""The other end of the control socket: one request, and all of its answer."""

import json
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from attrs import frozen

from mailssl_trio.config.problem import MAY_NOT_OPEN

VERSION = 1

PATIENCE = 15.0
"""Seconds in which there is another line of an answer."""
RELOAD_PATIENCE = 160.0
"""The same for a reload, which first has a new generation serve."""

Fact: TypeAlias = Mapping[str, object]


class ControlError(Exception):
    """The program cannot be asked; the text says why, and what to do about it."""

    def __init__(self, text: str, exit_code: int = 1, *, absent: bool = False) -> None:
        super().__init__(text)
        self.exit_code = exit_code
        self.absent = absent
        """Nobody is there at all."""


@frozen
class Answer:
    """What a program has said to a request."""

    facts: tuple[Fact, ...]
    """All lines but the last."""
    last: Fact

    def each(self, kind: str) -> list[object]:
        """Return what is said of one kind of thing."""
        return [fact[kind] for fact in self.facts if kind in fact]

    def all(self, kind: str) -> list[Fact]:
        """Return the same where each is an object."""
        return [fact for fact in self.each(kind) if isinstance(fact, dict)]

    @property
    def problems(self) -> list[str]:
        """Return what the program has found wrong."""
        return list(map(str, self.each("problem")))

    @property
    def error(self) -> str:
        """Return why the request came to nothing; "" if it did not."""
        return "" if self.last.get("ok") is True else str(self.last.get("error"))

    @property
    def exit_code(self) -> int:
        """Return what the command ends with."""
        code = self.last.get("exit_code")
        return 0 if not self.error else code if isinstance(code, int) else 1


def ask(path: Path, request: Fact, patience: float = PATIENCE) -> Answer:
    """Ask the program whose socket this is. Raises ControlError."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(patience)
            connection.connect(str(path))
            said = json.dumps({"v": VERSION, **request})
            connection.sendall(f"{said}\n".encode())
            lines = tuple(_lines(connection))
    except (FileNotFoundError, ConnectionRefusedError):
        raise ControlError(f"nobody is at {path}", absent=True) from None
    except PermissionError:
        text = f"{path} is for root and for who runs the program"
        raise ControlError(text, MAY_NOT_OPEN) from None
    except TimeoutError:
        raise ControlError(f"{path}: no answer within {patience:.0f} s") from None
    except OSError as error:
        raise ControlError(f"{path}: {error.strerror or error}") from None
    if not lines or "ok" not in lines[-1]:
        raise ControlError(f"{path}: the program has ended before its answer did")
    return Answer(lines[:-1], lines[-1])


def _lines(connection: socket.socket) -> Iterator[Fact]:
    """Yield what is said, up to the line that is the last. Raises ControlError."""
    with connection.makefile("rb") as received:
        for line in received:
            try:
                fact = json.loads(line)
            except ValueError:
                fact = None
            if not isinstance(fact, dict) or fact.pop("v", None) != VERSION:
                raise ControlError("what answers there is not this program")
            yield fact
            if "ok" in fact:
                return
