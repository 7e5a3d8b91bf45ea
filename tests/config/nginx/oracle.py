"""nginx itself, asked what it thinks of a configuration."""

import re
import subprocess
from pathlib import Path

from mailssl_trio.config.nginx.refusal import harmless
from tests.interop.machine import do_without, find_program

MODULE = Path("/usr/lib/nginx/modules/ngx_mail_module.so")

HEAD = f"load_module {MODULE}; events {{}}\n"
"""One line, before every document: the mail module, and the block that must be."""

SAID = re.compile(
    r"\[(?:emerg|warn)\] (?:\d+#\d+: )?(.*?)\n(?=nginx: |\d{4}/\d\d/|\Z)", re.DOTALL
)


def nginx_says(file: Path) -> list[str]:
    """Return what nginx has against a configuration: its messages, less their level."""
    program = find_program("nginx")
    if not MODULE.exists():
        do_without("nginx's mail module")
    done = subprocess.run(
        [program, "-t", "-q", "-e", "stderr", "-p", f"{file.parent}/", "-c", str(file)],
        stderr=subprocess.PIPE,
        timeout=30,
        check=False,
    )
    said = SAID.findall(done.stderr.decode(errors="surrogateescape"))
    return list(dict.fromkeys(map(harmless, said)))
