"""Play a conversation with the mailbox, as an RFC prints it.

``C: text`` is a line of the client's, ``S: text`` one of the server's, octet by octet.
``C~ text`` has no line end of its own and ``\\r``, ``\\0``, ``\\xNN`` as escapes;
``S~ pattern`` is a regular expression that the whole line must match. Every script is
played whole and in sevens, each time with a mailbox of its own.
"""

import re
from pathlib import Path

import trio
from trio.testing import memory_stream_pair

from mailssl_trio.mailbox.maildir import Draft, make_maildir
from mailssl_trio.mailbox.names import user_directory
from mailssl_trio.mailbox.service import Mailbox
from tests.transcript import sections

PATIENCE = 20
"""Seconds, real or virtual, after which a line will not come any more."""

CUTS = (1 << 20, 7)

ALICE, BOB = b"alice@example.org", b"bob@example.org"

LOGIN = {
    "imap": """
        S~ \\* OK \\[CAPABILITY .*
        C: a LOGIN alice@example.org x
        S~ a OK \\[CAPABILITY .*
        """,
    "pop3": """
        S: +OK mailbox ready
        C: USER alice@example.org
        S: +OK send PASS
        C: PASS x
        S~ \\+OK \\d+ messages
        """,
    "smtp": """
        S: 220 mx.example.org ESMTP mailbox ready
        C: HELO client
        S: 250 mx.example.org
        C: AUTH PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHg=
        S: 235 2.7.0 Authentication successful
        """,
}


def mailbox_at(directory: Path) -> Mailbox:
    """Open the mailbox of alice and bob."""

    async def users() -> frozenset[bytes]:
        return frozenset({ALICE, BOB})

    return Mailbox(directory, users, "mx.example.org")


def inbox_at(directory: Path, *messages: bytes, user: bytes = ALICE) -> Path:
    """Make an INBOX that holds these messages, and no welcome."""
    inbox = directory / user_directory(user)
    make_maildir(inbox)
    for message in messages:
        draft = Draft(inbox)
        draft.write(message)
        draft.deliver([inbox], date=0)
        draft.discard()
    return inbox


def messages_in(inbox: Path) -> list[bytes]:
    """Return what an INBOX holds, in the order of arrival."""
    files = [*(inbox / "new").iterdir(), *(inbox / "cur").iterdir()]
    return [file.read_bytes() for file in sorted(files, key=lambda file: file.name)]


def crlf(text: str) -> bytes:
    """Return a message as it travels."""
    return text.replace("\n", "\r\n").encode()


async def play(
    directory: Path, protocol: str, script: str, *messages: bytes, login: bool = True
) -> None:
    """Play a script with a mailbox whose only user has these messages."""
    for cut in CUTS:
        place = directory / str(cut)
        inbox_at(place, *messages)
        await converse(
            mailbox_at(place),
            protocol,
            (LOGIN[protocol] if login else "") + script,
            cut,
        )


async def converse(
    mailbox: Mailbox, protocol: str, script: str, cut: int = 1 << 20
) -> None:
    """Play a script with a mailbox."""
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(mailbox.serve, theirs, protocol)
        await Client(ours).play(script, cut)
        await ours.aclose()


class Client:
    """The client's side of a conversation."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream
        self.received = b""

    async def play(self, script: str, cut: int = 1 << 20) -> None:
        """Say what is the client's, and hear what must be the server's."""
        said = b""
        for line in filter(None, map(str.lstrip, script.splitlines())):
            match line[:2]:
                case "C:":
                    said += line[3:].encode() + b"\r\n"
                case "C~":
                    raw = line[3:].encode().decode("unicode_escape")
                    said += raw.encode("latin-1")
                case "S:" | "S~":
                    await self.say(said, cut)
                    said = b""
                    await self.hear(line)
                case _:
                    raise AssertionError(line)
        await self.say(said, cut)

    async def say(self, data: bytes, cut: int) -> None:
        """Send octets in pieces."""
        for piece in sections(data, cut):
            await self.stream.send_all(piece)

    async def hear(self, line: str) -> None:
        """Read a line, which must be this one."""
        heard = await self.read_line()
        if line[1] == ":":
            assert heard == line[3:], heard
        else:
            assert re.fullmatch(line[3:], heard), heard

    async def read_line(self) -> str:
        """Return the next line of the server's."""
        with trio.fail_after(PATIENCE):
            while b"\r\n" not in self.received:
                data = await self.stream.receive_some()
                assert data, f"the server left after {self.received!r}"
                self.received += data
        line, _, self.received = self.received.partition(b"\r\n")
        return line.decode("latin-1")
