"""How a worker process is called: the same program, wherever it was started from."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from site import getsitepackages

PACKAGE = "mailssl_trio"
ROOT = Path(__file__).absolute().parents[2]
"""Where this package lies: a worker must be of the same."""

NOT_FOR_WORKERS = frozenset(
    {
        "PYTHONPATH",  # they get one of their own
        *("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"),  # it is we who are asked
        *("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"),
    }
)


def command(end: int) -> list[str]:
    """Return the command line of a worker: nothing but where its channel is.

    ``-P``: what lies in the working directory is not ours.
    """
    development = ["-X", "dev"] if sys.flags.dev_mode else []
    options = ["-P", *development]
    return [sys.executable, *options, "-m", PACKAGE, "worker", "--channel", str(end)]


def environment(own: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return an environment in which this very package is found.

    It is by itself where it is installed; in a checkout it may be the directory that
    our own interpreter was started from.
    """
    paths = [] if str(ROOT) in getsitepackages() else [str(ROOT)]
    if not sys.flags.ignore_environment:
        paths += filter(None, [own.get("PYTHONPATH")])
    others = {name: own[name] for name in own if name not in NOT_FOR_WORKERS}
    return {**others, "PYTHONPATH": os.pathsep.join(paths)} if paths else others
