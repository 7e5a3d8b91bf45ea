"""What all workers have in common, and what outlives each of them."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import trio

from mailssl_trio.building import StartError
from mailssl_trio.config.model import Config, VirtualServer
from mailssl_trio.messages import Configure, Door, HandedFile, HandedHost
from mailssl_trio.supervision.judging import Judged
from mailssl_trio.supervision.random_keys import TicketKeyring
from mailssl_trio.supervision.sockets import Sockets
from mailssl_trio.tls.sessions.zone_directory import ZoneDirectoryError, zone_directory
from mailssl_trio.tls.sessions.zone_files import discard, discard_abandoned

COLLECTION = 60.0
"""Seconds between two looks for sessions that nobody looks after."""


class Premises:
    """Listening sockets, the memory of shared sessions, the keys of tickets."""

    def __init__(self) -> None:
        self.keyring = TicketKeyring()
        self._sockets = Sockets()
        self._zones: Path | None = None
        self._owner: int | None = None
        """Who may use them, if not we."""
        self._belongings = ExitStack()

    async def prepare(self, judged: Judged) -> Configure:
        """Return what workers are told, having opened what is not open yet.

        Raises StartError, and has opened nothing then.
        """
        config, files = judged.config, judged.files
        zones = self._zones_for(config)
        return Configure(
            config.file,
            config.state_directory,
            HandedFile.of(files, files.known),
            await self._sockets.open(config.servers),
            zones,
            self.keyring.of(config),
            hosts=HandedHost.of(files),
        )

    def useless(self) -> Iterator[str]:
        """Close sockets that systemd has opened for nobody; say so."""
        return self._sockets.useless()

    def keep(self, doors: Iterable[Door]) -> None:
        """Close all other doors."""
        self._sockets.keep(doors)

    def distrust_memory(self) -> None:
        """Throw shared sessions away: what wrote them may have been out of order."""
        if self._zones is not None:
            discard(self._zones)

    async def collect(self, config: Config) -> None:
        """Throw shared sessions away, in time, that no worker looks after any more."""
        lifetime = max(
            (server.tls.session_timeout for server in config.servers if server.tls),
            default=0,
        )
        while True:
            await trio.sleep(COLLECTION)
            if self._zones is not None:
                discard_abandoned(self._zones, lifetime)

    def close(self) -> None:
        """Leave nothing behind."""
        self._sockets.keep(())
        self._belongings.close()

    def _zones_for(self, config: Config) -> Path | None:
        """Return the directory of shared zones, which is made when it is needed.

        Also when somebody has removed it: some systems tidy up.
        """
        owner = None if config.user is None else config.user.uid
        is_there = self._zones is not None and self._zones.is_dir()
        is_theirs = is_there and owner == self._owner
        if not is_theirs and any(map(_shares_sessions, config.servers)):
            try:
                made = self._belongings.enter_context(zone_directory(owner=owner))
                self._zones, self._owner = made, owner
            except ZoneDirectoryError as error:
                text = f"ssl_session_cache: {error}; {error.remedy}"
                raise StartError(text) from None
        return self._zones


def _shares_sessions(server: VirtualServer) -> bool:
    return server.tls is not None and server.tls.session_cache.shared is not None
