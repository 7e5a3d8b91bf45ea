"""A change is news when it has come to rest, and once."""

import os
from pathlib import Path

import pytest

from mailssl_trio.supervision.watching import Watch


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cert.pem"
    path.write_text("one")
    return path


def at_rest(*paths: Path) -> Watch:
    watch = Watch(paths)
    assert [watch.look() for _ in range(3)] == [False, True, False]
    return watch


def test_first_state_is_news_since_it_may_not_be_what_was_read(file: Path) -> None:
    at_rest(file)


def test_change_is_news_once_two_looks_have_seen_it(file: Path) -> None:
    watch = at_rest(file)
    file.write_text("another")
    assert [watch.look() for _ in range(4)] == [False, True, False, False]


def test_file_that_is_being_written_is_left_alone(file: Path) -> None:
    watch = at_rest(file)
    for size in range(1, 5):
        file.write_text("x" * 10 * size)
        assert not watch.look()
    assert watch.look()


def test_same_size_at_the_same_time_is_seen_all_the_same(file: Path) -> None:
    watch = at_rest(file)
    before = file.stat()
    file.write_text("two")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [watch.look(), watch.look()] == [False, True]


def test_rename_is_seen(file: Path) -> None:
    watch = at_rest(file)
    aside = file.with_suffix(".new")
    aside.write_text("two")
    aside.rename(file)
    assert [watch.look(), watch.look()] == [False, True]


def test_link_above_the_file_is_seen(tmp_path: Path) -> None:
    for name in ("..1", "..2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cert.pem").write_text(name)
    data = tmp_path / "..data"
    data.symlink_to("..1")
    watch = at_rest(data / "cert.pem")
    (tmp_path / "..tmp").symlink_to("..2")
    (tmp_path / "..tmp").replace(data)
    assert [watch.look(), watch.look()] == [False, True]


def test_file_that_goes_and_comes_back_is_news_twice(file: Path) -> None:
    watch = at_rest(file)
    file.unlink()
    assert [watch.look(), watch.look()] == [False, True]
    file.write_text("one")
    assert [watch.look(), watch.look()] == [False, True]


def test_name_that_none_can_have_is_no_error() -> None:
    at_rest(Path("/nowhere"), Path("a\0b"))
