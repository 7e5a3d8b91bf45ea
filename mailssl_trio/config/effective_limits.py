"""Limits as TOML."""

from mailssl_trio.config.effective_tls import Table
from mailssl_trio.config.limit_words import login_rule_words
from mailssl_trio.limits.policy import LimitPolicy


def limits(policy: LimitPolicy) -> Table:
    """Return the directives that limit something."""
    found: Table = {
        "access": [str(rule) for rule in policy.access],
        "limit_conn": [str(rule) for rule in policy.connections],
        "limit_login": [login_rule_words(rule) for rule in policy.logins],
        "limit_exempt": [str(rule).removeprefix("allow ") for rule in policy.exempt],
    }
    return {name: value for name, value in found.items() if value}
