"""Commands for a program that runs: found or not, and told what went wrong."""

import json
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import chdir, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from click.testing import CliRunner, Result

from mailssl_trio.cli import main
from mailssl_trio.cli.orders import process_number
from mailssl_trio.cli.who import whom_is_meant

ONE_SESSION = {
    "session": "7eaoJZ9UIp24",
    "user": "al\x1b[2Jice",
    "protocol": "imap",
    "client": "2001:db8::7",
    "client_port": 50312,
    "server": "192.0.2.1:993",
    "tls": "",
    "upstream": "10.0.0.5:143",
    "began": 1795628835,
    "logged_in": 1795628836,
}


CONTROLLED = (
    "status",
    "who",
    "kick",
    "bans",
    "ban",
    "unban",
    "reload",
    "reopen",
    "stop",
)


@pytest.fixture
def path() -> Iterator[Path]:
    """Not pytest's own directory: its name may be too long for a socket."""
    with TemporaryDirectory() as directory:
        yield Path(directory) / "control.sock"


@contextmanager
def answering(path: Path, *lines: bytes) -> Iterator[list[bytes]]:
    """Have somebody at the socket who says this to whatever he is asked."""
    asked: list[bytes] = []

    def serve(listening: socket.socket) -> None:
        visitor, _ = listening.accept()
        with visitor, visitor.makefile("rwb") as stream:
            asked.append(stream.readline())
            stream.writelines(lines)

    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(path))
        listening.listen()
        serving = threading.Thread(target=serve, args=(listening,))
        serving.start()
        yield asked
        serving.join(10)


def line(**fields: object) -> bytes:
    return json.dumps({"v": 1, **fields}).encode() + b"\n"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)))


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("alice", {"user": "alice", "session": "alice"}),
        ("10.0.0.0/8", {"network": "10.0.0.0/8"}),
        ("2001:db8::7", {"network": "2001:db8::7"}),
        ("10.0.0", {"user": "10.0.0", "session": "10.0.0"}),
    ],
)
def test_word_is_a_network_or_somebodys_name(
    word: str, meaning: Mapping[str, str]
) -> None:
    assert whom_is_meant(word) == meaning


def test_who_is_shown_in_a_table_and_escaped(path: Path) -> None:
    with answering(path, line(session=ONE_SESSION), line(ok=True, found=1)) as asked:
        result = run("who", "--control", path, "al\x1b[2Jice")
    assert json.loads(asked[0])["user"] == "al\x1b[2Jice"
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    head, row = result.stdout.splitlines()
    assert head.split()[:3] == ["user", "protocol", "TLS"]
    assert row.split()[:4] == ["al\\x1b[2Jice", "imap", "-", "[2001:db8::7]:50312"]


def test_same_as_one_object(path: Path) -> None:
    with answering(path, line(session=ONE_SESSION), line(ok=True, found=1)):
        result = run("who", "--control", path, "--json")
    said = json.loads(result.stdout)
    assert said == {"sessions": [ONE_SESSION], "problems": [], "ok": True, "found": 1}


def test_worker_that_is_silent_is_named_and_the_rest_is_shown(path: Path) -> None:
    with answering(
        path,
        line(session=ONE_SESSION),
        line(problem="worker process 7 does not answer"),
        line(ok=False, found=1, error="a worker process does not answer"),
    ):
        result = run("who", "--control", path)
    assert result.exit_code == 1
    assert "7eaoJZ9UIp24" in result.stdout
    assert "worker process 7 does not answer" in result.stderr


def test_reload_that_is_refused_exits_as_serve_would(path: Path) -> None:
    with answering(
        path,
        line(problem="mail.toml:1: wrong\x1b[2J"),
        line(ok=False, error="not reconfigured", exit_code=78),
    ):
        result = run("reload", "--control", path)
    assert result.exit_code == 78
    assert result.stdout == ""
    assert result.stderr == "mail.toml:1: wrong\\x1b[2J\nnot reconfigured\n"


