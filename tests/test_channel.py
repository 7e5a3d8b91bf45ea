"""The channel: whole messages or none, of any size, and nobody held up."""

import socket
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from mailssl_trio.channel import (
    QUEUED_LINES,
    Channel,
    ChannelError,
    decode,
    encode,
)
from mailssl_trio.files import Files
from mailssl_trio.messages import (
    Configure,
    Door,
    End,
    Failed,
    HandedFile,
    HandedHost,
    Leaves,
    Message,
    RandomKeys,
    Renew,
    ReplaceTicketKeys,
    Retire,
    Serving,
    Stop,
    handed_down,
)

SECRET = b"\0\xff-----BEGIN PRIVATE KEY-----"
FILE = HandedFile(Path("/etc/k\udcff.pem"), SECRET, 0o400, b"\1" * 32)
KEYS = (RandomKeys(300, ("00ff", "aa")),)

MESSAGES: tuple[Message, ...] = (
    Configure(
        Path("conf/mail.toml"),
        Path("/var"),
        (FILE,),
        (Door(0, False, 3), Door(1, True, 4)),
        Path("/dev/shm/z"),
        KEYS,
        hosts=(HandedHost("proxies.test", ("192.0.2.7", "2001:db8::7")),),
    ),
    Configure(Path("m"), Path("/var"), (), ()),
    Renew((FILE, FILE)),
    ReplaceTicketKeys(KEYS),
    Retire(),
    Stop(patient=True),
    End(),
    Serving(),
    Leaves(),
    Failed("no such “file”\n", denied=True),
)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda it: type(it).__name__)
def test_message_arrives_as_it_was_sent(message: Message) -> None:
    line = encode(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line) == message


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"v": 2, "type": "retire"}', "version 2 is spoken, not 1"),
        (b'{"type": "retire"}', "not a message"),
        (b'{"v": 1}', "not a message"),
        (b'{"v": 1, "type": "failed"}', "not a message"),
        (b'{"v": 1, "type": "files", "files": [{"path": "/k"}]}', "not a message"),
        (b'{"v": 1, "type": "ticket_keys", "ticket_keys": 7}', "not a message"),
        (b"[]", "not a message"),
        (b"\xff", "not a message"),
        (b"[" * 100_000, "not a message"),
        (b"", "not a message"),
    ],
)
def test_line_that_is_no_message_is_refused(line: bytes, why: str) -> None:
    with pytest.raises(ChannelError, match=why):
        decode(line)


def test_message_of_an_unknown_type_and_an_unknown_key_are_passed_over() -> None:
    assert decode(b'{"v": 1, "type": "novelty", "x": 1}') is None
    assert decode(b'{"v": 1, "type": "retire", "x": 1}') == Retire()


def test_secrets_are_in_no_repr_and_in_no_error() -> None:
    for message in MESSAGES:
        assert "PRIVATE" not in repr(message)
        assert "00ff" not in repr(message)
    line = encode(Renew((FILE,))).replace(b'"mode"', b'"mood"')
    with pytest.raises(ChannelError) as refused:
        decode(line)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    assert str(refused.value) == "not a message"


def test_hosts_are_asked_of_the_supervisor_not_of_dns() -> None:
    hosts = Files(hosts={"proxies.test": ("192.0.2.7",)})
    theirs = handed_down((), HandedHost.of(hosts))
    assert theirs.addresses("proxies.test") == ("192.0.2.7",)
    with pytest.raises(OSError, match="not handed down"):
        theirs.addresses("localhost")


def test_what_is_handed_down_is_read_instead_of_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(SECRET)
    path.chmod(0o600)
    files = Files()
    files.read(path)
    path.write_bytes(b"renewed")
    theirs = handed_down(HandedFile.of(files, files.known))
    assert theirs.read(path) == files.read(path)
    assert theirs.origin(path) == files.origin(path)
    with pytest.raises(FileNotFoundError):
        theirs.read(tmp_path / "another")


def ends(max_line: int = 2**24) -> tuple[Channel, Channel]:
    ours, theirs = socket.socketpair()
    return Channel(ours), Channel(theirs, max_line=max_line)


async def test_large_message_and_small_ones_arrive_in_their_order() -> None:
    ours, theirs = ends()
    large = Renew((HandedFile(Path("/ca.pem"), b"x" * 4_000_000, 0o644, b""),))
    async with ours.stream, theirs.stream, trio.open_nursery() as nursery:
        nursery.start_soon(ours.write)
        for message in (Retire(), large, Serving()):
            assert ours.send(encode(message))
        heard = [await theirs.receive() for _ in range(3)]
        ours.finish()
    assert heard == [Retire(), large, Serving()]


async def test_end_of_the_other_side_is_the_end() -> None:
    ours, theirs = ends()
    async with theirs.stream, trio.open_nursery() as nursery:
        nursery.start_soon(ours.write)
        ours.send(encode(Serving()))
        assert await theirs.receive() == Serving()
        await ours.stream.aclose()
        assert await theirs.receive() is None
        nursery.cancel_scope.cancel()


async def test_half_a_message_is_none() -> None:
    ours, theirs = ends()
    async with theirs.stream:
        await ours.stream.send_all(encode(Serving())[:-1])
        await ours.stream.aclose()
        assert await theirs.receive() is None


async def test_line_without_end_is_refused() -> None:
    ours, theirs = ends(max_line=1000)
    async with ours.stream, theirs.stream:
        await ours.stream.send_all(b"x" * 5000)
        with pytest.raises(ChannelError, match="more than 1000 octets"):
            await theirs.receive()


async def test_who_does_not_listen_loses_and_holds_up_nobody(
    autojump_clock: MockClock,
) -> None:
    """The socket takes some; the queue takes so many; then the sender is told."""
    ours, theirs = ends()
    line = encode(Failed("x" * 100_000))
    async with ours.stream, theirs.stream, trio.open_nursery() as nursery:
        nursery.start_soon(ours.write)
        taken = 0
        while ours.send(line):
            taken += 1
            await trio.lowlevel.checkpoint()
            assert taken < QUEUED_LINES + 100
        assert taken >= QUEUED_LINES
        nursery.cancel_scope.cancel()
