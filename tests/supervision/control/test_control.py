"""The control socket in one process: who may speak, how long, and of what."""

import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import trio
from attrs import define, field
from trio.testing import MockClock

from mailssl_trio.building import StartError
from mailssl_trio.config.model import Config
from mailssl_trio.limits.ledger import Ledger
from mailssl_trio.supervision.control.control import MOST_VISITORS, Control
from mailssl_trio.supervision.control.program import Program
from mailssl_trio.supervision.control.request import MAX_LINE
from mailssl_trio.supervision.control.visitor import (
    READING_PATIENCE,
    REQUEST_PATIENCE,
)
from mailssl_trio.supervision.reloading import Reloads


@define
class Stage:
    """A program without workers, and what was asked of it."""

    path: Path
    reloads: Reloads = field(factory=Reloads)
    ledger: Ledger = field(factory=lambda: Ledger(lambda _: None))
    asked: list[str] = field(factory=list)
    bugs: list[Exception] = field(factory=list)

    @property
    def program(self) -> Program:
        async def reopen() -> None:
            if self.bugs:
                raise self.bugs.pop()
            self.asked.append("reopen")

        return Program(
            served=lambda: None,
            generations=tuple,
            reloads=self.reloads,
            ledger=self.ledger,
            is_stopping=lambda: "stop" in self.asked,
            stop=lambda: self.asked.append("stop"),
            reopen=reopen,
        )

    def config(self, path: Path | None = None, *, is_default: bool = False) -> Config:
        """Return a configuration that says where the socket is, and nothing else."""
        return Config(
            file=Path("mail.toml"),
            state_directory=Path(),
            error_log=(),
            worker_shutdown_timeout=None,
            worker_processes=1,
            pid=None,
            servers=(),
            development_certificate=False,
            control=path or self.path,
            control_is_default=is_default,
        )

    async def visit(self) -> trio.SocketStream:
        """Come to the socket."""
        return await trio.open_unix_socket(str(self.path))


def silently(_level: str, _text: str) -> None:
    """Write a line nowhere."""


@pytest.fixture
def stage() -> Iterator[Stage]:
    with TemporaryDirectory() as directory:
        yield Stage(Path(directory) / "control.sock")


@asynccontextmanager
async def served(stage: Stage) -> AsyncIterator[Control]:
    control = Control(stage.program)
    control.move(control.prepare(stage.config(), silently))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(control.run)
        yield control
        nursery.cancel_scope.cancel()
    assert not stage.path.exists()


async def answers(stage: Stage, request: bytes) -> list[dict[str, object]]:
    """Say something, and hear all that is said to it."""
    async with await stage.visit() as stream:
        await stream.send_all(request)
        await stream.send_eof()
        return [json.loads(line) for line in (await rest(stream)).splitlines()]


async def rest(stream: trio.SocketStream) -> bytes:
    heard = b""
    try:
        while data := bytes(await stream.receive_some()):
            heard += data
    except trio.BrokenResourceError:  # it was cut while there was more to read
        pass
    return heard


def line(**fields: object) -> bytes:
    return json.dumps({"v": 1, **fields}).encode() + b"\n"


REFUSED = [
    b"\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\n",
    b"x" * (MAX_LINE + 100_000),
    b'{"v": 1, "verb": "ban-everybody"}\n',
    line(verb="stop", now=1),
    line(verb="kick"),
    line(verb="kick", network="everything"),
    line(verb="stop", v=2),
    line(verb="ban"),
    line(verb="ban", network="everybody"),
    line(verb="ban", network="10.0.0.0/8", seconds=0),
    line(verb="ban", network="10.0.0.0/8", seconds=-1),
    line(verb="ban", network="10.0.0.0/8", seconds=True),
    line(verb="ban", network="10.0.0.0/8", seconds="1h"),
    line(verb="unban"),
]


@pytest.mark.parametrize("request_", REFUSED)
async def test_wrong_request_is_told_so_and_changes_nothing(
    stage: Stage, request_: bytes
) -> None:
    with trio.fail_after(5):
        async with served(stage):
            (answer,) = await answers(stage, request_)
            assert answer["ok"] is False
            assert answer["error"]
            assert (await answers(stage, line(verb="status")))[-1]["ok"] is True
    assert stage.asked == []
    assert not len(stage.ledger.bans)


async def test_one_request_follows_another(stage: Stage) -> None:
    with trio.fail_after(5):
        async with served(stage):
            said = line(verb="reopen") + line(verb="who") + line(verb="stop", now=True)
            heard = await answers(stage, said)
    assert [answer.get("ok") for answer in heard] == [True, True, None, True]
    assert stage.asked == ["reopen", "stop", "stop"]


async def test_request_without_an_end_is_none(stage: Stage) -> None:
    with trio.fail_after(5):
        async with served(stage):
            assert await answers(stage, line(verb="stop")[:-1]) == []
    assert stage.asked == []


async def test_who_says_nothing_is_sent_away(
    stage: Stage, autojump_clock: MockClock
) -> None:
    async with served(stage), await stage.visit() as stream:
        began = trio.current_time()
        assert await rest(stream) == b""
        assert trio.current_time() - began == pytest.approx(REQUEST_PATIENCE)


