"""``serve nginx.conf``: what nginx served is served, reloads and includes and all."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest

from tests.interop.background import Background, background
from tests.interop.gateway import READY, serve_command
from tests.interop.machine import PATIENCE, free_port, listens
from tests.process.processes import await_workers, kill, reload, workers

pytestmark = pytest.mark.process


def lay_out(directory: Path) -> Path:
    """Write an nginx.conf that includes its servers."""
    (directory / "servers").mkdir()
    file = directory / "nginx.conf"
    file.write_text(
        dedent("""\
            daemon on;
            worker_processes 2;
            error_log stderr info;
            pid nginx.pid;
            events { worker_connections 768; }
            mail {
                auth_http 127.0.0.1:1/auth;
                include servers/*.conf;
            }
        """)
    )
    return file


def write_server(directory: Path, name: str, port: int, word: str = "UIDPLUS") -> None:
    """Write a file with a server, which announces a word."""
    (directory / "servers" / f"{name}.conf").write_text(
        f"server {{ protocol imap; listen 127.0.0.1:{port};\n"
        f"imap_capabilities IMAP4rev1 {word}; }}\n"
    )


@contextmanager
def serving(file: Path) -> Iterator[Background]:
    """Serve an nginx.conf, which must stop with 0."""
    with background("gateway", serve_command(file), file.parent) as program:
        program.await_words(READY)
        yield program
        assert program.stop() == 0, program.logged()
    assert "Traceback" not in program.logged()


def greeting(port: int) -> bytes:
    """Return what a client hears who connects."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
        return client.recv(1000)


def test_nginx_conf_is_served_as_it_is(tmp_path: Path) -> None:
    file, port = lay_out(tmp_path), free_port()
    write_server(tmp_path, "a", port)
    with serving(file) as program:
        assert b" UIDPLUS" in greeting(port)
        assert (tmp_path / "nginx.pid").read_text() == f"{program.process.pid}\n"
        assert len(workers(program.process.pid)) == 2
        assert f"{file}:1: warning: daemon: not carried over: " in program.logged()
        assert f"imap on 127.0.0.1:{port} in the clear" in program.said()


def test_reload_reads_the_files_that_it_includes(tmp_path: Path) -> None:
    file, port, other = lay_out(tmp_path), free_port(), free_port()
    write_server(tmp_path, "a", port, "BEFORE")
    with serving(file) as program:
        assert b" BEFORE" in greeting(port)
        write_server(tmp_path, "a", port, "AFTER")
        write_server(tmp_path, "b", other)
        reload(program)
        assert b" AFTER" in greeting(port)
        assert listens(other)


def test_reload_of_what_nginx_would_refuse_is_refused_in_its_words(
    tmp_path: Path,
) -> None:
    file, port = lay_out(tmp_path), free_port()
    write_server(tmp_path, "a", port)
    with serving(file) as program:
        (tmp_path / "servers" / "b.conf").write_text("server {\n lisen 143; }")
        reload(program)
        said = f'{tmp_path}/servers/b.conf:2: unknown directive "lisen"'
        assert said in program.logged()
        assert b" UIDPLUS" in greeting(port)


def test_worker_in_a_dead_ones_place_serves_what_the_others_serve(
    tmp_path: Path,
) -> None:
    file, port = lay_out(tmp_path), free_port()
    write_server(tmp_path, "a", port, "BEFORE")
    with serving(file) as program:
        before = workers(program.process.pid)
        write_server(tmp_path, "a", port, "AFTER")
        for worker in before:
            kill(worker)
        await_workers(program, before)
        assert b" BEFORE" in greeting(port)
