"""The gateway in this process, in virtual time: Unix sockets, and no other waits."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from socket import socket
from ssl import create_default_context

import tomli_w
import trio
from trio.testing import wait_all_tasks_blocked

from mailssl_trio.building import (
    Shared,
    build_servers,
    issue_development_certificate,
    opened_logs,
)
from mailssl_trio.config.load import load
from mailssl_trio.config.model import Config
from mailssl_trio.files import Files
from mailssl_trio.messages import Door
from mailssl_trio.resuming import Resuming
from mailssl_trio.transport.drain import Drain
from tests.hostile.others import listen_at, stand_by
from tests.hostile.stand import Stand, configuration, doors
from tests.hostile.witness import Patience


@asynccontextmanager
async def standing(directory: Path) -> AsyncIterator[Stand]:
    """Run a gateway, and all whom it needs, for as long as the block lasts."""
    config = _configured(directory)
    with opened_logs(config) as log:
        shared = Shared(Files(), Resuming(None, (), print), log, _no_mailbox, Drain())
        opened = [
            await _door(number, kind, directory / f"at-{door}")
            for number, (door, kind) in enumerate(_names())
        ]
        stand = Stand(
            partial(_dial, directory),
            wait_all_tasks_blocked,
            create_default_context(cafile=directory / "var/tls/ca.pem"),
            Patience(),
        )
        async with trio.open_nursery() as nursery:
            await stand_by(directory, stand.heard, nursery)
            for server in build_servers(config, opened, shared):
                nursery.start_soon(server.run)
            yield stand
            nursery.cancel_scope.cancel()


def _configured(directory: Path) -> Config:
    listen = {door: f"unix:{directory}/at-{door}" for door, _ in _names()}
    file = directory / "mail.toml"
    file.write_text(tomli_w.dumps(configuration(listen, directory, "warn")))
    config = load(file)
    issue_development_certificate(config)
    return config


def _names() -> list[tuple[str, str]]:
    return [(f"{protocol}-{kind}", kind) for protocol, kind in doors()]


async def _door(number: int, kind: str, path: Path) -> Door:
    (listener,) = await listen_at(path)
    descriptor = listener.socket.detach()
    return Door(number, kind == "tls", descriptor, proxy_protocol=kind == "proxied")


async def _dial(directory: Path, door: str) -> trio.SocketStream:
    return await trio.open_unix_socket(str(directory / f"at-{door}"))


async def _no_mailbox(protocol: str) -> socket:
    raise OSError(protocol)
