"""What is served now: a configuration, its workers, and what belongs to it alone."""

import os
from collections.abc import Collection
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import trio
from attrs import define, evolve, field

from mailssl_trio.building import StartError, opened_logs
from mailssl_trio.config.model import Config
from mailssl_trio.files import Files
from mailssl_trio.messages import HandedFile, RandomKeys, Renew, ReplaceTicketKeys
from mailssl_trio.supervision.generation import Generation
from mailssl_trio.supervision.judging import (
    Disk,
    Judged,
    certificates,
    differing,
    read_tls,
)
from mailssl_trio.supervision.pid_file import PidFile
from mailssl_trio.supervision.random_keys import TicketKeyring
from mailssl_trio.supervision.watching import Watch
from mailssl_trio.tls.certificates.certificate import (
    Certificate,
    expiry_lines,
    expiry_warnings,
)
from mailssl_trio.tls.context import missing_features
from mailssl_trio.tls.problems import TlsSettingsError

POLL = 1.0
"""Seconds between two looks at the files of certificates, and at the age of keys."""

WORKERS_ARE_ROOT = "workers run as root; `user` has them be somebody else"

DAY = 24 * 3600.0
"""Seconds after which certificates that end soon are spoken of again."""


class Log:
    """The logs of the supervisor, open until they are closed."""

    def __init__(self, config: Config) -> None:
        self._closing = ExitStack()
        self._log = self._closing.enter_context(opened_logs(config))

    def write(self, level: str, message: str) -> None:
        """Write a line."""
        self._log.write(level, message)

    def reopen(self) -> None:
        """Go on in the files that have the names by now."""
        self._log.reopen()

    def close(self) -> None:
        """Write what is left to write."""
        self._closing.close()


@define(eq=False)
class Served:
    """A configuration and its workers, from the moment when all of them serve."""

    judged: Judged
    generation: Generation
    log: Log
    pid_file: PidFile | None
    _watch: Watch = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._watch = Watch(self.judged.tls.known)

    def begin(self) -> None:
        """Say what there is to say now that all workers serve."""
        if self.judged.config.user is None and os.geteuid() == 0:
            self.log.write("warn", WORKERS_ARE_ROOT)
        for missing in missing_features():
            self.log.write("warn", missing)
        self._tell_expiry()
        if self.pid_file is not None:
            self.pid_file.write()

    def retire(self, successor: "Served") -> None:
        """Leave to another what comes, and what we have in common."""
        self.generation.retire()
        if self.pid_file is not successor.pid_file:
            self._remove_pid_file()
        self.log.close()

    def close(self) -> None:
        """End where nobody follows."""
        self._remove_pid_file()
        self.log.close()

    async def keep_fresh(self, disk: Disk, keyring: TicketKeyring) -> None:
        """Renew in time what grows old: certificates and keys."""
        keyring.begin()
        next_warning = trio.current_time() + DAY
        while True:
            await trio.sleep(POLL)
            await self.renew(disk)
            if keyring.rotate():  # on a clock that goes on when the machine sleeps
                self._replace_ticket_keys(keyring.of(self.judged.config))
            if trio.current_time() >= next_warning:
                next_warning += DAY
                for line in expiry_warnings(self._certificates()):
                    self.log.write("warn", line)

    async def renew(self, disk: Disk) -> None:
        """Serve what is in the files of certificates by now, if that is good.

        If not, say so, once: it is tried again when it has changed again.
        """
        files = self.judged.tls.afresh()
        try:
            if not await disk.ask(self._watch.look):
                return
            await disk.ask(partial(read_tls, self.judged.config, files))
        except (StartError, TlsSettingsError) as failed:
            self.log.write("error", f"not renewed, what was served goes on: {failed}")
            return
        if changed := differing(self.judged.tls, files):
            self._hand_down(files, changed)
            names = ", ".join(map(str, changed))
            self.log.write("notice", f"renewed without a reload: {names}")
            self._tell_expiry(changed)

    def _hand_down(self, tls: Files, changed: Collection[Path]) -> None:
        """Tell workers what has changed, and those to come how it is now."""
        everything, generation = self.judged.files, self.generation
        everything.known.update(tls.known)
        self.judged = evolve(self.judged, tls=tls)
        files = HandedFile.of(everything, everything.known)
        generation.configure = evolve(generation.configure, files=files)
        generation.tell(Renew(HandedFile.of(everything, changed)))

    def _replace_ticket_keys(self, keys: tuple[RandomKeys, ...]) -> None:
        generation = self.generation
        generation.configure = evolve(generation.configure, ticket_keys=keys)
        generation.tell(ReplaceTicketKeys(keys))

    def _tell_expiry(self, changed: Collection[Path] | None = None) -> None:
        """Say when certificates end, those alone that changed if any did."""
        found = [
            one
            for one in self._certificates()
            if changed is None or one.pair.certificate in changed
        ]
        near = expiry_warnings(found)
        for line in expiry_lines(found):
            self.log.write("warn" if line in near else "notice", line)

    def _certificates(self) -> tuple[Certificate, ...]:
        return certificates(self.judged.config, self.judged.tls)

    def _remove_pid_file(self) -> None:
        if self.pid_file is not None:
            self.pid_file.remove()
