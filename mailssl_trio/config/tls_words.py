"""Directives of TLS whose value is made of OpenSSL's words, or of nginx's."""

from typing import Annotated, TypeAlias

from mailssl_trio.config.values import WrongValueError, shown, text
from mailssl_trio.config.words import choice, flag_word, word_list
from mailssl_trio.tls.conf_commands import OF_DIRECTORIES, OF_FILES
from mailssl_trio.tls.policy import VerifyClient

TLS_PROTOCOLS = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")


def tls_protocols(value: object) -> tuple[str, ...]:
    """Read ``ssl_protocols`` and ``proxy_ssl_protocols``."""
    return word_list(value, TLS_PROTOCOLS, "protocol")


def verify_client(value: object) -> VerifyClient:
    """Read ``ssl_verify_client``: a flag, ``optional`` or ``optional_no_ca``."""
    known = [mode.value for mode in VerifyClient]
    return VerifyClient(choice(flag_word(value), known, "ssl_verify_client mode"))


def conf_commands(value: object) -> tuple[tuple[str, str], ...]:
    """Read ``ssl_conf_command``: ``Name value``, or an array of these."""
    if not isinstance(value, list):
        return (_conf_command(value, None),)
    return tuple(_conf_command(each, index) for index, each in enumerate(value))


def _conf_command(value: object, index: int | None) -> tuple[str, str]:
    match text(value).split(maxsplit=1):
        case [name, argument] if (name + argument).isprintable():
            return name, argument.rstrip()
    raise WrongValueError(
        f"{shown(value)} is not a command and its value",
        'for example "Ciphersuites TLS_CHACHA20_POLY1305_SHA256"',
        index,
    )


def allow_tickets(commands: tuple[tuple[str, str], ...]) -> bool:
    """Whether ``Options SessionTicket`` is among commands, which come last."""
    options = [
        option.strip().lower()
        for name, value in commands
        if name.lower() == "options"
        for option in value.split(",")
    ]
    return "sessionticket" in options or "+sessionticket" in options


def names_file(command: str) -> bool:
    """Whether the value of an ``ssl_conf_command`` is the name of a file."""
    return command.lower() in OF_FILES | OF_DIRECTORIES


TlsProtocols: TypeAlias = Annotated[tuple[str, ...], tls_protocols]
Verify: TypeAlias = Annotated[VerifyClient, verify_client]
ConfCommands: TypeAlias = Annotated[tuple[tuple[str, str], ...], conf_commands]
