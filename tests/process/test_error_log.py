"""Every server's lines where its own ``error_log`` says."""

import re
import socket
from pathlib import Path

import pytest
import tomli_w

from tests.interop.background import background
from tests.interop.gateway import READY, serve_command, serving
from tests.interop.machine import PATIENCE, free_port, until
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


IN_THE_JOURNAL = """\
export JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2)
exec "$0" "$@"
"""


def test_under_systemd_every_line_has_its_priority_and_no_time(tmp_path: Path) -> None:
    port = free_port()
    table = {
        "error_log": "stderr info",
        "access_log": ["stderr", "stderr json"],
        "mail": {
            "users": str(USERS),
            "proxy_pass": "embedded",
            "server": [{"listen": f"127.0.0.1:{port}", "protocol": "pop3"}],
        },
    }
    file = tmp_path / "mail.toml"
    file.write_text(tomli_w.dumps(table))
    command: list[str | Path] = ["sh", "-c", IN_THE_JOURNAL, *serve_command(file)]
    with background("gateway", command, tmp_path) as program:
        program.await_words(READY)
        with greeted(("127.0.0.1", port)):
            pass
        until(lambda: "no_auth_attempts" in program.logged(), "the end of a client")
        assert program.stop() == 0
    said = [re.sub(r"\d+#\d+", "P#T", line) for line in program.logged().splitlines()]
    assert all(re.match("<[0-7]>", line) for line in said), said
    assert any(line.startswith("<6>[info] P#T: *1 client 127.0.0.1:") for line in said)
    assert any(line.startswith("<6>pop3-login: Disconnected: ") for line in said)
    assert any(line.startswith('<6>{"time": ') for line in said)
    assert any(line.startswith("<5>[notice] P#T: exit") for line in said)
