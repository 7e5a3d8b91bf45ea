"""A configuration is judged before anybody is sent to serve it; so are its files."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import trio
from attrs import frozen

from mailssl_trio.building import StartError, issue_development_certificate
from mailssl_trio.config.model import Config
from mailssl_trio.files import Files
from mailssl_trio.supervision.entrusting import entrust
from mailssl_trio.tls.certificates.certificate import Certificate, read_certificates
from mailssl_trio.tls.certificates.development import DevelopmentCertificate
from mailssl_trio.tls.problems import TlsSettingsError
from mailssl_trio.tls.server import ServerTls
from mailssl_trio.tls.sessions.ticket_keys import ticket_key_problems

T = TypeVar("T")

DISK_PATIENCE = 60.0
"""Seconds in which a configuration and its files can be read."""


@frozen
class Judged:
    """A configuration that can be served, and all that was read for it."""

    config: Config
    files: Files
    tls: Files
    """Those of them that may be renewed without a reload."""
    development: DevelopmentCertificate | None


def judge(config: Config, files: Files) -> Judged:
    """Judge a configuration that has been loaded from ``files``.

    Makes the development certificate where there is need of it, and what workers write
    to where they are somebody else. Raises StartError and
    TlsSettingsError.
    """
    entrust(config)
    development = issue_development_certificate(config)
    tls = read_tls(config, files.afresh())
    files.known.update(tls.known)
    files.origins.update(tls.origins)
    return Judged(config, files, tls, development)


def read_tls(config: Config, files: Files) -> Files:
    """Read all that TLS with clients is made of. Raises TlsSettingsError.

    It is made, and thrown away: what that has read is what the servers need.
    """
    for server in config.servers:
        if server.tls is not None:
            ServerTls(server.tls, server.protocol, files)
            keys = server.tls.session_ticket_keys
            if problems := tuple(ticket_key_problems(keys, files)):
                raise TlsSettingsError(problems)
    return files


def certificates(config: Config, files: Files) -> tuple[Certificate, ...]:
    """Return what the servers show to clients, each certificate once."""
    pairs = (
        pair for server in config.servers if server.tls for pair in server.tls.pairs
    )
    return read_certificates(pairs, files)


def differing(old: Files, new: Files) -> list[Path]:
    """Return the files that do not hold what they held."""
    return [
        path for path, content in new.known.items() if old.known.get(path) != content
    ]


class Disk:
    """One thread for what has to ask the disk, which may keep us waiting."""

    def __init__(self) -> None:
        self._threads = trio.CapacityLimiter(1)

    async def ask(self, work: Callable[[], T]) -> T:
        """Do the work in the thread. Raises StartError if that takes too long."""
        try:
            with trio.fail_after(DISK_PATIENCE):
                return await trio.to_thread.run_sync(
                    work, abandon_on_cancel=True, limiter=self._threads
                )
        except trio.TooSlowError:
            raise StartError("the disk does not answer") from None