@pytest.mark.parametrize(
    "lines",
    [
        (b"* OK IMAP4rev1 ready\r\n",),
        (b'{"v": 2, "ok": true}\n',),
        (b"[]\n",),
        (line(program={}),),
        (),
    ],
)
def test_what_is_not_this_program_is_no_answer(
    path: Path, lines: tuple[bytes, ...]
) -> None:
    with answering(path, *lines):
        result = run("status", "--control", path)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "command", ["status", "who", "bans", "reload", "reopen", "stop"]
)
def test_nobody_there_is_one_line_with_a_remedy(path: Path, command: str) -> None:
    result = run(command, "--control", path)
    assert result.exit_code == 1
    assert f"nobody is at {path}; is the program running?" in result.stderr
    assert "--config FILE" in result.stderr


def test_example_is_found_where_it_was_started(tmp_path: Path) -> None:
    with chdir(tmp_path):
        assert "nobody is at var/control.sock" in run("status").stderr


def test_program_without_a_socket_is_not_asked(tmp_path: Path) -> None:
    file = tmp_path / "mail.toml"
    file.write_text('control = "off"\n')
    assert "has no control socket" in run("who", "-c", file).stderr
    result = run("stop", "-c", file)
    assert result.exit_code == 1
    assert "--pid FILE" in result.stderr


def test_configuration_that_cannot_be_read_is_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "mail.toml"
    file.write_text("[[[")
    result = run("reload", "-c", file)
    assert result.exit_code == 78
    assert "not TOML" in result.stderr
    assert "--control SOCKET" in result.stderr


def test_pid_file_that_nobody_holds_is_nobodys(tmp_path: Path) -> None:
    pid = tmp_path / "mail.pid"
    pid.write_text(f"{os.getpid()}\n")  # by now it could be anybody's number
    result = run("stop", "--pid", pid)
    assert result.exit_code == 1
    assert "does not run any more" in result.stderr


def test_file_that_names_no_process_is_no_pid_file(tmp_path: Path) -> None:
    pid = tmp_path / "mail.pid"
    pid.write_text("mail\n")
    result = run("stop", "--pid", pid)
    assert result.exit_code == 1
    assert "is no pid file" in result.stderr


@pytest.mark.parametrize("said", [b"", b"mail", b"0\n", b"-1\n", b"-4711\n", b"1\n"])
def test_number_that_means_no_process_or_many_is_refused(said: bytes) -> None:
    """No command is run here: were this broken, it would signal all there are."""
    with pytest.raises(ValueError):  # noqa: PT011
        process_number(said)


def test_help_has_an_example() -> None:
    for command in CONTROLLED:
        said = run(command, "--help").stdout
        assert "Example:" in said
        assert "--json" in said


BAN = {"network": "192.0.2.0/24", "user": None, "until": 1795628835, "why": "x\x1b[2J"}


def test_bans_are_shown_in_a_table(path: Path) -> None:
    with answering(path, line(ban=BAN), line(ok=True, found=1)):
        result = run("bans", "--control", path)
    head, row = result.stdout.splitlines()
    assert head.split() == ["network", "user", "until", "why"]
    assert row.split()[:2] == ["192.0.2.0/24", "-"]
    assert row.endswith("x\\x1b[2J")


def test_ban_is_for_a_time_in_words(path: Path) -> None:
    with answering(path, line(ban=BAN), line(ok=True)) as asked:
        result = run("ban", "--control", path, "192.0.2.0/24", "--for", "1h30m")
    said = json.loads(asked[0])
    assert (said["network"], said["seconds"]) == ("192.0.2.0/24", 5400)
    assert result.stdout.startswith("192.0.2.0/24 is banned until ")


@pytest.mark.parametrize(
    "words",
    [
        ("ban", "alice"),
        ("ban", "192.0.2.0/33"),
        ("ban", "192.0.2.1", "--for", "ever"),
        ("ban", "192.0.2.1", "--for", "500ms"),
        ("unban", "alice"),
    ],
)
def test_ban_of_no_network_or_for_no_time_is_a_wrong_command(
    path: Path, words: tuple[str, ...]
) -> None:
    assert run(*words, "--control", path).exit_code == 2
