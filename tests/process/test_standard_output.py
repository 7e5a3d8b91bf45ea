"""Starting where nobody reads what is said."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.interop.gateway import serve_command
from tests.interop.machine import free_port, listens, until

pytestmark = pytest.mark.process


def test_start_up_lines_that_nobody_reads_do_not_end_it(tmp_path: Path) -> None:
    port = free_port()
    file = tmp_path / "mail.toml"
    file.write_text(
        f'[mail]\nproxy_pass = "127.0.0.1:1"\n'
        f'[[mail.server]]\nlisten = "127.0.0.1:{port}"\nprotocol = "pop3"\n'
    )
    reading, writing = os.pipe()
    os.close(reading)
    program = subprocess.Popen(
        serve_command(file), stdout=writing, stderr=subprocess.PIPE
    )
    os.close(writing)
    try:
        until(lambda: listens(port) or program.poll() is not None, "it listens")
        assert program.poll() is None
    finally:
        program.terminate()
        _, said = program.communicate(timeout=10)
    assert program.returncode == 0
    assert said == b""
