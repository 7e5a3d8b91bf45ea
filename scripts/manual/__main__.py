"""Write the manual: `scripts/build-man DIRECTORY`."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import auth_server
import commands
import language
import roff

PAGES = {
    "man1/mailssl-trio.1": commands.page,
    "man5/mail.toml.5": language.page,
    "man7/mailssl-auth-http.7": auth_server.page,
}


def build(directory: Path) -> None:
    """Write every page below a directory, each in that of its section."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    day = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    for name, page in PAGES.items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join((*roff.tidied(page(f"{day:%Y-%m-%d}")), "")))


if __name__ == "__main__":
    build(Path(sys.argv[1]))
