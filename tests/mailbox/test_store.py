"""The store: what is told is durable, and nothing is told twice or lost."""

import subprocess
import sys
from collections.abc import Callable
from os import utime
from pathlib import Path

import pytest

from mailssl_trio.mailbox.account import Account, FolderExistsError
from mailssl_trio.mailbox.folder import Folder, NoSuchFolderError
from mailssl_trio.mailbox.maildir import Draft, Flag, sweep
from mailssl_trio.mailbox.uids import UidIndex
from tests.mailbox.conversation import inbox_at


@pytest.fixture
def inbox(tmp_path: Path) -> Folder:
    path = inbox_at(tmp_path)
    return Folder(path, path)


def deliver(folder: Folder, text: bytes = b"\r\n") -> str:
    draft = Draft(folder.path)
    draft.write(text)
    draft.deliver([folder.path])
    draft.discard()
    return draft.name


def uids(folder: Folder) -> list[int]:
    return [message.uid for message in folder.look().messages]


def test_uids_ascend_in_the_order_of_arrival(inbox: Folder) -> None:
    names = [deliver(inbox) for _ in range(12)]
    messages = inbox.look().messages
    assert [message.entry.name for message in messages] == names
    assert [message.uid for message in messages] == list(range(1, 13))


def test_uid_of_a_removed_message_is_never_given_again(inbox: Folder) -> None:
    deliver(inbox)
    deliver(inbox)
    assert uids(inbox) == [1, 2]
    assert inbox.remove({2}, only_deleted=False) == [2]
    deliver(inbox)
    assert uids(inbox) == [1, 3]


def test_flags_and_uids_are_there_after_a_restart(inbox: Folder) -> None:
    deliver(inbox)
    before = inbox.look()
    inbox.change_flags({1}, lambda flags: flags | {Flag.SEEN, Flag.FLAGGED})
    after = Folder(inbox.path, inbox.root).look()
    assert after.validity == before.validity
    (message,) = after.messages
    assert (message.uid, message.flags) == (1, frozenset({Flag.SEEN, Flag.FLAGGED}))


def test_letters_of_other_programs_stay_in_the_name(inbox: Folder) -> None:
    (inbox.path / "cur" / "1.other:2,PSa").write_bytes(b"\r\n")
    inbox.change_flags({1}, lambda flags: flags | {Flag.DRAFT})
    assert [path.name for path in (inbox.path / "cur").iterdir()] == ["1.other:2,DPSa"]


def killed_while_writing(inbox: Folder) -> None:
    (inbox.path / "tmp" / "2.dead").write_bytes(b"half a mess")


def killed_between_link_and_unlink(inbox: Folder) -> None:
    killed_while_writing(inbox)
    (inbox.path / "new" / "2.dead").hardlink_to(inbox.path / "tmp" / "2.dead")


def killed_before_the_index_was_renamed(inbox: Folder) -> None:
    deliver(inbox)
    (inbox.path / "uids.fresh").write_text("mailssl-uids-1 1 7\n1 a")


def killed_between_removal_and_index(inbox: Folder) -> None:
    deliver(inbox)
    (message,) = inbox.look().messages[2:]
    (inbox.path / message.entry.file).unlink()


@pytest.mark.parametrize(
    ("killed", "found_after"),
    [
        (killed_while_writing, [1, 2, 3]),
        (killed_between_link_and_unlink, [1, 2, 3, 4]),
        (killed_before_the_index_was_renamed, [1, 2, 3, 4]),
        (killed_between_removal_and_index, [1, 2, 4]),
    ],
)
def test_whatever_is_left_by_the_killed_uids_are_sound(
    inbox: Folder, killed: Callable[[Folder], None], found_after: list[int]
) -> None:
    deliver(inbox)
    deliver(inbox)
    validity = inbox.look().validity
    killed(inbox)
    deliver(inbox)
    snapshot = Folder(inbox.path, inbox.root).look()
    assert [message.uid for message in snapshot.messages] == found_after
    assert snapshot.validity == validity


@pytest.mark.parametrize(
    "content", ["", "mailssl-uids-1 5", "mailssl-uids-1 5 2\n3 a\n", "x 1 1\n", "\0"]
)
def test_index_that_cannot_be_believed_makes_all_uids_new(
    inbox: Folder, content: str
) -> None:
    deliver(inbox)
    validity = inbox.look().validity
    (inbox.path / "uids").write_text(content)
    assert UidIndex.load(inbox.path / "uids") is None
    assert inbox.look().validity > validity


def test_look_that_finds_nothing_changed_is_the_look_before(inbox: Folder) -> None:
    deliver(inbox)
    first = inbox.look()
    second = inbox.look(first)
    assert second is not first, "the first was too close to the delivery to be sure"
    for part in ("new", "cur"):
        utime(inbox.path / part, (1, 1))
    third = inbox.look()
    assert inbox.look(third) is third
    deliver(inbox)
    assert inbox.look(third) is not third


