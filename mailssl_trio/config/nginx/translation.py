"""The directives of one name in one block, as one value of this program's."""

import os
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from mailssl_trio.config.nginx.merging import Merged
from mailssl_trio.config.nginx.tree import Block, Entry
from mailssl_trio.config.nginx.values import Value
from mailssl_trio.config.nginx.vocabulary import DIRECTIVES, Repeat
from mailssl_trio.config.tls_words import names_file

BESIDE_THE_CONFIGURATION = frozenset(
    {
        "ssl_certificate",
        "ssl_certificate_key",
        "ssl_client_certificate",
        "ssl_crl",
        "ssl_dhparam",
        "ssl_password_file",
        "ssl_session_ticket_key",
        "ssl_trusted_certificate",
    }
)
UNIX = "unix:"
NO_FILES = ("data:", "engine:", "store:", "stderr ", "syslog:", "memory:")

ALWAYS_ARRAYS = frozenset(
    {
        "auth_http_header",
        "imap_capabilities",
        "pop3_capabilities",
        "smtp_capabilities",
        "ssl_protocols",
    }
)
"""Where one word of nginx's, with spaces in it, would be several in a string."""


@frozen
class Site:
    """Against what relative file names are meant."""

    directory: Path
    """Where the main file is."""
    prefix: Path

    def path(self, name: str, text: str) -> str:
        """Return what a directive says with its file name in full, if it is one."""
        if name == "listen" and text.startswith(UNIX):  # nginx: where it is started
            return UNIX + os.path.join(self.prefix, text.removeprefix(UNIX))
        if text.startswith(NO_FILES):
            return text
        if name in {"pid", "error_log"}:
            return os.path.join(self.prefix, text)
        if name in BESIDE_THE_CONFIGURATION:
            return os.path.join(self.directory, text)
        if name == "ssl_conf_command":
            command, _, value = text.partition(" ")
            if names_file(command):
                return f"{command} {os.path.join(self.directory, value)}"
        return text


def translated(name: str, entries: Sequence[Entry], site: Site) -> Value:
    """Return what directives of one name say together."""
    if DIRECTIVES[name].repeat in {Repeat.ADDS, Repeat.ADDS_NEW}:
        return [
            site.path(name, word)
            for entry in entries
            if isinstance(entry.value, list)
            for word in entry.value
        ]
    match entries[-1].value:
        case str() as text:
            return site.path(name, text)
        case bool() | int() | list() as value:
            return value
        case None:
            raise AssertionError("a directive that was read has a value")


def simplest(name: str, value: Value) -> Value:
    """Write an array of one element as that element, where that means the same."""
    if isinstance(value, list) and len(value) == 1 and name not in ALWAYS_ARRAYS:
        return value[0]
    return value


def keys_in_use(
    holding: Block | Merged, keys: Sequence[Entry]
) -> tuple[Sequence[Entry], Sequence[Entry]]:
    """Return the keys with a certificate of their own, and the others.

    All are in use where it is not known for what.
    """
    found = [entry.statement.words for entry in holding.entries("ssl_certificate")]
    if not found:
        return keys, ()
    own = {at for at, words in enumerate(found) if words not in found[:at]}
    in_use = [key for at, key in enumerate(keys) if at in own]
    return in_use, [key for at, key in enumerate(keys) if at not in own]


def session_cache(entries: Sequence[Entry], inherited: Sequence[Entry] = ()) -> str:
    """Return the session cache that nginx has after several directives.

    The last decides, but a zone stays; and it is inherited beside ``builtin``.
    """
    builtin, zone = _cache(entries)
    if builtin in {"off", "none"}:
        return builtin
    if builtin and not zone:
        zone = _cache(inherited)[1]
    return f"{builtin} {zone}".strip()


def _cache(entries: Sequence[Entry]) -> tuple[str, str]:
    builtin: str | None = None
    zone = ""
    for entry in entries:
        for word in entry.value if isinstance(entry.value, list) else ():
            if word.startswith("shared:"):
                zone = word
            else:
                builtin = word
        builtin = builtin or ""
    return builtin or "", zone
