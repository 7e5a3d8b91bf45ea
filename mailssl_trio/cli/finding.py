"""How commands find the program that runs: by its socket, or by its configuration."""

from pathlib import Path

from attrs import frozen

from mailssl_trio.config.whereabouts import Whereabouts, whereabouts

CONFIGURED = Path("/etc/mailssl-trio/mail.toml")
"""Where a package puts it."""

EXAMPLE = Path("var/control.sock")
"""Where the example has its socket, for who stands where it was started."""


@frozen
class Named:
    """What the command line says of where the program is."""

    control: Path | None = None
    config: Path | None = None
    pid: Path | None = None

    def find(self) -> Whereabouts:
        """Return where the program is to be looked for. Raises ConfigError."""
        if self.control is not None or self.pid is not None:
            return Whereabouts(self.control, self.pid)
        if self.config is not None:
            return whereabouts(self.config)
        if CONFIGURED.exists():
            return whereabouts(CONFIGURED)
        return Whereabouts(EXAMPLE, None)
