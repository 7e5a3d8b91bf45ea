"""What is limited at a virtual server, of its directives."""

from collections.abc import Iterator

from mailssl_trio.config.limit_words import ALL
from mailssl_trio.config.problem import Report
from mailssl_trio.config.server_table import ServerTable
from mailssl_trio.config.trusted_proxies import check_low_bits
from mailssl_trio.limits.access import AccessRule
from mailssl_trio.limits.networks import network_of
from mailssl_trio.limits.policy import LimitPolicy
from mailssl_trio.transport.proxied import UNIX


def limit_policy(table: ServerTable, report: Report) -> LimitPolicy:
    """Return the limits of one server, noting what cannot be meant."""
    directives = table.directives
    _check_access(table, report)
    _check_exempt(table, report)
    return LimitPolicy(
        access=tuple(_access(directives.access)),
        exempt=tuple(_rule(word, allow=True) for word in directives.limit_exempt),
        connections=directives.limit_conn,
        logins=directives.limit_login,
    )


def _access(rules: tuple[str, ...]) -> Iterator[AccessRule]:
    for rule in rules:
        verb, whom = rule.split()
        yield _rule(whom, allow=verb == "allow")


def _rule(whom: str, *, allow: bool) -> AccessRule:
    if whom in (ALL, UNIX):
        return AccessRule(allow, unix=whom == UNIX)
    return AccessRule(allow, network_of(whom))


def _check_access(table: ServerTable, report: Report) -> None:
    access = table.directives.access
    rules = [rule.split()[1] for rule in access]
    networks = [whom for whom in rules if whom not in (ALL, UNIX)]
    check_low_bits(table, "access", networks, report)
    if access and ALL not in rules and not any(map(_denies, access)):
        report.warning(
            table.origin("access"),
            "it refuses nobody: a client that no rule speaks of may come",
            'put "deny all" last',
        )
    if ALL in rules[:-1]:
        at = rules.index(ALL)
        report.warning(
            table.origin("access"),
            f"nothing behind `{access[at]}` is ever asked",
            "put it last",
        )


def _denies(rule: str) -> bool:
    return rule.startswith("deny")


def _check_exempt(table: ServerTable, report: Report) -> None:
    networks = [word for word in table.directives.limit_exempt if word != UNIX]
    check_low_bits(table, "limit_exempt", networks, report)
    for word in networks:
        if not network_of(word).prefixlen:
            report.warning(
                table.origin("limit_exempt"),
                f"no limit holds for anybody of {word}",
                "name the networks that you trust",
            )
