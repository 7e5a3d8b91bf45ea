"""IMAP: RFC 3501 and what is announced beside it, as dialogues."""

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

from mailssl_trio.mailbox.imap.append import MAX_MESSAGE
from mailssl_trio.mailbox.maildir import Draft
from tests.mailbox.conversation import (
    LOGIN,
    Client,
    converse,
    crlf,
    inbox_at,
    mailbox_at,
    messages_in,
    play,
)

ONE = crlf("Subject: one\n\n1\n")
TWO = crlf("Subject: two\n\n22\n")
THREE = crlf("Subject: three\n\n333\n")

SELECT = r"""
    C: b SELECT INBOX
    S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
    S: * 3 EXISTS
    S: * 3 RECENT
    S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft)] no keywords
    S~ \* OK \[UIDVALIDITY \d+\] UIDs are valid
    S: * OK [UIDNEXT 4] next UID
    S: * OK [UNSEEN 1] first unseen
    S: b OK [READ-WRITE] SELECT completed
    """


async def talk(tmp_path: Path, script: str) -> None:
    """Play a script with three messages in the selected INBOX."""
    await play(tmp_path, "imap", SELECT + script, ONE, TWO, THREE)


async def test_capabilities_are_true_for_their_moment(tmp_path: Path) -> None:
    await play(
        tmp_path,
        "imap",
        """
        S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ AUTH=PLAIN ID] mailbox ready
        C: a CAPABILITY
        S: * CAPABILITY IMAP4rev1 SASL-IR LITERAL+ AUTH=PLAIN ID
        S: a OK CAPABILITY completed
        C: a SELECT INBOX
        S: a BAD unknown command, or not in this state
        C: a ID ("name" "x" "os" NIL)
        S: * ID ("name" "mailssl_trio")
        S: a OK ID completed
        C: a LOGIN alice@example.org x
        S~ a OK \\[CAPABILITY IMAP4rev1 LITERAL\\+ ID IDLE UIDPLUS NAMESPACE\\] .*
        C: a CAPABILITY
        S: * CAPABILITY IMAP4rev1 LITERAL+ ID IDLE UIDPLUS NAMESPACE
        S: a OK CAPABILITY completed
        C: a LOGIN alice@example.org x
        S: a BAD unknown command, or not in this state
        C: a ID NIL
        S: * ID ("name" "mailssl_trio")
        S: a OK ID completed
        C: a LOGOUT
        S: * BYE logging out
        S: a OK LOGOUT completed
        """,
        login=False,
    )


@pytest.mark.parametrize(
    "exchange",
    [
        'C: a LOGIN "alice@example.org" "x"',
        "C: a login {17+}\nC~ alice@example.org {1+}\\r\\nx\nC:",
        "C: a LOGIN {17}\nS: + go on\nC: alice@example.org x",
        "C: a AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHg=",
        "C: a authenticate plain\nS~ [+] \nC: AGFsaWNlQGV4YW1wbGUub3JnAHg=",
    ],
)
async def test_whoever_the_gateway_lets_in_has_his_inbox(
    tmp_path: Path, exchange: str
) -> None:
    script = f"S~ .* OK .*\n{exchange}\nS~ a OK .* logged in\n" + SELECT
    await play(tmp_path, "imap", script, ONE, TWO, THREE, login=False)


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("AUTHENTICATE PLAIN *", "a NO [AUTHENTICATIONFAILED] no user"),
        ("AUTHENTICATE PLAIN Ym9iAGFsaWNlAHg=", "a NO [AUTHENTICATIONFAILED] no user"),
        ("AUTHENTICATE NTLM", "a NO [AUTHENTICATIONFAILED] no user"),
        ('LOGIN "" x', "a NO [AUTHENTICATIONFAILED] no user"),
        ("LOGIN alice", "a BAD ' ' expected"),
        ("LOGIN alice x y", "a BAD too many arguments"),
        ("LOGIN", "a BAD ' ' expected"),
        ("LIST", "a BAD unknown command, or not in this state"),
        ("LOGIN {65537}", "a BAD unknown command, or not in this state"),
    ],
)
async def test_login_that_is_none_is_refused(
    tmp_path: Path, command: str, answer: str
) -> None:
    script = f"S~ .* OK .*\nC: a {command}\nS: {answer}"
    await play(tmp_path, "imap", script, login=False)


