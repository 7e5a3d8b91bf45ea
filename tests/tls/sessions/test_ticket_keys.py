"""Ticket keys: nginx's files, and keys of our own that are never kept too long."""

import os
from collections.abc import Callable
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest
from attrs import define

from mailssl_trio.files import Content, Files
from mailssl_trio.tls.problems import TlsProblem
from mailssl_trio.tls.sessions.ticket_keys import (
    RotatingKeys,
    TicketKey,
    TicketKeys,
    as_texts,
    from_texts,
    read_ticket_keys,
    ticket_key_problems,
    time_since_boot,
)
from tests.tls.unprivileged import unprivileged

NAME = b"N" * 16
SHORT = NAME + b"A" * 16 + b"H" * 16
LONG = NAME + b"H" * 32 + b"A" * 32


@define
class Hands:
    """A clock that goes when it is told to."""

    time: float = 5000.0

    def __call__(self) -> float:
        return self.time


def random() -> Callable[[int], bytes]:
    """Return what makes octets that are different each time, and the same each run."""
    numbers = count()

    def octets(size: int) -> bytes:
        number = next(numbers).to_bytes(4)
        return (sha256(number).digest() * 3)[:size]

    return octets


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def rotating(clock: Hands) -> RotatingKeys:
    return RotatingKeys(300, clock, random())


def key_file(directory: Path, octets: bytes, name: str = "ticket.key") -> Path:
    path = directory / name
    path.touch(mode=0o600)
    path.write_bytes(octets)
    return path


def problem(*paths: Path) -> TlsProblem:
    (only,) = ticket_key_problems(paths, Files())
    assert only.directive == "ssl_session_ticket_key"
    return only


# The two formats.


def test_48_octets_are_name_aes_hmac() -> None:
    assert TicketKey.parse(SHORT) == TicketKey(NAME, aes=b"A" * 16, hmac=b"H" * 16)


def test_80_octets_are_name_hmac_aes() -> None:
    assert TicketKey.parse(LONG) == TicketKey(NAME, hmac=b"H" * 32, aes=b"A" * 32)


@pytest.mark.parametrize("size", [0, 16, 47, 49, 64, 79, 81, 96])
def test_other_sizes_are_no_keys(size: int) -> None:
    with pytest.raises(ValueError, match=f"of {size} octets"):
        TicketKey.parse(bytes(size))


@pytest.mark.parametrize("octets", [SHORT, LONG])
def test_keys_are_handed_down_whole(octets: bytes) -> None:
    keys = (TicketKey.parse(octets), TicketKey.parse(os.urandom(80)))
    assert bytes(keys[0]) == octets
    assert from_texts(as_texts(keys)) == keys


def test_no_representation_shows_a_secret() -> None:
    shown = repr((TicketKey.parse(LONG), TicketKeys((TicketKey.parse(SHORT),))))
    assert "AAAA" not in shown
    assert "HHHH" not in shown


# What a worker holds.


def test_the_first_encrypts_and_all_decrypt() -> None:
    first, second = (TicketKey.parse(os.urandom(80)) for _ in range(2))
    keys = TicketKeys((first, second))
    assert keys.encrypting is first
    assert keys.find(first.name) is first
    assert keys.find(second.name) is second
    assert keys.find(os.urandom(16)) is None


def test_keys_are_replaced_as_a_whole() -> None:
    old, new = (TicketKey.parse(os.urandom(80)) for _ in range(2))
    keys = TicketKeys((old,))
    keys.replace([new])
    assert keys.encrypting is new
    assert keys.find(old.name) is None


def test_no_keys_are_a_mistake_and_change_nothing() -> None:
    key = TicketKey.parse(LONG)
    keys = TicketKeys((key,))
    with pytest.raises(ValueError, match="no key"):
        keys.replace(())
    assert keys.encrypting is key
    with pytest.raises(ValueError, match="no key"):
        TicketKeys(())


# Rotation.


def test_a_key_encrypts_for_one_timeout_and_decrypts_for_one_more(
    rotating: RotatingKeys, clock: Hands
) -> None:
    first = rotating.keys[0]
    clock.time += 299
    assert not rotating.rotate()
    assert rotating.keys[0] == first
    clock.time += 1
    assert rotating.rotate()
    assert rotating.keys[0] != first
    assert first in rotating.keys
    clock.time += 299
    assert not rotating.rotate()
    assert first in rotating.keys
    clock.time += 1
    assert rotating.rotate()
    assert first not in rotating.keys


def test_every_key_is_known_to_workers_before_it_encrypts(
    rotating: RotatingKeys, clock: Hands
) -> None:
    for _ in range(10):
        known = rotating.keys
        clock.time += 300
        rotating.rotate()
        assert rotating.keys[0] in known[1:]


