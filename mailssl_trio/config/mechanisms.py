"""What the directives ``*_auth`` announce, and whether anybody could judge it."""

from mailssl_trio.config.directives import ServerDirectives
from mailssl_trio.config.problem import KeyPath, Report
from mailssl_trio.config.server_table import ServerTable
from mailssl_trio.config.words import MECHANISMS
from mailssl_trio.protocol.server_session import Policy
from mailssl_trio.tls.policy import VerifyClient

CHALLENGED = frozenset({"cram-md5", "apop"})
VOUCHING = frozenset({VerifyClient.ON, VerifyClient.OPTIONAL})
TOKENS = frozenset({"xoauth2", "oauthbearer"})


def chosen_words(directives: ServerDirectives, protocol: str) -> tuple[str, ...]:
    """Return the words of the directive that holds for a protocol."""
    match protocol:
        case "imap":
            return directives.imap_auth
        case "pop3":
            return directives.pop3_auth
        case _:
            return directives.smtp_auth


def announced(chosen: tuple[str, ...], protocol: str) -> tuple[str, ...]:
    """Return the mechanisms in nginx's order, in whatever order they were chosen.

    As in nginx, POP3 announces LOGIN with PLAIN and has no word for it alone.
    """
    if protocol == "pop3" and "plain" in chosen:
        chosen = (*chosen, "login")
    return tuple(word.upper() for word in MECHANISMS if word in chosen)


def as_chosen(policy: Policy, protocol: str) -> tuple[str, ...]:
    """Return the words that make a policy what it is."""
    mechanisms = [mechanism.lower() for mechanism in policy.mechanisms]
    if protocol == "pop3" and "plain" in mechanisms:
        mechanisms.remove("login")
    apop = ("apop",) if policy.apop else ()
    none = ("none",) if policy.unauthenticated else ()
    return (*mechanisms, *apop, *none)


def check_mechanisms(table: ServerTable, protocol: str, report: Report) -> None:
    """Refuse words whose credentials nobody here could judge; warn of ``none``."""
    origin = table.origin(f"{protocol}_auth")
    has_auth_http = table.is_set("auth_http")
    chosen = chosen_words(table.directives, protocol)
    if "external" in chosen and table.is_set("users"):
        _check_certificates(table, origin, report)
    for word in chosen:
        if not has_auth_http and (reason := _why_unjudged(word, table)):
            report.error(
                origin,
                f"`{word}` needs `auth_http`: {reason}",
                f"leave `{word}` out, or set `auth_http`",
            )
        if has_auth_http and word == "none":
            report.warning(
                origin,
                "mail is taken from strangers, from and to whom the auth server lets"
                " it: an open relay if it is not strict",
                "leave `none` out, or see that the auth server judges every sender"
                " and recipient",
            )


def _check_certificates(table: ServerTable, origin: KeyPath, report: Report) -> None:
    """With a file of users it is a client's certificate that vouches for it."""
    if table.directives.ssl_verify_client in VOUCHING or table.is_set("auth_http"):
        return
    report.error(
        origin,
        "`external` lets nobody in where no certificate is verified",
        'set `ssl_verify_client` to "on" or "optional", or leave `external` out',
    )


def _why_unjudged(word: str, table: ServerTable) -> str:
    """Say why nobody but an auth server can judge a mechanism; "" if others can."""
    if word in CHALLENGED:
        if table.is_set("users"):
            return "with hashed passwords no answer to a challenge can be checked"
        return "a backend can do nothing with the answer to a challenge of ours"
    if word in TOKENS and table.is_set("users"):
        return "a file of users knows no tokens"
    if word == "external" and not table.is_set("users"):
        return "a backend cannot see who vouches for our clients"
    if word == "none":
        return "nobody else judges mail that comes without a login"
    return ""
