"""Which certificates a client is shown: by the name it asks for (SNI, RFC 6066).

OpenSSL itself chooses among those of different key types, by what the client can
verify. What is chosen here is the group that it may choose from.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from attrs import field, frozen

from mailssl_trio.files import Files
from mailssl_trio.tls.certificates.certificate import Certificate, read_certificates
from mailssl_trio.tls.openssl import WHICH_PYTHON, OpenSsl
from mailssl_trio.tls.policy import Pair, TlsPolicy
from mailssl_trio.tls.problems import TlsProblem

Group: TypeAlias = tuple[Pair, ...]
"""Pairs of different key types, in the order of the configuration."""


@frozen
class Choice:
    """A virtual server's certificates, grouped by the names that lead to them."""

    default: Group
    """For clients that ask for no name, or for one that nothing here has."""
    exact: Mapping[str, Group] = field(factory=dict)
    wildcards: Mapping[str, Group] = field(factory=dict)
    """By what follows ``*.``."""

    def pairs_for(self, name: str | None) -> Group:
        """Return what a client that asks for a name is shown, whatever the name."""
        if not name:
            return self.default
        name = name.lower().removesuffix(".")
        if (group := self.exact.get(name)) is not None:
            return group
        label, _, rest = name.partition(".")
        return self.wildcards.get(rest, self.default) if label else self.default

    @property
    def groups(self) -> tuple[Group, ...]:
        """Every group that some name leads to, the default one first."""
        named = (*self.exact.values(), *self.wildcards.values())
        return tuple(dict.fromkeys((self.default, *named)))


def choice_of(policy: TlsPolicy, files: Files) -> Choice:
    """Return the choice of a virtual server whose certificates can be read."""
    return choose(read_certificates(policy.pairs, files))


def choice_problems(choice: Choice, openssl: OpenSsl | None) -> Iterator[TlsProblem]:
    """Yield why clients would see one group only, whatever the name."""
    if openssl is None and len(choice.groups) > 1:
        yield TlsProblem(
            "ssl_certificate",
            "this Python cannot choose certificates by name",
            f"name one for each type of key, or use a Python that can: {WHICH_PYTHON}",
        )


def choose(certificates: Iterable[Certificate]) -> Choice:
    """Group certificates by name; the first is everybody's who asks for no other."""
    ours = tuple(certificates)
    by_name = _by_name(ours)
    position = {one: number for number, one in enumerate(ours)}

    def group(chosen: Iterable[Certificate]) -> Group:
        return tuple(one.pair for one in sorted(chosen, key=position.__getitem__))

    groups = {name: group(_for_name(name, by_name)) for name in by_name}
    return Choice(
        group(_with_the_first(ours)),
        {name: group for name, group in groups.items() if not _is_wildcard(name)},
        {name[2:]: group for name, group in groups.items() if _is_wildcard(name)},
    )


def never_shown(certificates: Iterable[Certificate]) -> tuple[Certificate, ...]:
    """Return those that others of the same key type leave no name to."""
    ours = tuple(certificates)
    shown = {pair for group in choose(ours).groups for pair in group}
    return tuple(one for one in ours if one.pair not in shown)


def _by_name(certificates: Iterable[Certificate]) -> dict[str, list[Certificate]]:
    """Return who has each name. There may be hundreds of certificates."""
    by_name: dict[str, list[Certificate]] = {}
    for one in certificates:
        for name in one.names:
            by_name.setdefault(name, []).append(one)
    return by_name


def _for_name(
    name: str, by_name: Mapping[str, Sequence[Certificate]]
) -> Iterator[Certificate]:
    """Yield the best of each key type: exact before wildcard, then the earlier."""
    _label, _, rest = name.partition(".")
    return _first_of_each_type((*by_name[name], *by_name.get(f"*.{rest}", ())))


def _with_the_first(certificates: tuple[Certificate, ...]) -> Iterator[Certificate]:
    """Yield the first, and those of other key types that will do in its place."""
    return _first_of_each_type(
        one
        for one in certificates
        if all(_covers(one, name) for name in certificates[0].names)
    )


def _first_of_each_type(certificates: Iterable[Certificate]) -> Iterator[Certificate]:
    seen = set[str]()
    for one in certificates:
        if one.key_type not in seen:
            seen.add(one.key_type)
            yield one


def _covers(certificate: Certificate, name: str) -> bool:
    """Whether a certificate has a name, or a wildcard for its first label."""
    _label, _, rest = name.partition(".")
    return name in certificate.names or f"*.{rest}" in certificate.names


def _is_wildcard(name: str) -> bool:
    return name.startswith("*.")
