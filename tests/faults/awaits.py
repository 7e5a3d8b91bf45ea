"""Every await and every function of some modules, as the compiler sees them.

They are found in what the compiler makes of a module, so a new one is known by itself;
and a bug is put into one by the means of a debugger, so nothing is changed or replaced.
"""

import dis
import inspect
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import TypeAlias

from attrs import field, frozen


class Kind(Enum):
    """What happens there; for what is awaited, the argument of GET_AWAITABLE."""

    AWAIT = 0
    ENTER = 1
    """The beginning of an ``async with``."""
    LEAVE = 2
    """Its end."""
    BEGIN = 3
    """The beginning of a function."""


@frozen(order=True)
class Await:
    """One place in the source where something is awaited, or begins."""

    file: str
    line: int
    column: int
    function: str
    kind: Kind = field(order=False)
    text: str = field(order=False, eq=False)
    """What is awaited, as it is written there."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.function}: {self.text}"


Offsets: TypeAlias = Mapping[int, Await]
"""Where the interpreter is when a place is reached, in octets of a function's code."""

Places: TypeAlias = dict[tuple[str, int, str], Offsets]
"""By file, first line and name of a function."""


def places(*modules: ModuleType) -> Places:
    """Return all places of some modules."""
    found: Places = {}
    for module in modules:
        file = str(module.__file__)
        source = Path(file).read_text()
        for code in _codes(compile(source, file, "exec")):
            if not code.co_flags & inspect.CO_OPTIMIZED:
                continue  # a module or a class
            if offsets := dict(_offsets(code, source.splitlines())):
                found[_name(code)] = offsets
    return found


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _name(code: CodeType) -> tuple[str, int, str]:
    return code.co_filename, code.co_firstlineno, code.co_qualname


def _offsets(code: CodeType, lines: Sequence[str]) -> Iterator[tuple[int, Await]]:
    """Yield where a bug may come: in place of an await, but behind the end of a block.

    What leaves a block cannot fail before it has begun, nor can a nursery be left
    alone; so the bug comes when it is over.
    """
    leaving: Await | None = None
    for instruction in dis.get_instructions(code):
        if instruction.opname == "RESUME" and instruction.arg == 0:
            yield instruction.offset, _beginning(code)
        elif instruction.opname == "GET_AWAITABLE":
            place = _place(code, lines, instruction)
            kind = place.kind
            if kind is Kind.LEAVE:
                leaving = place
            else:
                yield instruction.offset, place
        elif instruction.opname == "SEND" and leaving is not None:
            yield int(instruction.argval), leaving
            leaving = None


def _place(code: CodeType, lines: Sequence[str], it: dis.Instruction) -> Await:
    assert it.positions is not None
    assert it.positions.lineno is not None
    line, column = it.positions.lineno, it.positions.col_offset or 0
    text = lines[line - 1][column : it.positions.end_col_offset]
    file = Path(code.co_filename).name
    return Await(file, line, column, code.co_qualname, Kind(it.arg), text)


def _beginning(code: CodeType) -> Await:
    file, line = Path(code.co_filename).name, code.co_firstlineno
    return Await(file, line, 0, code.co_qualname, Kind.BEGIN, "def")


Look: TypeAlias = Callable[[FrameType, str, object], "Look | None"]


class BugError(Exception):
    """What nobody has foreseen."""


class Watch:
    """Counts how often each place is reached; at one of them it raises a bug, once."""

    def __init__(
        self, watched: Places, bug_at: Await | None = None, nth: int = 1
    ) -> None:
        self.reached: Counter[Await] = Counter()
        self.is_raised = False
        self._watched = watched
        self._bug_at = bug_at
        self._nth = nth

    @contextmanager
    def on(self) -> Iterator["Watch"]:
        """Watch everything that this thread does."""
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            yield self
        finally:
            sys.settrace(before)

    def _enter(self, frame: FrameType, event: str, _: object) -> Look | None:
        if (
            event != "call"
            or (offsets := self._watched.get(_name(frame.f_code))) is None
        ):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if (begins := offsets.get(frame.f_lasti)) and begins.kind is Kind.BEGIN:
            self._reach(begins)

        def look(frame: FrameType, event: str, _: object) -> Look:
            place = offsets.get(frame.f_lasti) if event == "opcode" else None
            if place is not None:
                self._reach(place)
            return look

        return look

    def _reach(self, place: Await) -> None:
        self.reached[place] += 1
        if place == self._bug_at and self.reached[place] == self._nth:
            self.is_raised = True
            sys.settrace(None)
            raise BugError(f"at {place}")


def only(watched: Places, place: Await) -> Places:
    """Return what must be watched to meet one place."""
    return {
        name: offsets for name, offsets in watched.items() if place in offsets.values()
    }