def test_message_is_found_under_whatever_flags_it_is(inbox: Folder) -> None:
    deliver(inbox, b"text")
    (message,) = inbox.look().messages
    inbox.change_flags({1}, lambda _: frozenset({Flag.SEEN}))
    file = inbox.open(message)
    assert file is not None
    with file:
        assert file.read() == b"text"
    inbox.remove(None, only_deleted=False)
    assert inbox.open(message) is None


def test_copy_keeps_flags_and_date_and_tells_both_uids(tmp_path: Path) -> None:
    account = Account.open(tmp_path, b"alice", "mx")
    account.create("Archive")
    inbox, archive = account.folder("INBOX"), account.folder("Archive")
    inbox.change_flags({1}, lambda _: frozenset({Flag.ANSWERED}))
    assert inbox.copy({1, 5}, archive)[1] == [], "one of them is gone"
    snapshot, pairs = inbox.copy({1}, archive)
    assert pairs == [(1, 1)]
    (copy,) = snapshot.messages
    assert copy.flags == {Flag.ANSWERED}
    inbox.remove(None, only_deleted=False)
    file = archive.open(copy)
    assert file is not None
    with file:
        assert b"Subject: Welcome" in file.read()


def test_stale_drafts_are_swept(inbox: Folder) -> None:
    dead, alive = Draft(inbox.path), Draft(inbox.path)
    utime(inbox.path / "tmp" / dead.name, (1, 1))
    sweep(inbox.path)
    assert [path.name for path in (inbox.path / "tmp").iterdir()] == [alive.name]
    dead.discard()
    alive.discard()


def test_everyone_is_welcomed_once(tmp_path: Path) -> None:
    for _ in range(2):
        account = Account.open(tmp_path, b"Alice@example.org", "mx")
        account = Account.open(tmp_path, b"alice@example.org", "mx")
        assert uids(account.folder("INBOX")) == [1]
    assert [path.name for path in tmp_path.iterdir()] == ["alice@example.org"]


def test_folder_made_anew_has_another_uidvalidity(tmp_path: Path) -> None:
    account = Account.open(tmp_path, b"alice", "mx")
    seen = set()
    for _ in range(3):
        account.create("a/b")
        seen.add(account.folder("a/b").look().validity)
        account.delete("a/b")
    assert len(seen) == 3
    assert account.names() == ["INBOX", "a"]


def test_folders_are_renamed_with_all_below_them(tmp_path: Path) -> None:
    account = Account.open(tmp_path, b"alice", "mx")
    for name in ("a/b.c", "ab"):
        account.create(name)
    account.rename("a", "x/y")
    assert account.names() == ["INBOX", "ab", "x", "x/y", "x/y/b.c"]
    with pytest.raises(NoSuchFolderError):
        account.rename("a", "z")
    with pytest.raises(FolderExistsError):
        account.rename("x/y", "ab")


def test_deleted_folder_is_gone_for_who_has_it_open(tmp_path: Path) -> None:
    account = Account.open(tmp_path, b"alice", "mx")
    account.create("a")
    folder = account.folder("a")
    account.delete("a")
    for use in (folder.look, lambda: folder.remove(None, only_deleted=True)):
        with pytest.raises(NoSuchFolderError):
            use()


DELIVERER = """
import sys
from pathlib import Path
from mailssl_trio.mailbox.folder import Folder
from mailssl_trio.mailbox.maildir import Draft, Flag
inbox = Folder(Path(sys.argv[1]), Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    draft = Draft(inbox.path)
    draft.write(b"\\r\\n")
    draft.deliver([inbox.path])
    draft.discard()
    for message in inbox.look(claim=True).messages:
        if message.entry.name == draft.name:
            print(message.uid, draft.name, flush=True)
    inbox.change_flags({message.uid}, lambda flags: flags | {Flag.SEEN})
"""


def deliverer(inbox: Folder, count: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", DELIVERER, str(inbox.path), str(count)],
        stdout=subprocess.PIPE,
        text=True,
    )


def told_by(process: "subprocess.Popen[str]") -> list[tuple[int, str]]:
    assert process.stdout is not None
    with process:
        pairs = (line.split() for line in process.stdout)
        return [(int(uid), name) for uid, name in pairs]


@pytest.mark.process
def test_two_processes_never_disagree_on_a_uid(inbox: Folder) -> None:
    processes = [deliverer(inbox, 40) for _ in range(2)]
    told = [pair for process in processes for pair in told_by(process)]
    assert sorted(uid for uid, _ in told) == list(range(1, 81))
    found = [(m.uid, m.entry.name) for m in inbox.look().messages]
    assert sorted(told) == found


@pytest.mark.process
def test_what_was_told_is_true_after_kill_9(inbox: Folder) -> None:
    told: list[tuple[int, str]] = []
    for patience in (1, 3, 7, 11, 20):
        process = deliverer(inbox, 10_000)
        assert process.stdout is not None
        for _ in range(patience):
            uid, name = process.stdout.readline().split()
            told.append((int(uid), name))
        process.kill()
        told += told_by(process)
    found = {m.uid: m.entry.name for m in inbox.look().messages}
    assert found.items() >= set(told)
    assert len(set(found.values())) == len(found)
    assert len(found) <= len(told) + 5, "at most one delivery was cut off each time"
