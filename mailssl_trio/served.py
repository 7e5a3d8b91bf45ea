"""What is served now: a configuration, its workers, and what belongs to it alone."""

from contextlib import ExitStack
from functools import partial

from attrs import define, evolve

from mailssl_trio.building import StartError, opened_error_log
from mailssl_trio.config.model import Config
from mailssl_trio.files import Files
from mailssl_trio.generation import Generation
from mailssl_trio.judging import Disk, Judged, differing, read_tls
from mailssl_trio.messages import HandedFile, Renew
from mailssl_trio.pid_file import PidFile
from mailssl_trio.tls.problems import TlsSettingsError
from mailssl_trio.watching import Watch


class Log:
    """The error log of the supervisor, open until it is closed."""

    def __init__(self, config: Config) -> None:
        self._closing = ExitStack()
        self._log = self._closing.enter_context(opened_error_log(config))

    def write(self, level: str, message: str) -> None:
        """Write a line."""
        self._log.write(level, message)

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
    watch: Watch

    async def renew(self, disk: Disk) -> None:
        """Serve what is in the files of certificates by now, if that is good.

        If not, say so, once: it is tried again when it has changed again.
        """
        try:
            if not await disk.ask(self.watch.look):
                return
            files = self.judged.tls.afresh()
            await disk.ask(partial(read_tls, self.judged.config, files))
        except (StartError, TlsSettingsError) as failed:
            self.log.write("error", f"certificates are not renewed: {failed}")
            return
        if changed := differing(self.judged.tls, files):
            self._hand_down(files, HandedFile.of(files, changed))
            names = ", ".join(map(str, changed))
            self.log.write("notice", f"certificates are renewed from {names}")

    def retire(self, successor: "Served") -> None:
        """Leave to another what comes, and what we have in common."""
        self.generation.retire()
        self.log.close()
        if self.pid_file is not None and self.pid_file is not successor.pid_file:
            self.pid_file.remove()

    def close(self) -> None:
        """End where nobody follows."""
        if self.pid_file is not None:
            self.pid_file.remove()
        self.log.close()

    def _hand_down(self, tls: Files, changed: tuple[HandedFile, ...]) -> None:
        everything = self.judged.files
        everything.known.update(tls.known)
        self.judged = evolve(self.judged, tls=tls)
        files = HandedFile.of(everything, everything.known)
        generation = self.generation
        generation.configure = evolve(generation.configure, files=files)
        generation.tell(Renew(changed))
