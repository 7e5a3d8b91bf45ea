"""The directives ``user`` and ``worker_rlimit_nofile``."""

import grp
import os
import pwd
from pathlib import Path

import pytest

from mailssl_trio.config.problem import Report, Severity
from mailssl_trio.config.worker_user import Names, worker_user
from tests.config.site import Site

NOBODY = pwd.getpwnam("nobody")
SERVER = """
[mail]
[[mail.server]]
listen = "127.0.0.1:110"
proxy_pass = "10.0.0.1"
"""


def report() -> Report:
    return Report(Path("mail.toml"), {("user",): 3})


def test_user_has_all_groups_that_are_his_as_after_a_login() -> None:
    notes = report()
    user = worker_user(Names("nobody"), notes, is_root=True)
    assert user is not None
    assert (user.uid, user.gid) == (NOBODY.pw_uid, NOBODY.pw_gid)
    assert user.groups == tuple(os.getgrouplist("nobody", NOBODY.pw_gid))
    assert notes.problems == ()


def test_group_takes_the_place_of_the_first_one() -> None:
    another = next(each for each in grp.getgrall() if each.gr_gid != NOBODY.pw_gid)
    user = worker_user(Names("nobody", another.gr_name), report(), is_root=True)
    assert user is not None
    assert user.gid == another.gr_gid
    assert another.gr_gid in user.groups


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (Names("no-such-user"), 'there is no user "no-such-user"; make one: adduser'),
        (Names("nobody", "none"), 'there is no group "none"; make one: addgroup'),
    ],
)
def test_who_is_not_known_is_named(names: Names, text: str) -> None:
    notes = report()
    assert worker_user(names, notes, is_root=True) is None
    assert [str(each) for each in notes.problems] == [f"mail.toml:3: user: {text}"]


def test_only_root_can_have_workers_be_somebody_else() -> None:
    notes = report()
    assert worker_user(Names("no-such-user"), notes, is_root=False) is None
    (warning,) = notes.problems
    assert warning.severity is Severity.WARNING
    assert "only root can" in warning.text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ('user = ""', '1: user: "" names no user; write "NAME" or "NAME GROUP"'),
        (
            'user = "a b c"',
            '1: user: "a b c" names no user; write "NAME" or "NAME GROUP"',
        ),
        ("user = []", '1: user: an array names no user; write "NAME" or "NAME GROUP"'),
        ("user = 65534", '1: user: 65534 is not a string; write "…"'),
        (
            "worker_rlimit_nofile = 63",
            "1: worker_rlimit_nofile: 63 is not a number of open files; write 64 or"
            " more",
        ),
        (
            'worker_rlimit_nofile = "1k"',
            '1: worker_rlimit_nofile: "1k" is not a number of open files; write 64 or'
            " more",
        ),
    ],
)
def test_what_they_do_not_take(site: Site, words: str, said: str) -> None:
    assert site.said(words + SERVER) == [said]


@pytest.mark.parametrize("words", ['"nobody {}"', '["nobody", "{}"]'])
def test_group_stands_behind_the_user_or_in_an_array(site: Site, words: str) -> None:
    group = grp.getgrgid(NOBODY.pw_gid).gr_name
    words = words.format(group)
    config = site.load(f"user = {words}\nworker_rlimit_nofile = 64{SERVER}")
    assert config.worker_rlimit_nofile == 64
    if os.geteuid() == 0:
        assert config.user is not None
        assert str(config.user.names) == f"nobody {group}"
