"""Secrets that others can read, where nginx lets them: a warning, and the remedy."""

from collections.abc import Iterator
from pathlib import Path

from mailssl_trio.config.problem import Report
from mailssl_trio.config.server_table import ServerTable, Site
from mailssl_trio.tls.policy import Inline, TlsPolicy


def warn_of_exposed_keys(
    table: ServerTable, policy: TlsPolicy, site: Site, report: Report
) -> None:
    """Name each file; a file of TOML's that is open to others is refused before."""
    for directive, path in _secrets(policy, site):
        if mode := (site.files.exposed or {}).get(path):
            is_own = table.is_set(directive)
            report.warning(
                table.origin(directive if is_own else "ssl_certificate"),
                f"{path} is open to every user (mode {mode:04o})",
                f"it holds secrets: chmod o-rwx {path}",
            )


def _secrets(policy: TlsPolicy, site: Site) -> Iterator[tuple[str, Path]]:
    for pair in policy.pairs:
        key = site.file if isinstance(pair.key, Inline) else pair.key
        yield "ssl_certificate_key", key
    if policy.password_file is not None:
        yield "ssl_password_file", policy.password_file
    for path in policy.session_ticket_keys:
        yield "ssl_session_ticket_key", path
