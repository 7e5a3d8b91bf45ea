"""Every server's lines where its own ``error_log`` says."""

import socket
from pathlib import Path

import pytest

from tests.interop.gateway import serving
from tests.interop.machine import PATIENCE, free_port
from tests.process.test_listen import USERS, greeted

pytestmark = pytest.mark.process


def test_lines_of_a_server_go_to_its_own_targets_alone(tmp_path: Path) -> None:
    ports, own = (free_port(), free_port()), tmp_path / "own.log"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.settimeout(PATIENCE)
        daemon.bind(("127.0.0.1", 0))
        syslog = f"syslog:server=127.0.0.1:{daemon.getsockname()[1]},tag=mail info"
        first = {"listen": f"127.0.0.1:{ports[0]}", "protocol": "pop3"}
        second = {
            "listen": f"127.0.0.1:{ports[1]}",
            "protocol": "pop3",
            "error_log": [syslog, f"{own} info"],
        }
        mail = {"users": str(USERS), "proxy_pass": "embedded"}
        table = {
            "error_log": "stderr info",
            "mail": {**mail, "server": [first, second]},
        }
        with serving(tmp_path, table) as program:
            for port in ports:
                with greeted(("127.0.0.1", port)):
                    pass
            said = daemon.recv(4096).decode()
            assert said.startswith("<190>")
            assert said.endswith(f"connected to 127.0.0.1:{ports[1]}")
    assert f"connected to 127.0.0.1:{ports[1]}" in own.read_text()
    assert f"connected to 127.0.0.1:{ports[1]}" not in program.logged()
    assert f"connected to 127.0.0.1:{ports[0]}" in program.logged()
    assert f"connected to 127.0.0.1:{ports[0]}" not in own.read_text()