async def test_everyone_finds_a_welcome(tmp_path: Path) -> None:
    script = r"""
        C: b EXAMINE inbox
        S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
        S: * 1 EXISTS
        S: * 1 RECENT
        S: * OK [PERMANENTFLAGS ()] no keywords
        S~ .*UIDVALIDITY.*
        S~ .*UIDNEXT 2.*
        S~ .*UNSEEN 1.*
        S: b OK [READ-ONLY] EXAMINE completed
        C: c FETCH 1 BODY[HEADER.FIELDS (Subject)]
        S: * 1 FETCH (BODY[HEADER.FIELDS (Subject)] {36}
        S: Subject: Welcome to mailssl_trio
        S:
        S: )
        S: c OK FETCH completed
        C: c STORE 1 FLAGS \Seen
        S: c NO [READ-ONLY] the mailbox was opened with EXAMINE
        C: c EXPUNGE
        S: c NO [READ-ONLY] the mailbox was opened with EXAMINE
        """
    await converse(mailbox_at(tmp_path), "imap", LOGIN["imap"] + script)


async def test_flags_are_set_added_and_removed(tmp_path: Path) -> None:
    await talk(
        tmp_path,
        r"""
        C: c STORE 1:2 +FLAGS (\Seen \Flagged)
        S: * 1 FETCH (FLAGS (\Flagged \Seen \Recent))
        S: * 2 FETCH (FLAGS (\Flagged \Seen \Recent))
        S: c OK STORE completed
        C: c UID STORE 2:* -FLAGS \Seen
        S: * 2 FETCH (UID 2 FLAGS (\Flagged \Recent))
        S: * 3 FETCH (UID 3 FLAGS (\Recent))
        S: c OK STORE completed
        C: c STORE 1,3 flags.silent ()
        S: c OK STORE completed
        C: c FETCH 1:* FLAGS
        S: * 1 FETCH (FLAGS (\Recent))
        S: * 2 FETCH (FLAGS (\Flagged \Recent))
        S: * 3 FETCH (FLAGS (\Recent))
        S: c OK FETCH completed
        C: c STORE 1 +FLAGS (\Seen $Label1)
        S: c NO [CANNOT] keywords are not kept here
        C: c STORE 1 +FLAGS (\Recent)
        S: c NO [CANNOT] keywords are not kept here
        C: c STORE 4 +FLAGS \Seen
        S: c BAD no such message number
        C: c UID STORE 4 +FLAGS \Seen
        S: c OK STORE completed
        """,
    )


async def test_deleted_messages_are_expunged_from_the_last_on(tmp_path: Path) -> None:
    await talk(
        tmp_path,
        r"""
        C: c STORE 1,3 +FLAGS.SILENT \Deleted
        S: c OK STORE completed
        C: c UID EXPUNGE 2:3
        S: * 3 EXPUNGE
        S: c OK EXPUNGE completed
        C: c EXPUNGE
        S: * 1 EXPUNGE
        S: c OK EXPUNGE completed
        C: c UID FETCH 1:* UID
        S: * 1 FETCH (UID 2)
        S: c OK FETCH completed
        C: c STORE 1 +FLAGS.SILENT \Deleted
        S: c OK STORE completed
        C: c CLOSE
        S: c OK CLOSE completed
        C: c FETCH 1 FLAGS
        S: c BAD unknown command, or not in this state
        C: c STATUS INBOX (MESSAGES UIDNEXT RECENT UNSEEN)
        S: * STATUS "INBOX" (MESSAGES 0 UIDNEXT 4 RECENT 0 UNSEEN 0)
        S: c OK STATUS completed
        """,
    )


async def test_reading_a_message_marks_it_as_seen_and_peeking_does_not(
    tmp_path: Path,
) -> None:
    await talk(
        tmp_path,
        r"""
        C: c FETCH 1 BODY.PEEK[TEXT]
        S: * 1 FETCH (BODY[TEXT] {3}
        S: 1
        S: )
        S: c OK FETCH completed
        C: c FETCH 1:2 (BODY[TEXT]<0.1> RFC822.HEADER)
        S: * 1 FETCH (BODY[TEXT]<0> {1}
        S: 1 RFC822.HEADER {16}
        S: Subject: one
        S:
        S~  FLAGS \(\\Seen \\Recent\)\)
        S: * 2 FETCH (BODY[TEXT]<0> {1}
        S: 2 RFC822.HEADER {16}
        S: Subject: two
        S:
        S~  FLAGS \(\\Seen \\Recent\)\)
        S: c OK FETCH completed
        C: c NOOP
        S: c OK NOOP completed
        """,
    )


