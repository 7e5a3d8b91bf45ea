"""The directive ``access``: nginx's ``allow`` and ``deny``, in their order."""

from attrs import frozen

from mailssl_trio.limits.networks import Network, address_of


@frozen
class AccessRule:
    """``allow`` or ``deny``, and for whom."""

    allow: bool
    network: Network | None = None
    """None, and not ``unix`` either: all."""
    unix: bool = False
    """Whoever comes by a Unix socket."""

    def __str__(self) -> str:
        word = "allow" if self.allow else "deny"
        return f"{word} {self.network or ('unix:' if self.unix else 'all')}"

    def speaks_of(self, client: str) -> bool:
        """Whether it says something about a client."""
        address = address_of(client)
        if self.unix:
            return address is None
        if self.network is None:
            return True
        return address is not None and address in self.network


def admits(rules: tuple[AccessRule, ...], client: str) -> bool:
    """Whether a client may come: the first rule decides that speaks of it."""
    return next((rule.allow for rule in rules if rule.speaks_of(client)), True)