async def test_who_does_not_read_is_cut_and_holds_up_nobody(
    stage: Stage, autojump_clock: MockClock
) -> None:
    for number in range(5_000):
        stage.ledger.bans.add(ip_network(number), 10**6)
    async with served(stage), await stage.visit() as deaf:
        await deaf.send_all(line(verb="bans"))
        await trio.sleep(READING_PATIENCE / 2)
        assert (await answers(stage, line(verb="who")))[-1]["ok"] is True
        await trio.sleep(READING_PATIENCE)
        heard = await rest(deaf)
    assert b'"ban"' in heard
    assert b'"ok"' not in heard


async def test_one_too_many_is_told_so_and_others_are_served(stage: Stage) -> None:
    with trio.fail_after(5):
        async with served(stage):
            silent = [await stage.visit() for _ in range(MOST_VISITORS)]
            async with await stage.visit() as stream:
                heard = json.loads(await rest(stream))
                assert heard["error"] == "16 others are being served; try again"
            await silent[0].send_all(line(verb="reopen"))
            assert json.loads(await silent[0].receive_some())["ok"] is True
            async with silent.pop() as leaving:
                await leaving.send_eof()
                assert await rest(leaving) == b""
            assert (await answers(stage, line(verb="who")))[-1]["ok"] is True
            for stream in silent:
                await stream.aclose()


async def test_who_is_neither_root_nor_we_is_refused(stage: Stage) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    with trio.fail_after(10):
        async with served(stage):
            stage.path.parent.chmod(0o755)
            stage.path.chmod(0o666)
            os.seteuid(65534)  # the kernel remembers who connects
            try:
                stream = await stage.visit()
            finally:
                os.seteuid(0)
            async with stream:
                heard = json.loads(await rest(stream))
    assert heard["error"] == "only root and who runs the program may"
    assert stage.asked == []


async def test_reload_is_answered_when_it_is_over(stage: Stage) -> None:
    with trio.fail_after(5):
        async with served(stage), await stage.visit() as stream:
            await stream.send_all(line(verb="reload"))
            await stage.reloads.asked()
            stage.reloads.settle(stage.reloads.begin(), ("m:1: wrong",), 78)
            await stream.send_eof()
            problem, last = map(json.loads, (await rest(stream)).splitlines())
    assert problem["problem"] == "m:1: wrong"
    assert (last["ok"], last["exit_code"]) == (False, 78)


async def test_program_that_stops_does_not_reload(stage: Stage) -> None:
    with trio.fail_after(5):
        async with served(stage):
            stage.asked.append("stop")
            (answer,) = await answers(stage, line(verb="reload"))
    assert answer["error"] == "the program is stopping"


async def test_socket_moves_and_who_is_being_served_stays(stage: Stage) -> None:
    elsewhere = stage.path.with_name("elsewhere.sock")
    with trio.fail_after(5):
        async with served(stage) as control, await stage.visit() as stream:
            await stream.send_all(line(verb="who"))
            await stream.receive_some()
            control.move(control.prepare(stage.config(elsewhere), silently))
            assert not stage.path.exists()
            await stream.send_all(line(verb="who"))
            assert json.loads(await stream.receive_some())["ok"] is True
            stage.path = elsewhere
            assert (await answers(stage, line(verb="who")))[-1]["ok"] is True


async def test_network_is_banned_for_a_time_and_let_in_again(
    stage: Stage, autojump_clock: MockClock
) -> None:
    async with served(stage):
        made, last = await answers(
            stage, line(verb="ban", network="192.0.2.7/24", seconds=60)
        )
        assert last["ok"] is True
        listed, last = await answers(stage, line(verb="bans"))
        assert listed == made
        assert last["found"] == 1
        (ban,) = stage.ledger.bans
        assert str(ban.network) == "192.0.2.0/24"
        assert ban.seconds_left == pytest.approx(60)
        (last,) = await answers(stage, line(verb="unban", network="192.0.2.0/28"))
        assert last["ended"] == 0
        (last,) = await answers(stage, line(verb="unban", network="192.0.0.0/16"))
        assert last["ended"] == 1
        await answers(stage, line(verb="ban", network="2001:db8::1"))
        assert (await answers(stage, line(verb="bans")))[-1]["found"] == 1
        await trio.sleep(3601)
        assert (await answers(stage, line(verb="bans")))[-1]["found"] == 0


async def test_all_bans_are_listed_however_many(stage: Stage) -> None:
    with trio.fail_after(10):
        async with served(stage):
            for number in range(1203):
                stage.ledger.bans.add(ip_network(number), 60)
            *listed, last = await answers(stage, line(verb="bans"))
    assert last["found"] == len(listed) == 1203


async def test_bug_ends_one_visit_and_nothing_else(stage: Stage) -> None:
    stage.bugs.append(ZeroDivisionError())
    with trio.fail_after(5):
        async with served(stage):
            assert await answers(stage, line(verb="reopen")) == []
            assert (await answers(stage, line(verb="reopen")))[-1]["ok"] is True


async def test_default_socket_that_cannot_be_is_a_warning_and_another_a_refusal(
    stage: Stage,
) -> None:
    stage.path.write_text("precious")
    control, said = Control(stage.program), list[tuple[str, str]]()

    def write(level: str, text: str) -> None:
        said.append((level, text))

    with pytest.raises(StartError):
        control.prepare(stage.config(), write)
    assert control.prepare(stage.config(is_default=True), write) is None
    because = f"control: {stage.path} is there, and is no socket"
    assert said == [("warn", f"there is no control socket: {because}")]
