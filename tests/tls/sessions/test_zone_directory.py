"""Where zones lie: in memory, for this user only, and no longer than anybody lives."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from mailssl_trio.tls.sessions.zone_directory import (
    ZoneDirectoryError,
    hold,
    is_in_memory,
    sweep,
    usual_places,
    zone_directory,
)
from tests.tls.unprivileged import NOBODY

REPOSITORY = Path(__file__).parents[3]
MEMORY = Path("/dev/shm")

pytestmark = pytest.mark.skipif(
    not is_in_memory(MEMORY), reason="this machine has no tmpfs at /dev/shm"
)


@pytest.fixture
def place() -> Iterator[Path]:
    """Return a directory in memory that no other test uses."""
    with TemporaryDirectory(dir=MEMORY, prefix="tests-") as name:
        yield Path(name)


def left_behind(place: Path, name: str = "mailssl-trio-old") -> Path:
    """Leave what a killed supervisor leaves: a directory that nobody holds."""
    directory = place / name
    directory.mkdir(0o700)
    (directory / "zone.0.mdb").write_bytes(b"sessions")
    return directory


def test_it_is_this_users_alone_and_goes_with_its_program(place: Path) -> None:
    with zone_directory([place]) as directory:
        (directory / "zone.0.mdb").write_bytes(b"sessions")
        assert directory.parent == place
        assert directory.name.startswith("mailssl-trio-")
        assert directory.stat().st_mode & 0o7777 == 0o700
        assert is_in_memory(directory)
    assert not list(place.iterdir())


def test_it_goes_when_its_program_fails(place: Path) -> None:
    with pytest.raises(KeyError), zone_directory([place]):
        raise KeyError
    assert not list(place.iterdir())


def test_programs_do_not_share_it(place: Path) -> None:
    with zone_directory([place]) as one, zone_directory([place]) as two:
        assert one != two
        assert one.is_dir()
    assert not list(place.iterdir())


def test_the_first_place_in_memory_is_taken(tmp_path: Path, place: Path) -> None:
    places = [Path("/nowhere"), *([] if is_in_memory(tmp_path) else [tmp_path]), place]
    with zone_directory(places) as directory:
        assert directory.parent == place


def test_a_disk_is_no_place_for_secrets() -> None:
    disk = Path("/proc")
    with pytest.raises(ZoneDirectoryError) as caught, zone_directory([disk]):
        pass
    assert "/proc is not there, or is no tmpfs" in str(caught.value)
    assert "/dev/shm" in caught.value.remedy


def test_no_place_at_all_is_said_with_all_that_was_tried() -> None:
    places = [Path("/nowhere"), Path("/proc")]
    with pytest.raises(ZoneDirectoryError) as caught, zone_directory(places):
        pass
    assert "/nowhere" in str(caught.value)
    assert "/proc" in str(caught.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_place_that_may_not_be_written_is_said(place: Path) -> None:
    place.chmod(0o755)
    os.seteuid(NOBODY)
    try:
        with (
            pytest.raises(ZoneDirectoryError, match="Permission denied"),
            zone_directory([place]),
        ):
            pass
    finally:
        os.seteuid(0)


def test_what_systemd_made_comes_first() -> None:
    environment = {"RUNTIME_DIRECTORY": "/run/a:/run/b", "XDG_RUNTIME_DIR": "/run/user"}
    assert [str(path) for path in usual_places(environment)] == [
        "/run/a",
        "/run/b",
        "/dev/shm",
        "/run/user",
    ]
    assert usual_places({}) == (MEMORY,)


def test_what_killed_programs_left_is_swept(place: Path) -> None:
    left = [left_behind(place), left_behind(place, "mailssl-trio-older")]
    with zone_directory([place]) as directory:
        assert list(place.iterdir()) == [directory]
        assert not any(path.exists() for path in left)


def test_what_somebody_holds_stays(place: Path) -> None:
    left = left_behind(place)
    with hold(left):
        with hold(left):
            sweep(place)
        sweep(place)
        assert (left / "zone.0.mdb").exists()
    sweep(place)
    assert not left.exists()


def test_what_is_called_otherwise_stays(place: Path) -> None:
    left = left_behind(place, "somebody-elses")
    sweep(place)
    assert left.exists()


def test_no_link_is_followed_by_a_sweep(place: Path, tmp_path: Path) -> None:
    elsewhere = left_behind(tmp_path, "elsewhere")
    (place / "mailssl-trio-link").symlink_to(elsewhere)
    inside = left_behind(place)
    (inside / "link").symlink_to(elsewhere)
    sweep(place)
    assert (elsewhere / "zone.0.mdb").exists()
    assert not inside.exists()


def test_a_file_of_that_name_stays_and_spoils_nothing(place: Path) -> None:
    (place / "mailssl-trio-file").touch()
    os.mkfifo(place / "mailssl-trio-pipe")
    with zone_directory([place]) as directory:
        assert directory.is_dir()
    assert len(list(place.iterdir())) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_is_another_users_stays(place: Path) -> None:
    left = left_behind(place)
    os.chown(left, NOBODY, NOBODY)
    sweep(place)
    assert left.exists()
    with pytest.raises(PermissionError), hold(left):
        pass


def test_what_is_gone_cannot_be_held(place: Path) -> None:
    with pytest.raises(FileNotFoundError), hold(place / "mailssl-trio-gone"):
        pass


def test_nothing_stays_open(place: Path) -> None:
    before = os.listdir("/proc/self/fd")
    for _ in range(5):
        left_behind(place)
        with zone_directory([place]) as directory, hold(directory):
            pass
    assert os.listdir("/proc/self/fd") == before


PROGRAM = """
import sys, time
from pathlib import Path
from mailssl_trio.tls.sessions.zone_directory import hold, zone_directory
place = Path(sys.argv[2])
with (zone_directory([place]) if sys.argv[1] == "supervisor" else hold(place)) as made:
    print(made, flush=True)
    time.sleep(60)
"""


@contextmanager
def program(kind: str, place: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run a supervisor or a worker, as far as the directory is concerned."""
    command = [sys.executable, "-c", PROGRAM, kind, str(place)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def directory_of(process: "subprocess.Popen[str]") -> Path:
    """Wait until it has one."""
    assert process.stdout is not None
    return Path(process.stdout.readline().strip())


@pytest.mark.process
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_workers_that_outlive_their_supervisor_keep_it(
    number: signal.Signals, place: Path
) -> None:
    with program("supervisor", place) as supervisor:
        directory = directory_of(supervisor)
        with program("worker", directory) as worker:
            assert directory_of(worker) == Path("None")  # it holds what is there
            supervisor.send_signal(number)
            supervisor.wait(5)
            sweep(place)
            assert directory.exists()
        sweep(place)
        assert not directory.exists()


@pytest.mark.process
def test_many_that_start_at_once_leave_each_other_alone(place: Path) -> None:
    with ExitStack() as stack:
        together = [stack.enter_context(program("supervisor", place)) for _ in range(6)]
        directories = {directory_of(process) for process in together}
        assert len(directories) == 6
        assert all(directory.is_dir() for directory in directories)
    sweep(place)
    assert not list(place.iterdir())
