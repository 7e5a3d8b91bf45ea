"""The directive ``resolver``: whom to ask for the names of SMTP clients.

Backends are told a client's name by XCLIENT. For clients without one there are two
words: ``[UNAVAILABLE]`` says that DNS knows none, ``[TEMPUNAVAIL]`` that nobody knows.
"""

from importlib.util import find_spec

from attrs import frozen

UNAVAILABLE = "[UNAVAILABLE]"
TEMPUNAVAIL = "[TEMPUNAVAIL]"

PORT = 53

HAS_DNS = find_spec("dns") is not None
"""Whether the extra ``[dns]`` is there, without which nobody can be asked."""


@frozen
class Resolver:
    """The directives ``resolver`` and ``resolver_timeout``."""

    servers: tuple[tuple[str, int], ...]
    """IP addresses and ports of those who are asked; a configuration may name hosts."""
    valid: float | None = None
    """Seconds for which an answer is remembered; None: as long as it says."""
    ipv4: bool = True
    ipv6: bool = True
    """Whether names are asked for addresses of this family."""
    timeout: float = 30.0
    """Seconds that each of the two questions gets."""


@frozen
class ClientName:
    """How a client is called."""

    host: str
    """A name, ``[UNAVAILABLE]`` or ``[TEMPUNAVAIL]``."""
    problem: str = ""
    """For the log, if there is anything to say; whatever DNS said is raw in it."""
    action: str = ""
    """What was asked for, in nginx's words."""
