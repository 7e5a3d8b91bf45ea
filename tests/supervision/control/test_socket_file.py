"""The socket's file: ours alone, in nobody's place, and gone when we are."""

import os
import socket
from collections.abc import Iterator
from fcntl import LOCK_EX, flock
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from mailssl_trio.building import StartError
from mailssl_trio.supervision.control.socket_file import Peer, SocketFile


@pytest.fixture
def path() -> Iterator[Path]:
    """Not pytest's own directory: its name may be too long for a socket."""
    with TemporaryDirectory() as directory:
        yield Path(directory) / "control.sock"


def mode(path: Path) -> int:
    return path.lstat().st_mode & 0o777


def test_mode_is_0600_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        opened = SocketFile.open(path)
    finally:
        os.umask(before)
    assert mode(path) == 0o600
    opened.close()
    assert not path.exists()


def test_who_comes_is_known(path: Path) -> None:
    opened = SocketFile.open(path)
    with socket.socket(socket.AF_UNIX) as visitor:
        visitor.connect(str(path))
        accepted, _ = opened.listening.accept()
        with accepted:
            peer = Peer.of(accepted)
    opened.close()
    assert peer == Peer(os.getpid(), os.geteuid())
    assert peer.is_administrator
    assert not Peer(1, os.geteuid() + 1).is_administrator
    assert Peer(1, 0).is_administrator


def test_what_a_killed_program_left_is_replaced(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
        dead.listen()
    SocketFile.open(path).close()
    assert not path.exists()


def test_living_socket_is_left_alone_and_its_owner_is_named(path: Path) -> None:
    opened = SocketFile.open(path)
    with pytest.raises(StartError, match=f"belongs to process {os.getpid()}"):
        SocketFile.open(path)
    assert opened.is_there()
    opened.close()


def test_socket_that_is_too_busy_to_answer_is_alive(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as one:
        busy.bind(str(path))
        busy.listen(0)
        one.connect(str(path))
        with pytest.raises(StartError, match="belongs to somebody else"):
            SocketFile.open(path)


@pytest.mark.parametrize("kind", ["file", "directory", "link"])
def test_what_is_no_socket_is_left_alone(path: Path, kind: str) -> None:
    match kind:
        case "file":
            path.write_text("precious")
        case "directory":
            path.mkdir()
        case "link":
            path.symlink_to("/nowhere")
    with pytest.raises(StartError, match="is there, and is no socket"):
        SocketFile.open(path)
    assert path.is_symlink() or path.exists()


def test_two_that_start_at_once_do_not_take_each_others_place(path: Path) -> None:
    directory = os.open(path.parent, os.O_RDONLY)
    flock(directory, LOCK_EX)
    with pytest.raises(StartError, match="another program is about to start"):
        SocketFile.open(path)
    os.close(directory)
    assert not path.exists()


def test_directory_that_is_not_there_is_named(path: Path) -> None:
    with pytest.raises(StartError, match="No such file or directory"):
        SocketFile.open(path / "below")


def test_socket_that_somebody_replaced_is_not_removed(path: Path) -> None:
    opened = SocketFile.open(path)
    path.unlink()
    path.write_text("somebody else's")
    assert not opened.is_there()
    opened.close()
    assert path.read_text() == "somebody else's"
