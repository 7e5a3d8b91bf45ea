"""The same nginx.conf, served by nginx and by us, one after the other."""

import re
import signal
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import trio

from tests.interop.background import background
from tests.interop.certificates import Pair
from tests.interop.differential.client import Client
from tests.interop.differential.dialogue import Dialogue
from tests.interop.differential.record import Record, records_of
from tests.interop.differential.stage import Stage
from tests.interop.gateway import READY, serve_command
from tests.interop.machine import (
    do_without,
    find_program,
    free_port,
    run,
    until,
)

AT_ONCE = 24
"""Dialogues that are held at the same time."""

LAST_WORDS = 1.0
"""Seconds for what the backends still have to hear of those who have left."""

FRONT = "127.3.0.1"
"""Where both listen, one after the other: nobody else takes their ports meanwhile."""

ERROR_LOG = "error.log"

UNTOLD = re.compile(r"secret|c2VjcmV0|AGpvZQBzZWNyZXQ|Traceback")
"""What stands in no line of ours: a password, its base64, and a crash."""

MODULE = "/usr/lib/nginx/modules/ngx_mail_module.so"

MAIN = """\
{load}daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/{log} info;
events {{ worker_connections 1024; }}
mail {{
    server_name front.test;
    auth_http 127.0.0.1:{auth}/auth;
    ssl_certificate {pair.certificate};
    ssl_certificate_key {pair.key};
    ssl_protocols TLSv1.2;
    ssl_ciphers ECDHE-ECDSA-AES256-GCM-SHA384;
{servers}}}
"""


def load_module() -> str:
    """Return the line that nginx needs where its mail module is a file of its own."""
    return f"load_module {MODULE};\n" if Path(MODULE).exists() else ""


def virtual_servers(dialogues: Sequence[Dialogue]) -> dict[tuple[str, str], int]:
    """Give each virtual server that they speak with a port."""
    needed = dict.fromkeys((each.protocol, each.directives) for each in dialogues)
    return {server: free_port() for server in needed}


def nginx_conf(
    servers: Mapping[tuple[str, str], int],
    auth: int,
    directory: Path,
    pair: Pair,
    client_ca: Path,
) -> str:
    """Write the configuration that both are given."""
    blocks = (
        f"    server {{ protocol {protocol}; {_listening(directives, port)} }}\n"
        for (protocol, directives), port in servers.items()
    )
    blocks = (block.replace("(ca)", str(client_ca)) for block in blocks)
    return MAIN.format(
        load=load_module(),
        directory=directory,
        log=ERROR_LOG,
        auth=auth,
        pair=pair,
        servers="".join(blocks),
    )


def _listening(directives: str, port: int) -> str:
    """Put the address behind ``listen``, which stands before its parameters."""
    first, *rest = directives.split("; ") if directives else [""]
    if first.split(" ")[0] == "listen":
        listen = first.replace("listen", f"listen {FRONT}:{port}", 1)
        return "; ".join((listen.removesuffix(";"), *rest)).removesuffix(";") + ";"
    return f"listen {FRONT}:{port}; {directives}"


@contextmanager
def nginx(file: Path) -> Iterator[None]:
    """Serve by nginx, which writes its number once it listens."""
    with background("nginx", ["nginx", "-c", file], file.parent) as program:
        pid = file.parent / "nginx.pid"
        until(lambda: pid.exists() or program.process.poll() is not None, "nginx.pid")
        assert program.process.poll() is None, program.logged()
        yield
        program.signal(signal.SIGTERM)
        program.wait()


@contextmanager
def ourselves(file: Path) -> Iterator[None]:
    """Serve by our own program, from the same file; no password is in its log."""
    log = file.parent / ERROR_LOG
    log.write_bytes(b"")
    with background("gateway", serve_command(file), file.parent) as program:
        program.await_words(READY)
        yield
        assert program.stop() == 0, program.logged()
    written = program.logged() + log.read_text("utf-8")
    assert not [line for line in written.splitlines() if UNTOLD.search(line)]


def need_nginx() -> None:
    """Skip, or fail in CI, where there is no nginx that speaks mail."""
    find_program("nginx")
    if not Path(MODULE).exists() and " --with-mail " not in f"{run('nginx', '-V')} ":
        do_without("nginx's mail module")


def play(
    dialogues: Sequence[Dialogue],
    servers: Mapping[tuple[str, str], int],
    on_stage: Stage,
    certificates: Mapping[str, ssl.SSLContext],
) -> dict[int, Record]:
    """Hold all dialogues, some at a time, with whoever serves now."""
    records = records_of(dialogues)
    turns = trio.CapacityLimiter(AT_ONCE)

    async def hold(record: Record) -> None:
        port = servers[record.dialogue.protocol, record.dialogue.directives]
        async with turns:
            client = Client(record.dialogue, (FRONT, port), certificates, record.heard)
            await client.converse()

    async def hold_all() -> None:
        async with trio.open_nursery() as others:
            others.start_soon(on_stage.perform, records)
            async with trio.open_nursery() as nursery:
                for record in records.values():
                    nursery.start_soon(partial(hold, record))
            await trio.sleep(LAST_WORDS)
            others.cancel_scope.cancel()

    trio.run(hold_all)
    return records
