"""Starting: what is said, what is made, and what the exit code tells."""

import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli_w

from tests.interop.background import Background, background
from tests.interop.certificates import issue
from tests.interop.clients import imap_of
from tests.interop.gateway import (
    READY,
    SHIPPED_PORTS,
    Doors,
    mail_table,
    serve_command,
    serving,
    shipped,
)
from tests.interop.machine import do_without, listens, need_root, public_directory, run
from tests.interop.people import ALICE, Person

pytestmark = pytest.mark.process

USAGE, DENIED, WRONG_CONFIGURATION = 2, 77, 78  # sysexits.h

BY = {"starttls": "by STARTTLS only", "tls": "by TLS"}

AS_NOBODY = """\
import os
from mailssl_trio.cli import main
from mailssl_trio.cli.serve import serve
from trustme import CA
CA()  # or what it imports when it is used would come too late
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
main()
"""
"""Everything is imported before: nobody need not be able to read the code."""


def serve(file: Path | str, cwd: Path, expect: int) -> str:
    """Serve to the end, which comes by itself where something is wrong."""
    return run(*serve_command(file), cwd=cwd, expect=expect)


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors.anywhere(tmp_path / "var/tls/ca.pem")


@pytest.fixture
def started(tmp_path: Path) -> Iterator[tuple[Background, Doors]]:
    with shipped(tmp_path) as program_and_doors:
        yield program_and_doors


def test_start_up_lines_say_which_address_speaks_what(
    started: tuple[Background, Doors],
) -> None:
    program, doors = started
    addresses = [
        f"{protocol} on 127.0.0.1:{port} {BY[security]}"
        for (protocol, security), port in doors.ports.items()
    ]
    said = program.said().splitlines()
    assert sorted(said[: len(addresses)]) == sorted(addresses)
    assert "development CA: var/tls/ca.pem" in said
    assert said[-1] == READY


def test_command_to_try_works_verbatim(
    started: tuple[Background, Doors], tmp_path: Path
) -> None:
    program, _ = started
    [command] = [
        line.removeprefix("try: ")
        for line in program.said().splitlines()
        if line.startswith("try: ")
    ]
    said = run("sh", "-c", command, cwd=tmp_path)
    assert "Welcome to mailssl_trio" in said


def test_second_start_reuses_the_authority_and_the_mail(tmp_path: Path) -> None:
    with shipped(tmp_path) as (_, doors), imap_of(doors, ALICE) as client:
        first = doors.ca.read_bytes()
        client.create("kept")
    with serving(tmp_path, (tmp_path / "conf" / "mail.toml").read_text()):
        assert doors.ca.read_bytes() == first
        with imap_of(doors, ALICE) as client:
            assert client.select("kept")[0] == "OK"


def test_example_needs_nothing_but_an_empty_directory(tmp_path: Path) -> None:
    for port in SHIPPED_PORTS.values():
        if listens(port):
            do_without(f"port {port}, which another program has")
    with background("example", serve_command("--example"), tmp_path) as program:
        program.await_words(READY)
        with imap_of(Doors(SHIPPED_PORTS, tmp_path / "var/tls/ca.pem"), ALICE):
            pass
        assert program.stop() == 0
    assert {path.name for path in (tmp_path / "var").iterdir()} == {"mail", "tls"}


def test_file_in_place_of_a_command_means_serve(tmp_path: Path, doors: Doors) -> None:
    file = tmp_path / "mail.toml"
    settings = mail_table(*doors.servers, proxy_pass="127.0.0.1:1")
    file.write_text(tomli_w.dumps(settings))
    command: list[str | Path] = [sys.executable, "-m", "mailssl_trio", file]
    with background("gateway", command, tmp_path) as program:
        program.await_words(READY)
        program.signal(signal.SIGINT)
        assert program.wait() == 0


