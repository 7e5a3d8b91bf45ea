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
    "idle-directives": "tests/config/test_inheritance.py",
    "kept-alive": "tests/config/test_listen_parameters.py",
    "keys-by-default": "tests/config/test_tls_files.py",
    "levels-alone": "tests/config/test_problems.py",
    "no-opening-commands": "tests/tls/test_conf_commands.py",
    "one-key-each": "tests/config/test_tls_files.py",
    "pairs-that-fit": "tests/config/test_tls_files.py",
    "password-for-the-judge": "tests/config/test_proxying.py",
    "tokens": "tests/interop/test_mechanisms.py",
    "verified-backends": "tests/interop/test_relay.py",
    "xclient-unasked": "tests/config/test_proxying.py",
    # What is no line of a dialogue: time, segments, handshakes, logs, signals.
    "certificate-by-name": "tests/tls/test_server.py",
    "escaped-logs": "tests/test_error_log.py",
    "finished-and-command": "tests/transport/test_secure.py",
    "most-exact-address": "tests/supervision/test_sockets.py",
    "no-delay": "tests/transport/test_wire.py",
    "one-budget": "tests/transport/test_connection.py",
    "one-budget-with-dns": "tests/test_named_clients.py",
    "sessions-at-home": "tests/process/test_sessions_apart.py",
    "silent-proxy": "tests/test_proxied.py",
    "sockets-below-the-prefix": "tests/config/nginx/test_translation.py",
    "stale-paths": "tests/transport/test_listening.py",
    "tickets-when-asked": "tests/process/test_resumption.py",
    "told-shutdown": "tests/process/test_stop.py",
    "truncation": "tests/transport/test_relay.py",
    "watched-certificates": "tests/process/test_renewal.py",
}
"""Differences that no dialogue with an nginx.conf shows, and which tests do."""


def documented() -> frozenset[str]:
    """Return the name of every row."""
    page = CHECKOUT / "docs" / "differences-from-nginx.md"
    names = re.findall(r"^\| ([a-z0-9-]+) \|", page.read_text("utf-8"), re.MULTILINE)
    return frozenset(names) - {"name"}
