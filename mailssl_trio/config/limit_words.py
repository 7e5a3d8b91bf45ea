"""The directives of limits: who is counted how, and who may come at all."""

from collections.abc import Callable, Sequence
from typing import Annotated, TypeAlias, TypeVar

from attrs import evolve

from mailssl_trio.config.real_ip import is_network
from mailssl_trio.config.units import format_time
from mailssl_trio.config.values import (
    GREATEST,
    WrongValueError,
    count,
    delay,
    seconds,
    shown,
    suggestion,
)
from mailssl_trio.limits.policy import ConnectionRule, Counted
from mailssl_trio.limits.sanctions import LoginRule
from mailssl_trio.transport.proxied import UNIX

T = TypeVar("T")

ALL = "all"
COUNTED = {each.value: each for each in Counted}
BY_USER = {"address": False, "user+address": True}
USUAL = {"address": LoginRule(False, 1), "user+address": LoginRule(True, 1, delay=1.0)}

MOST_DISTINCT = 1000
"""Wrong passwords that are remembered of one address."""


def at_least_one(value: object) -> int:
    """Read a number of things that must not be none."""
    if (number := count(value)) < 1:
        raise WrongValueError("0 would let nobody in", "write 1 or more")
    return number


def connection_rules(value: object) -> tuple[ConnectionRule, ...]:
    """Read ``limit_conn``: a rule as a string, or an array of them."""
    return _rules(value, _connection_rule, lambda rule: rule.counted)


def _connection_rule(words: Sequence[str]) -> ConnectionRule:
    match words:
        case [word, number] if word in COUNTED:
            return ConnectionRule(COUNTED[word], _number(number, GREATEST))
        case [word, *_] if word not in COUNTED:
            raise _unknown("who is counted", word, COUNTED)
    raise _not_a_rule(words, '"address 20", "user 10" or "user+address 5"')


def login_rules(value: object) -> tuple[LoginRule, ...]:
    """Read ``limit_login``: a rule as a string, or an array of them."""
    return _rules(value, _login_rule, lambda rule: rule.by_user)


def _login_rule(words: Sequence[str]) -> LoginRule:
    match words:
        case ["user", *_]:
            raise WrongValueError(
                "by `user` alone, anybody could lock a user out",
                "count `user+address`, or `address`",
            )
        case [word, number, *parameters] if word in BY_USER:
            distinct = _number(number, MOST_DISTINCT)
            return _with_parameters(evolve(USUAL[word], distinct=distinct), parameters)
        case [word, *_] if word not in BY_USER:
            raise _unknown("who is counted", word, BY_USER)
    raise _not_a_rule(words, '"user+address 5" or "address 20 time=10m ban=1h"')


def _with_parameters(rule: LoginRule, parameters: Sequence[str]) -> LoginRule:
    readers = {"time": seconds, "delay": delay, "ban": seconds}
    found: dict[str, float] = {}
    for parameter in parameters:
        name, is_said, value = parameter.partition("=")
        if not is_said or name not in readers:
            raise _unknown("parameter", name, readers)
        if name in found:
            raise WrongValueError(f"`{name}` is there twice", "write it once")
        found[name] = readers[name](value)
    return evolve(
        rule,
        time=found.get("time", rule.time),
        delay=found.get("delay", rule.delay),
        ban=found.get("ban", rule.ban),
    )


def login_rule_words(rule: LoginRule) -> str:
    """Write a rule as it is read, with all that it means."""
    return (
        f"{'user+address' if rule.by_user else 'address'} {rule.distinct}"
        f" time={format_time(rule.time)}"
        f" delay={format_time(rule.delay) if rule.delay else 0}"
        f" ban={format_time(rule.ban)}"
    )


def access_rules(value: object) -> tuple[str, ...]:
    """Read ``access``: rules in the order in which they are asked."""
    return _rules(value, _access_rule, None)


def _access_rule(words: Sequence[str]) -> str:
    match words:
        case [("allow" | "deny"), whom] if whom in (ALL, UNIX) or is_network(whom):
            return " ".join(words)
        case [("allow" | "deny"), whom]:
            raise WrongValueError(
                f"{shown(whom)} is neither an address nor a network",
                'write "192.0.2.1", "192.0.2.0/24", "2001:db8::/32", "unix:" or "all"',
            )
        case [word, _] if word not in ("allow", "deny"):
            raise _unknown("rule", word, ("allow", "deny"))
    raise _not_a_rule(words, '"allow 192.0.2.0/24" or "deny all"')


def _rules(
    value: object,
    read: Callable[[Sequence[str]], T],
    kind: Callable[[T], object] | None,
) -> tuple[T, ...]:
    """Read one rule or several, of each kind no more than one."""
    if isinstance(value, str):
        return (read(value.split()),)
    if not isinstance(value, list):
        raise WrongValueError(f"{shown(value)} is no rule", 'write "…" or ["…", "…"]')
    found: list[T] = []
    for index, each in enumerate(value):
        try:
            if not isinstance(each, str):
                raise WrongValueError(f"{shown(each)} is no rule", 'write "…"')
            rule = read(each.split())
            if kind is not None and kind(rule) in map(kind, found):
                raise WrongValueError(
                    f"`{each.split()[0]}` is there twice", "write one of them"
                )
        except WrongValueError as wrong:
            wrong.index = index
            raise
        found.append(rule)
    return tuple(found)


def _number(text: str, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 10):
        raise WrongValueError(f"{shown(text)} is not a number", "write 1, 2, 3, …")
    if (number := int(text)) < 1:
        raise WrongValueError("0 would let nobody in", "write 1 or more")
    if number > most:
        raise WrongValueError(f"{number} is too much", f"write at most {most}")
    return number


def _unknown(
    what: str, word: str, known: Sequence[str] | dict[str, T]
) -> WrongValueError:
    text = f"unknown {what} {shown(word)} (known: {', '.join(known)})"
    return WrongValueError(text, suggestion(word, list(known)))


def _not_a_rule(words: Sequence[str], examples: str) -> WrongValueError:
    return WrongValueError(f"{shown(' '.join(words))} is no rule", f"write {examples}")


AtLeastOne: TypeAlias = Annotated[int, at_least_one]
ConnectionRules: TypeAlias = Annotated[tuple[ConnectionRule, ...], connection_rules]
LoginRules: TypeAlias = Annotated[tuple[LoginRule, ...], login_rules]
AccessRules: TypeAlias = Annotated[tuple[str, ...], access_rules]