def test_no_key_comes_back(rotating: RotatingKeys, clock: Hands) -> None:
    used = [rotating.keys[0]]
    for _ in range(10):
        clock.time += 300
        rotating.rotate()
        used.append(rotating.keys[0])
    assert len(set(used)) == 11
    assert len(rotating.keys) == 3


def test_time_begins_when_it_is_said_to(rotating: RotatingKeys, clock: Hands) -> None:
    """Nothing was encrypted before, however long the start has taken."""
    clock.time += 100_000
    first = rotating.keys[0]
    rotating.begin()
    assert not rotating.rotate()
    clock.time += 300
    assert rotating.rotate()
    assert first in rotating.keys


def test_who_rotates_late_gives_no_key_more_time(
    rotating: RotatingKeys, clock: Hands
) -> None:
    first = rotating.keys[0]
    clock.time += 420
    rotating.rotate()
    clock.time += 179
    assert not rotating.rotate()
    clock.time += 1
    assert rotating.rotate()
    assert first not in rotating.keys


@pytest.mark.parametrize("slept", [600, 899, 900, 100_000])
def test_a_machine_that_slept_wakes_without_the_old_keys(
    slept: int, rotating: RotatingKeys, clock: Hands
) -> None:
    clock.time += 300
    rotating.rotate()
    previous, current = rotating.keys[2], rotating.keys[0]
    clock.time += slept
    assert rotating.rotate()
    assert previous not in rotating.keys
    assert current not in rotating.keys
    assert not rotating.rotate()


def test_our_own_keys_are_of_the_long_kind_and_random() -> None:
    keys = RotatingKeys(300)
    assert [len(bytes(key)) for key in keys.keys] == [80, 80]
    assert len({part for key in keys.keys for part in (key.hmac, key.aes)}) == 4
    assert time_since_boot() > 0


def test_no_representation_shows_our_own_keys(rotating: RotatingKeys) -> None:
    for key in rotating.keys:
        assert repr(key.aes)[2:-1] not in repr(rotating)


# Files.


def test_files_become_keys_in_their_order(tmp_path: Path) -> None:
    files = Files()
    paths = (key_file(tmp_path, SHORT, "a"), key_file(tmp_path, os.urandom(80), "b"))
    assert not list(ticket_key_problems(paths, files))
    first, second = read_ticket_keys(paths, files)
    assert bytes(first) == SHORT
    assert bytes(second) == paths[1].read_bytes()


def test_a_worker_reads_what_the_supervisor_judged() -> None:
    path = Path("/nowhere/ticket.key")
    files = Files({path: Content(LONG)}, on_disk=False)
    assert not list(ticket_key_problems([path], files))
    assert read_ticket_keys([path], files) == (TicketKey.parse(LONG),)


@pytest.mark.parametrize("size", [0, 47, 81])
def test_a_file_of_another_size(size: int, tmp_path: Path) -> None:
    found = problem(key_file(tmp_path, b"k" * size))
    assert f"ticket.key must be 48 or 80 bytes, and has {size}" in found.text
    assert "openssl rand 80" in found.remedy
    assert "kkk" not in found.text
    assert not found.denied


def test_a_missing_file(tmp_path: Path) -> None:
    assert "absent.key does not exist" in problem(tmp_path / "absent.key").text


def test_a_directory_or_a_pipe_is_no_key(tmp_path: Path) -> None:
    assert problem(tmp_path).text == f"{tmp_path} is a directory"
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert problem(pipe).text == f"{pipe} is not a regular file"


def test_a_file_below_a_file(tmp_path: Path) -> None:
    below = key_file(tmp_path, LONG) / "key"
    assert problem(below).text == f"{below} cannot be read: Not a directory"


def test_a_name_that_is_none() -> None:
    assert problem(Path("a\0b")).text == "'a\\x00b' is no file name"


def test_a_file_that_this_user_may_not_read_is_denied(tmp_path: Path) -> None:
    path = key_file(tmp_path, LONG)
    path.chmod(0)
    with unprivileged():
        found = problem(path)
    assert "may not be read" in found.text
    assert found.denied


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602])
def test_a_key_that_everybody_can_read_or_change(mode: int, tmp_path: Path) -> None:
    path = key_file(tmp_path, LONG)
    path.chmod(mode)
    found = problem(path)
    assert f"is open to every user (mode {mode:04o})" in found.text
    assert found.remedy == f"chmod o-rwx {path}"


def test_two_keys_of_one_name_cannot_be_told_apart(tmp_path: Path) -> None:
    first, second = key_file(tmp_path, SHORT, "a"), key_file(tmp_path, LONG, "b")
    found = problem(first, second)
    assert f"{second} begins with the same 16 octets as {first}" in found.text
    assert "name each key once" in problem(first, first).remedy


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    short = key_file(tmp_path, bytes(47))
    short.chmod(0o644)
    found = ticket_key_problems([tmp_path / "absent", short], Files())
    assert len(list(found)) == 3
