"""Everything that ``listen`` takes, and clients who come by it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import tomli_w

from tests.interop.gateway import serving
from tests.interop.machine import PATIENCE, free_port, until
from tests.process.processes import reload

pytestmark = pytest.mark.process

USERS = Path(__file__).parents[2] / "conf" / "users.toml"


def settings(*listens: list[str]) -> dict[str, object]:
    """A POP3 server for each list of addresses, which says its number."""
    servers = [
        {"listen": listen, "pop3_capabilities": f"NUMBER-{number}"}
        for number, listen in enumerate(listens)
    ]
    mail = {
        "protocol": "pop3",
        "users": str(USERS),
        "proxy_pass": "embedded",
    }
    return {
        "error_log": "stderr info",
        "mail": {"server": [{**mail, **server} for server in servers]},
    }


@contextmanager
def greeted(address: str | tuple[str, int]) -> Iterator[socket.socket]:
    """Connect to a path, or to a host's port, and hear the greeting."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as it:
        it.settimeout(PATIENCE)
        it.connect(address)
        assert it.recv(4096).startswith(b"+OK")
        yield it


def number_of(address: str | tuple[str, int]) -> int:
    """Return which server is there."""
    with greeted(address) as it:
        it.sendall(b"CAPA\r\n")
        heard = b""
        while not heard.endswith(b"\r\n.\r\n"):
            heard += it.recv(4096)
    return int(heard.partition(b"NUMBER-")[2].split()[0])


def test_clients_come_by_paths_ranges_and_the_most_exact_address(
    tmp_path: Path,
) -> None:
    path, port = tmp_path / "pop3", free_port()
    table = settings(
        [f"unix:{path}", f"127.0.0.1:{port} backlog=9 rcvbuf=64k so_keepalive=30m::10"],
        [f"*:{port}-{port + 1}"],
    )
    with serving(tmp_path, table) as program:
        assert number_of(str(path)) == 0
        assert number_of(("127.0.0.1", port)) == 0
        assert number_of(("127.0.0.2", port)) == 1
        assert number_of(("127.0.0.1", port + 1)) == 1
        told = f"client unix: connected to unix:{path}"
        until(lambda: told in program.logged(), "the line of the log")
    assert not path.exists()


def test_reload_exchanges_who_listens_where_and_keeps_the_path(tmp_path: Path) -> None:
    path, port = tmp_path / "pop3", free_port()
    with serving(tmp_path, settings([f"unix:{path}"], [f"*:{port}"])) as program:
        before = path.stat().st_ino
        with greeted(str(path)) as waiting:
            table = settings(
                [f"127.0.0.1:{port}"], [f"*:{port} backlog=7"], [f"unix:{path}"]
            )
            (tmp_path / "conf" / "mail.toml").write_text(tomli_w.dumps(table))
            reload(program)
            assert waiting.recv(4096) == b""  # told to come again
        assert path.stat().st_ino == before
        assert number_of(("127.0.0.1", port)) == 0
        assert number_of(("127.0.0.2", port)) == 1
        assert number_of(str(path)) == 2
