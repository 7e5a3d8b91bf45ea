"""The effective configuration of TLS, for both sides of a server."""

from collections.abc import Iterable
from typing import TypeAlias

from mailssl_trio.config.idle_tls import resumes
from mailssl_trio.config.model import Config, development_pair
from mailssl_trio.config.pem_sources import DEVELOPMENT, HIDDEN, holds_key
from mailssl_trio.config.session_cache import cache_words
from mailssl_trio.config.units import format_time
from mailssl_trio.config.values import DATA
from mailssl_trio.tls.policy import (
    BackendTlsPolicy,
    Inline,
    Pair,
    Source,
    TlsPolicy,
    VerifyClient,
)

Value: TypeAlias = str | bool | int | list[str]
Table: TypeAlias = dict[str, Value]


def front(policy: TlsPolicy, config: Config, *, secrets: bool) -> Table:
    """Write how a server speaks with clients."""
    return {
        **_certificates(policy, config, secrets),
        **_named(ssl_password_file=policy.password_file),
        "ssl_protocols": words(policy.protocols),
        "ssl_ciphers": policy.ciphers,
        "ssl_prefer_server_ciphers": policy.prefer_server_ciphers,
        **_named(ssl_dhparam=policy.dhparam),
        "ssl_ecdh_curve": policy.ecdh_curve,
        **_listed("ssl_conf_command", map(" ".join, policy.conf_commands)),
        **_sessions(policy),
        **_client_certificates(policy),
    }


def backend(policy: BackendTlsPolicy, *, secrets: bool) -> Table:
    """Write how we speak with a backend."""
    table: Table = {"proxy_ssl_verify": policy.verify}
    if policy.verify:
        table |= _named(proxy_ssl_trusted_certificate=policy.trusted_certificate)
    table |= _named(proxy_ssl_name=policy.name)
    if policy.pair is not None:
        table["proxy_ssl_certificate"] = _pem(policy.pair.certificate, secrets)
        table["proxy_ssl_certificate_key"] = _pem(policy.pair.key, secrets)
    return {
        **table,
        "proxy_ssl_protocols": words(policy.protocols),
        "proxy_ssl_ciphers": policy.ciphers,
        "proxy_ssl_session_reuse": policy.session_reuse,
    }


def words(listed: Iterable[str]) -> Value:
    """Write a list as nginx would, unless a word has a space in it."""
    listed = [*listed]
    return listed if any(" " in word for word in listed) else " ".join(listed)


def _certificates(policy: TlsPolicy, config: Config, secrets: bool) -> Table:
    issued = Pair(*development_pair(config.state_directory))
    if config.development_certificate and policy.pairs == (issued,):
        return {"ssl_certificate": DEVELOPMENT}
    certificates = [_pem(pair.certificate, secrets) for pair in policy.pairs]
    keys = [_pem(pair.key, secrets) for pair in policy.pairs]
    return {
        **_listed("ssl_certificate", certificates),
        **_listed("ssl_certificate_key", keys),
    }


def _pem(source: Source, secrets: bool) -> str:
    """Write where PEM comes from; a key in it is hidden, unless it was asked for."""
    if not isinstance(source, Inline):
        return str(source)
    is_hidden = holds_key(source) and not secrets
    return f"{DATA}{HIDDEN if is_hidden else source.pem}"


def _sessions(policy: TlsPolicy) -> Table:
    cache = policy.session_cache
    table: Table = {
        "ssl_session_cache": words(cache_words(cache)),
        "ssl_session_tickets": policy.session_tickets,
    }
    if policy.session_tickets:
        table |= _listed("ssl_session_ticket_key", map(str, policy.session_ticket_keys))
    if resumes(cache, policy.session_tickets, policy.conf_commands):
        table["ssl_session_timeout"] = format_time(policy.session_timeout)
    return table


def _client_certificates(policy: TlsPolicy) -> Table:
    table: Table = {"ssl_verify_client": policy.verify_client.value}
    if policy.verify_client is VerifyClient.OFF:
        return table
    return {
        **table,
        **_named(
            ssl_client_certificate=policy.client_certificate,
            ssl_trusted_certificate=policy.trusted_certificate,
            ssl_crl=policy.crl,
        ),
        "ssl_verify_depth": policy.verify_depth,
    }


def _named(**set_or_not: object) -> Table:
    """Write what is set."""
    return {name: str(value) for name, value in set_or_not.items() if value is not None}


def _listed(name: str, values: Iterable[str]) -> Table:
    """Write an array, one as itself, and none not at all."""
    match [*values]:
        case []:
            return {}
        case [one]:
            return {name: one}
        case listed:
            return {name: listed}
