"""What the directive ``control`` takes."""

from typing import Annotated, TypeAlias

from mailssl_trio.config.values import file_name

OFF = "off"


def control(value: object) -> str:
    """Read the name of a socket, or ``"off"``."""
    return OFF if value is False else file_name(value)


Control: TypeAlias = Annotated[str, control]
