"""What is limited at one virtual server."""

from enum import Enum

from attrs import frozen

from mailssl_trio.limits.access import AccessRule
from mailssl_trio.limits.sanctions import LoginRule


class Counted(Enum):
    """Of whom ``limit_conn`` counts connections; the value is its word."""

    ADDRESS = "address"
    USER = "user"
    USER_AND_ADDRESS = "user+address"


@frozen
class ConnectionRule:
    """A rule of the directive ``limit_conn``."""

    counted: Counted
    most: int

    def __str__(self) -> str:
        return f"{self.counted.value} {self.most}"


@frozen
class LimitPolicy:
    """The directives of one virtual server; without any, nothing is limited."""

    access: tuple[AccessRule, ...] = ()
    exempt: tuple[AccessRule, ...] = ()
    """``limit_exempt``: those for whom no limit holds."""
    connections: tuple[ConnectionRule, ...] = ()
    logins: tuple[LoginRule, ...] = ()

    def exempts(self, client: str) -> bool:
        """Whether no limit holds for a client."""
        return any(rule.speaks_of(client) for rule in self.exempt)

    def rule_for(self, counted: Counted) -> ConnectionRule | None:
        """Return the rule that counts so."""
        found = (rule for rule in self.connections if rule.counted is counted)
        return next(found, None)
