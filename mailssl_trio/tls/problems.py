"""What may be wrong with TLS settings, in words for the operator.

``server_context()`` and ``client_context()`` look at everything before they give up,
and raise one TlsSettingsError that carries all the problems they found.
"""

from attrs import frozen


@frozen
class TlsProblem:
    """One thing to mend."""

    directive: str
    """The directive to look at, without its context: ``ssl_certificate_key``."""
    text: str
    """What is wrong; names the file or the word."""
    remedy: str
    """What to do about it."""
    denied: bool = False
    """The file is there, but this user may not read it."""


class TlsSettingsError(Exception):
    """The settings cannot become a context; ``problems`` says all that is wrong."""

    def __init__(self, problems: tuple[TlsProblem, ...]) -> None:
        super().__init__("; ".join(f"{p.directive}: {p.text}" for p in problems))
        self.problems = problems
