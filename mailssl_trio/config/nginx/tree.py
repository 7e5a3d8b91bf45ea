"""What nginx has understood: blocks, and the directives in them, in their order."""

from collections.abc import Iterator

from attrs import define, field, frozen

from mailssl_trio.config.nginx.statements import Statement
from mailssl_trio.config.nginx.values import Value
from mailssl_trio.config.nginx.vocabulary import Context


@frozen
class Entry:
    """A directive that nginx takes; ``include`` and skipped blocks are some, too."""

    statement: Statement
    value: Value | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The directive."""
        return self.statement.name


@define
class Block:
    """The main file, or what stands between braces."""

    context: Context
    head: Statement | None = None
    """What opens it; None for the main file."""
    parts: list["Entry | Block"] = field(factory=list)
    comments: list[str] = field(factory=list)
    """What stands at its end, below everything."""

    @property
    def name(self) -> str:
        """What opens it; "" for the main file."""
        return "" if self.head is None else self.head.name

    def entries(self, name: str) -> list[Entry]:
        """Return the directives of a name."""
        return [
            part for part in self.parts if isinstance(part, Entry) and part.name == name
        ]

    def blocks(self, name: str) -> Iterator["Block"]:
        """Yield the blocks of a name."""
        for part in self.parts:
            if isinstance(part, Block) and part.name == name:
                yield part

    def value(self, name: str) -> Value | None:
        """Return what the last directive of a name says; None if there is none."""
        found = self.entries(name)
        return found[-1].value if found else None
