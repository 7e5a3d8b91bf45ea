"""Directives whose value is a word out of a few, or a list of words."""

from collections.abc import Sequence
from typing import Annotated, TypeAlias

from mailssl_trio.config.values import (
    PRINTABLE,
    WrongValueError,
    shown,
    suggestion,
)
from mailssl_trio.protocol.server_session import StartTlsMode
from mailssl_trio.transport.upstream import ProxySsl

MAIL_PROTOCOLS = ("imap", "pop3", "smtp")
MECHANISMS = ("plain", "login", "cram-md5", "external", "xoauth2", "oauthbearer")
"""Those of SASL, in the order in which they are announced."""
POP3_MECHANISMS = ("plain", "apop", *MECHANISMS[2:])  # nginx: `plain` is LOGIN too
SMTP_MECHANISMS = (*MECHANISMS[:4], "none", *MECHANISMS[4:])


def words(value: object) -> tuple[str, ...]:
    """Read an array of strings, or nginx's string of words."""
    match value:
        case str():
            found: Sequence[object] = value.split()
        case list():
            found = value
        case _:
            raise WrongValueError(
                f"{shown(value)} is not a list", 'write ["WORD", "WORD"]'
            )
    for index, word in enumerate(found):
        if not isinstance(word, str) or PRINTABLE.fullmatch(word) is None:
            raise WrongValueError(
                f"{shown(word)} is not a word of printable ASCII", index=index
            )
    return tuple(map(str, found))


def word_list(value: object, known: Sequence[str], kind: str) -> tuple[str, ...]:
    """Read a list of known words, in any case; each counts once."""
    chosen = {
        choice(word, known, kind, index=index): None
        for index, word in enumerate(words(value))
    }
    if not chosen:
        raise WrongValueError(f"no {kind}", f"name at least one of {', '.join(known)}")
    return tuple(chosen)


def choice(
    value: object, known: Sequence[str], kind: str, *, index: int | None = None
) -> str:
    """Read one of a few words, in any case."""
    if isinstance(value, str):
        for word in known:
            if word.lower() == value.lower():
                return word
    raise WrongValueError(
        f"unknown {kind} {shown(value)} (known: {', '.join(known)})",
        suggestion(value, known),
        index,
    )


def imap_mechanisms(value: object) -> tuple[str, ...]:
    """Read ``imap_auth``."""
    return word_list(value, MECHANISMS, "mechanism")


def pop3_mechanisms(value: object) -> tuple[str, ...]:
    """Read ``pop3_auth``, where nginx has no word for LOGIN: ``plain`` is both."""
    return word_list(value, POP3_MECHANISMS, "mechanism")


def smtp_mechanisms(value: object) -> tuple[str, ...]:
    """Read ``smtp_auth``."""
    return word_list(value, SMTP_MECHANISMS, "mechanism")


def mail_protocol(value: object) -> str:
    """Read ``protocol``."""
    return choice(value, MAIL_PROTOCOLS, "mail protocol")


def starttls(value: object) -> StartTlsMode:
    """Read ``starttls``: a flag, or ``only``."""
    known = [mode.value for mode in StartTlsMode]
    return StartTlsMode(choice(flag_word(value), known, "starttls mode"))


def proxy_ssl(value: object) -> ProxySsl:
    """Read ``proxy_ssl``: a flag, or ``starttls``."""
    known = [mode.value for mode in ProxySsl]
    return ProxySsl(choice(flag_word(value), known, "proxy_ssl mode"))


def flag_word(value: object) -> object:
    if isinstance(value, bool):
        return "on" if value else "off"
    return value


WordList: TypeAlias = Annotated[tuple[str, ...], words]
ImapMechanisms: TypeAlias = Annotated[tuple[str, ...], imap_mechanisms]
Pop3Mechanisms: TypeAlias = Annotated[tuple[str, ...], pop3_mechanisms]
SmtpMechanisms: TypeAlias = Annotated[tuple[str, ...], smtp_mechanisms]
MailProtocol: TypeAlias = Annotated[str, mail_protocol]
StartTls: TypeAlias = Annotated[StartTlsMode, starttls]
BackendTls: TypeAlias = Annotated[ProxySsl, proxy_ssl]