async def test_copies_are_announced_with_their_uids(tmp_path: Path) -> None:
    await talk(
        tmp_path,
        r"""
        C: c COPY 1 Archive
        S: c NO [TRYCREATE] no such mailbox
        C: c CREATE Archive
        S: c OK CREATE completed
        C: c UID COPY 3,1 Archive
        S~ c OK \[COPYUID \d+ 1,3 1:2\] COPY completed
        C: c COPY 2 INBOX
        S: * 4 EXISTS
        S: * 3 RECENT
        S~ c OK \[COPYUID \d+ 2 4\] COPY completed
        C: c UID COPY 99 Archive
        S: c OK COPY completed
        """,
    )


async def test_appended_message_is_there_with_flags_and_date(tmp_path: Path) -> None:
    await talk(
        tmp_path,
        r"""
        C: c APPEND INBOX (\Seen \Draft) "17-Jul-1996 02:44:25 -0700" {7}
        S: + go on
        C: a: b
        C~ \r\n
        S: * 4 EXISTS
        S: * 3 RECENT
        S~ c OK \[APPENDUID \d+ 4\] APPEND completed
        C: c FETCH 4 (FLAGS INTERNALDATE RFC822.SIZE)
        S~ .*FLAGS \(\\Draft \\Seen\) INTERNALDATE "17-Jul-1996 09:44:25 .* 7\)
        S: c OK FETCH completed
        C: c APPEND {5+}
        C: INBOX {3+}
        C: a:b
        S: * 5 EXISTS
        S: * 4 RECENT
        S~ c OK \[APPENDUID \d+ 5\] APPEND completed
        """,
    )


@pytest.mark.parametrize(
    ("script", "answer"),
    [
        ("C: c APPEND Nowhere {7}", "c NO [TRYCREATE] no such mailbox"),
        ("C: c APPEND Nowhere {3+}\nC: abc", "c NO [TRYCREATE] no such mailbox"),
        ("C: c APPEND a*b {7}", "c BAD unknown command, or not in this state"),
        ('C: c APPEND "a*b" {7}', "c NO invalid mailbox name"),
        (
            "C: c APPEND INBOX ($Junk) {7}",
            "c NO [CANNOT] keywords are not kept here",
        ),
        (
            f"C: c APPEND INBOX {{{MAX_MESSAGE + 1}}}",
            "c NO [TOOBIG] message too large",
        ),
        ("C: c APPEND INBOX {3+}\nC~ a\\0b\\r\\n", "c BAD no literal may contain NUL"),
        (
            "C: c APPEND INBOX {3+}\nC: abc {5+}\nC~ b NO!\\r\\n",
            "c BAD one message at a time",
        ),
        ("C: c APPEND INBOX", "c BAD unknown command, or not in this state"),
    ],
)
async def test_append_that_cannot_be_is_refused(
    tmp_path: Path, script: str, answer: str
) -> None:
    await talk(tmp_path, f"{script}\nS: {answer}\nC: d NOOP\nS: d OK NOOP completed")
    inbox = tmp_path / "7" / "alice@example.org"
    assert len(messages_in(inbox)) == 3
    assert not list((inbox / "tmp").iterdir())


async def test_half_a_message_is_none(tmp_path: Path) -> None:
    await play(tmp_path, "imap", "C: c APPEND INBOX {9+}\nC~ half")
    inbox = tmp_path / "7" / "alice@example.org"
    assert messages_in(inbox) == []
    assert not list((inbox / "tmp").iterdir())


