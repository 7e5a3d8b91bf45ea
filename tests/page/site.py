"""A gateway with virtual servers that have names, and workers that can be chosen."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import TypeAlias

from attrs import frozen

from tests.interop.background import Background
from tests.interop.gateway import SHIPPED, Table, mail_table, serving
from tests.interop.machine import free_port, until
from tests.process.processes import workers

Server: TypeAlias = Table
"""What a configuration says of one virtual server."""


@frozen
class Site:
    """A gateway that runs."""

    program: Background
    ca: Path
    """By which its development certificate is believed."""
    ports: Mapping[str, int]
    protocols: Mapping[str, str]

    @property
    def workers(self) -> tuple[int, ...]:
        """Return the numbers of its worker processes."""
        return tuple(workers(self.program.process.pid))

    @contextmanager
    def only(self, worker: int) -> Iterator[None]:
        """Have one worker meet all clients: the others stand still."""
        others = [pid for pid in self.workers if pid != worker]
        try:
            for pid in others:
                os.kill(pid, SIGSTOP)
            until(lambda: all(map(_stands_still, others)), "the others stand still")
            yield
        finally:
            for pid in others:
                os.kill(pid, SIGCONT)


def _stands_still(pid: int) -> bool:
    """proc(5): the state stands behind the name, which may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] == "T"


@contextmanager
def site(
    directory: Path,
    servers: Mapping[str, Server],
    *,
    processes: int = 1,
    **mail: object,
) -> Iterator[Site]:
    """Run servers, of IMAP unless they say otherwise, with alice's and bob's mail."""
    ports = {name: free_port() for name in servers}
    tables: list[Table] = [
        {"listen": f"127.0.0.1:{ports[name]}", "protocol": "imap", **server}
        for name, server in servers.items()
    ]
    users = directory / "conf" / "users.toml"
    users.parent.mkdir()
    users.write_bytes((SHIPPED / users.name).read_bytes())
    mail = {"users": users.name, "proxy_pass": "embedded", **mail}
    settings = {**mail_table(*tables, **mail), "worker_processes": processes}
    protocols = {
        name: str(table["protocol"]) for name, table in zip(ports, tables, strict=True)
    }
    with serving(directory, settings) as program:
        yield Site(program, directory / "var/tls/ca.pem", ports, protocols)
