"""The names of docs/differences-from-nginx.md, and what shows those that we do not."""

import re
from collections.abc import Mapping
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]

ELSEWHERE: Mapping[str, str] = {
    # What nginx.conf has no word for.
    "bounded-builtin": "tests/tls/sessions/test_session_cache.py",
    "cache-words-agree": "tests/config/test_tls_directives.py",
    "foreign-authzid": "tests/auth/test_users_authenticator.py",
    "keys-by-default": "tests/config/test_tls_files.py",
    "one-key-each": "tests/config/test_tls_files.py",
    "password-for-the-judge": "tests/config/test_proxying.py",
    "tokens": "tests/interop/test_mechanisms.py",
    "verified-backends": "tests/interop/test_relay.py",
    "xclient-unasked": "tests/config/test_proxying.py",
    # What is no line of a dialogue, and is not seen from outside, or not always.
    "keys-for-few": "tests/config/nginx/test_exposed.py",
    "no-delay": "tests/transport/test_wire.py",
    "one-budget-with-dns": "tests/test_named_clients.py",
    "silent-proxy": "tests/test_proxied.py",
    "sockets-below-the-prefix": "tests/config/nginx/test_translation.py",
    "tickets-when-asked": "tests/process/test_resumption.py",
    "workers-from-the-start": "tests/process/test_user.py",
}
"""Differences that are not seen beside nginx, and which tests show them."""

BESIDE = frozenset(
    {
        "certificate-by-name",
        "escaped-logs",
        "finished-and-command",
        "idle-directives",
        "kept-alive",
        "levels-alone",
        "most-exact-address",
        "no-opening-commands",
        "one-budget",
        "pairs-that-fit",
        "sessions-at-home",
        "stale-paths",
        "told-shutdown",
        "truncation",
        "watched-certificates",
    }
)
"""Those that are no line of a dialogue, and are seen on both all the same."""


def documented() -> frozenset[str]:
    """Return the name of every row."""
    page = CHECKOUT / "docs" / "differences-from-nginx.md"
    names = re.findall(r"^\| ([a-z0-9-]+) \|", page.read_text("utf-8"), re.MULTILINE)
    return frozenset(names) - {"name"}