async def test_mailboxes_are_made_listed_and_removed(tmp_path: Path) -> None:
    await play(
        tmp_path,
        "imap",
        r"""
        C: c CREATE a/b/
        S: c OK CREATE completed
        C: c CREATE a/b
        S: c NO [ALREADYEXISTS] mailbox exists
        C: c CREATE inbox
        S: c NO [ALREADYEXISTS] mailbox exists
        C: c DELETE a
        S: c OK DELETE completed
        C: c LIST "" *
        S: * LIST () "/" "INBOX"
        S: * LIST (\Noselect) "/" "a"
        S: * LIST () "/" "a/b"
        S: c OK LIST completed
        C: c LIST "" %
        S: * LIST () "/" "INBOX"
        S: * LIST (\Noselect) "/" "a"
        S: c OK LIST completed
        C: c LIST a/ "%"
        S: * LIST () "/" "a/b"
        S: c OK LIST completed
        C: c LIST "" ""
        S: * LIST (\Noselect) "/" ""
        S: c OK LIST completed
        C: c LIST "" inbox
        S: * LIST () "/" "INBOX"
        S: c OK LIST completed
        C: c RENAME a/b c
        S: c OK RENAME completed
        C: c RENAME INBOX d
        S: c NO [CANNOT] this mailbox cannot be renamed so
        C: c DELETE INBOX
        S: c NO [CANNOT] INBOX cannot be deleted
        C: c DELETE nowhere
        S: c NO [NONEXISTENT] no such mailbox
        C: c SELECT nowhere
        S: c NO [NONEXISTENT] no such mailbox
        C: c CREATE "../x"
        S: c OK CREATE completed
        C: c LIST "" "*x"
        S: * LIST () "/" "../x"
        S: c OK LIST completed
        C: c NAMESPACE
        S: * NAMESPACE (("" "/")) NIL NIL
        S: c OK NAMESPACE completed
        """,
    )


async def test_subscriptions_outlive_their_mailboxes(tmp_path: Path) -> None:
    await play(
        tmp_path,
        "imap",
        r"""
        C: c LSUB "" *
        S: * LSUB () "/" "INBOX"
        S: c OK LSUB completed
        C: c SUBSCRIBE a/b
        S: c OK SUBSCRIBE completed
        C: c UNSUBSCRIBE INBOX
        S: c OK UNSUBSCRIBE completed
        C: c LSUB "" *
        S: * LSUB () "/" "a/b"
        S: c OK LSUB completed
        C: c LSUB "" %
        S: * LSUB (\Noselect) "/" "a"
        S: c OK LSUB completed
        """,
    )


@pytest.mark.parametrize(
    "command",
    [
        "XYZZY",
        "UID",
        "UID NOOP",
        "FETCH",
        "FETCH 0 FLAGS",
        "FETCH 1 (FLAGS",
        "FETCH 1 FLAGS x",
        "FETCH 1 BODY[MIME]",
        "FETCH 1 BODY[1.0]",
        "FETCH 1 BODY[HEADER.FIELDS ()]",
        "FETCH 1 BODY[]<1>",
        "FETCH 1 X",
        "STORE 1 \\Seen",
        "STORE 1 FLAGS (",
        "SEARCH",
        "SEARCH (",
        "SEARCH NOT",
        "SEARCH SINCE 31-Feb-2020",
        "SEARCH " + "(" * 60 + "ALL" + ")" * 60,
        "SEARCH " + "ALL " * 600 + "ALL",
        "LIST x",
        "STATUS INBOX ()x",
        "STATUS INBOX (SIZE)",
        "IDLE x",
        "ID",
        "COPY 1",
    ],
)
async def test_what_is_no_command_is_bad(tmp_path: Path, command: str) -> None:
    await talk(tmp_path, f"C: c {command}\nS~ c BAD .*\nC: d NOOP\nS~ d OK .*")


async def test_line_without_a_tag_is_answered_without_one(tmp_path: Path) -> None:
    script = "C: +\nS~ \\* BAD .*\nC: ( {7+}\nC~ c NOOP!\\r\\nd NOOP\\r\\n"
    await talk(tmp_path, script + "\nS~ \\* BAD .*\nS: d OK NOOP completed")


@pytest.mark.parametrize("said", ["x" * 65_536, "c LOGIN {65537+}\\r\\n"])
async def test_what_cannot_be_refused_ends_the_conversation(
    tmp_path: Path, said: str
) -> None:
    ours, theirs = memory_stream_pair()
    inbox_at(tmp_path)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(mailbox_at(tmp_path).serve, theirs, "imap")
        client = Client(ours)
        await client.play(LOGIN["imap"] + f"C~ {said}\nS: * BYE too long")
        assert await ours.receive_some() == b""


