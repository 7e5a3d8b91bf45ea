"""What nginx would say of a configuration that it does not take, word for word."""

from attrs import frozen


@frozen
class Place:
    """Where something stands in a configuration made of several files."""

    file: str
    line: int
    main_line: int
    """The line in the main file: of this very thing, or of the ``include`` for it."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def harmless(text: str) -> str:
    """Escape what is in a message and would do something to a terminal."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


class RefusedError(Exception):
    """nginx would not start with this configuration."""

    def __init__(self, said: str, place: Place | None = None, text: str = "") -> None:
        super().__init__(harmless(said))
        self.place = place
        self.text = harmless(text or said)
        """What nginx says, without the place behind it."""

    @classmethod
    def at(cls, text: str, place: Place) -> "RefusedError":
        """Return a refusal of what stands at a place."""
        return cls(f"{text} in {place}", place, text)
