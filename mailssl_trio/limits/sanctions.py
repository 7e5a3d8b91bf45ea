"""Failed logins as workers tell of them, and what follows as they are told of it.

No password is in any of this, and nothing from which one could be guessed without the
key, which lives in the supervisor's memory and in that of its workers.
"""

from attrs import field, frozen


@frozen
class LoginRule:
    """A rule of the directive ``limit_login``."""

    by_user: bool
    """Whether an address is counted for each user apart, or for all its users."""
    distinct: int
    """So many different wrong passwords lead to a ban."""
    time: float = 600.0
    """Seconds in which they count."""
    delay: float = 0.0
    """Seconds that a login must wait after the first of them; each doubles it."""
    ban: float = 3600.0
    """Seconds for which nobody is let in."""


@frozen
class Failure:
    """A login that was refused for its password."""

    network: str
    """Who tried: an address, or a network of IPv6."""
    user: str
    """Under which name, for the log: perhaps shortened, and not escaped."""
    user_tag: str
    """A keyed hash of the name."""
    password_tag: str = field(repr=False)
    """A keyed hash of name and password: the same again is no other guess."""
    rules: tuple[LoginRule, ...]
    """By which it is to be judged."""


@frozen
class Success:
    """A login that succeeded: who knows a password has not guessed it."""

    network: str
    user_tag: str


@frozen
class Sanction:
    """Something that holds, for so many seconds from now."""

    network: str
    seconds: float
    """None at all: it holds no more."""
    user_tag: str = ""
    """Whom it is for, of those who come from there; "" is all of them."""
    delay: float | None = None
    """Seconds that each login has to wait; None: it is a ban."""

    @classmethod
    def of(cls, ban: str, now: float) -> "Sanction":
        """Read a ban in one line; it says when it ends by the clock of its writer."""
        network, until, user_tag = ban.split(" ", 2)
        return cls(network, max(0.0, float(until) - now), user_tag)