async def test_sessions_tell_each_other_when_they_may(tmp_path: Path) -> None:
    inbox_at(tmp_path, ONE, TWO, THREE)
    mailbox = mailbox_at(tmp_path)
    ours, theirs = zip(memory_stream_pair(), memory_stream_pair(), strict=True)
    async with trio.open_nursery() as nursery:
        for stream in theirs:
            nursery.start_soon(mailbox.serve, stream, "imap")
        one, other = map(Client, ours)
        await one.play(LOGIN["imap"] + SELECT)
        await other.play(LOGIN["imap"] + SELECT.replace("3 RECENT", "0 RECENT"))
        await other.play(r"""
            C: c STORE 1 +FLAGS.SILENT \Deleted
            S: c OK STORE completed
            C: c STORE 2 +FLAGS.SILENT \Answered
            S: c OK STORE completed
            C: c EXPUNGE
            S: * 1 EXPUNGE
            S: c OK EXPUNGE completed
            """)
        await one.play(r"""
            C: c FETCH 1 FLAGS
            S: * 1 FETCH (FLAGS (\Recent))
            S: * 2 FETCH (UID 2 FLAGS (\Answered \Recent))
            S: c OK FETCH completed
            C: c FETCH 1:2 (UID BODY.PEEK[TEXT])
            S: * 2 FETCH (UID 2 BODY[TEXT] {4}
            S: 22
            S: )
            S: c NO [EXPUNGEISSUED] some of the messages are gone
            C: c NOOP
            S: * 1 EXPUNGE
            S: c OK NOOP completed
            C: c LOGOUT
            S: * BYE logging out
            S: c OK LOGOUT completed
            """)
        await ours[1].aclose()


@pytest.mark.parametrize("anew", ["", "C: b CREATE a\nS: b OK CREATE completed\n"])
async def test_mailbox_that_another_has_deleted_is_left(
    tmp_path: Path, anew: str
) -> None:
    mailbox = mailbox_at(tmp_path)
    inbox_at(tmp_path)
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(mailbox.serve, theirs, "imap")
        client = Client(ours)
        await client.play(LOGIN["imap"] + "C: b CREATE a\nS: b OK CREATE completed")
        await client.play("C: b SELECT a" + "\nS~ [*] .*" * 6 + "\nS~ b OK .*")
        delete = "C: b DELETE a\nS: b OK DELETE completed\n"
        await converse(mailbox, "imap", LOGIN["imap"] + delete + anew)
        await client.play("C: b NOOP\nS: * BYE the mailbox was deleted")
        assert await ours.receive_some() == b""


async def test_mailbox_may_be_deleted_by_who_is_in_it(tmp_path: Path) -> None:
    await play(
        tmp_path,
        "imap",
        "C: b CREATE a\nS: b OK CREATE completed\nC: b SELECT a"
        + "\nS~ [*] .*" * 6
        + """
        S: b OK [READ-WRITE] SELECT completed
        C: b DELETE a
        S: b OK DELETE completed
        C: b FETCH 1 FLAGS
        S: b BAD unknown command, or not in this state
        """,
    )


@pytest.fixture
def patient_clock() -> MockClock:
    """Jump over waits, but leave the threads that look at the disk their time."""
    return MockClock(autojump_threshold=0.05)


async def test_idle_client_is_told_of_mail_from_anywhere(
    tmp_path: Path, patient_clock: MockClock
) -> None:
    inbox = inbox_at(tmp_path, ONE, TWO, THREE)
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(mailbox_at(tmp_path).serve, theirs, "imap")
        client = Client(ours)
        await client.play(LOGIN["imap"] + SELECT + "C: c IDLE\nS: + idling")
        for count in (4, 5):
            draft = Draft(inbox)
            draft.deliver([inbox])
            draft.discard()
            asked = trio.current_time()
            await client.play(f"S: * {count} EXISTS\nS: * {count} RECENT")
            assert trio.current_time() - asked <= 2
        (inbox / "cur").joinpath(next((inbox / "cur").iterdir()).name).unlink()
        await client.play("S~ [*] [1-5] EXPUNGE\nC: DONE\nS: c OK IDLE completed")
        await client.play("C: c IDLE\nS: + idling\nC: X\nS: c BAD DONE expected")
        await ours.aclose()