def test_log_goes_where_error_log_says(tmp_path: Path, doors: Doors) -> None:
    settings = mail_table(*doors.servers, proxy_pass="127.0.0.1:1")
    settings = {**settings, "error_log": "../gateway.log info"}
    with serving(tmp_path, settings) as program:
        connection = ("127.0.0.1", doors.port("pop3", "starttls"))
        with socket.create_connection(connection, 10) as client:
            client.recv(100)
    assert program.logged() == ""
    log = (tmp_path / "gateway.log").read_text()
    assert f"connected to 127.0.0.1:{connection[1]}" in log


@pytest.mark.parametrize(
    "arguments", [(), ("--example", "mail.toml"), ("--exmaple",)], ids=" ".join
)
def test_wrong_command_line_exits_with_2(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    said = run(*serve_command(*arguments), cwd=tmp_path, expect=USAGE)
    assert said.startswith("Usage: ")


def test_broken_configuration_names_each_line_and_exits_with_78(
    tmp_path: Path,
) -> None:
    file = tmp_path / "mail.toml"
    file.write_text(
        """\
[mail]
ssl_certificate = "development"
proxy_pass = "127.0.0.1:143"
startls = "only"

[[mail.server]]
listen = "127.0.0.1:70000"
protocol = "imap"
"""
    )
    said = serve("mail.toml", tmp_path, WRONG_CONFIGURATION)
    assert "mail.toml:4: mail.startls: unknown directive" in said
    assert "did you mean `starttls`?" in said
    assert "mail.toml:7: mail.server[0].listen: " in said
    assert "Traceback" not in said


def test_configuration_that_is_not_there_exits_with_78(tmp_path: Path) -> None:
    said = serve("nowhere.toml", tmp_path, WRONG_CONFIGURATION)
    assert said.startswith("nowhere.toml: ")


def test_key_that_may_not_be_read_exits_with_77(doors: Doors) -> None:
    need_root("giving root up")
    with public_directory() as directory:
        pair = issue(directory / "tls", "localhost")
        settings = mail_table(
            *doors.servers,
            proxy_pass="127.0.0.1:1",
            ssl_certificate=str(pair.certificate),
            ssl_certificate_key=str(pair.key),
        )
        (directory / "mail.toml").write_text(tomli_w.dumps(settings))
        command = (sys.executable, "-c", AS_NOBODY, "serve", "mail.toml")
        said = run(*command, cwd=directory, expect=DENIED)
    assert said.startswith("mail.toml:")
    assert str(pair.key) in said
    assert "Traceback" not in said


def test_port_that_is_taken_exits_with_1_and_leaves_nothing_bound(
    tmp_path: Path, doors: Doors
) -> None:
    file = tmp_path / "mail.toml"
    settings = mail_table(*doors.servers, proxy_pass="127.0.0.1:1")
    file.write_text(tomli_w.dumps(settings))
    *others, last = doors.ports.values()
    with socket.create_server(("127.0.0.1", last)):
        said = serve(file, tmp_path, 1)
    assert f"bind() to 127.0.0.1:{last} failed (Address already in use)" in said
    assert READY not in said
    assert not any(map(listens, others))


def test_hash_made_from_standard_input_lets_its_user_in(tmp_path: Path) -> None:
    carol = Person("carol@example.org", "tan staaf")
    command = (sys.executable, "-m", "mailssl_trio", "hash-password")
    hashed = run(*command, stdin=b"tan staaf\n", cwd=tmp_path).strip()
    assert carol.password not in hashed
    users = tmp_path / "conf" / "users.toml"
    users.parent.mkdir()
    users.write_text(tomli_w.dumps({carol.name: {"password": hashed}}))
    doors = Doors.anywhere(tmp_path / "var/tls/ca.pem").only("imap", "tls")
    settings = mail_table(*doors.servers, users="users.toml", proxy_pass="embedded")
    with serving(tmp_path, settings), imap_of(doors, carol) as client:
        assert client.select()[0] == "OK"
