"""A bug that is no connection's own ends the process: another takes its place."""

from itertools import count
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from mailssl_trio import server
from mailssl_trio.transport import listening, parked
from tests.faults.awaits import Kind, Places, Watch, only, places
from tests.faults.scenes import SCENES
from tests.faults.stage import innermost, staged
from tests.faults.test_faults import OF_A_WORKER
from tests.logs.opened import open_error_log

WATCHED: Places = {
    name: {
        at: place
        for at, place in offsets.items()
        if place.kind is Kind.AWAIT
        and (
            place.file != "server.py"
            or place.function.removeprefix("Server.") in OF_A_WORKER[:3]
        )
    }
    for name, offsets in places(server, listening, parked).items()
}

pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),  # the process's end
]


async def test_bug_of_nobodys_is_not_held_in(
    tmp_path: Path, mock_clock: MockClock
) -> None:
    mock_clock.autojump_threshold = 0
    directories = (_made(tmp_path / str(number)) for number in count())
    everything = await _play(next(directories), Watch(WATCHED))
    assert {place.file for place in everything.reached} == {
        "listening.py", "parked.py", "server.py",
    }  # fmt: skip
    for place in everything.reached:
        watch = Watch(only(WATCHED, place), place)
        with pytest.raises(BaseExceptionGroup) as ended, trio.fail_after(3600):
            await _play(next(directories), watch)
        assert any(str(place) in str(bug) for bug in innermost(ended.value)), place


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory


async def _play(directory: Path, watch: Watch) -> Watch:
    with open_error_log(directory / "error.log", "warn") as log, watch.on():
        async with staged(SCENES[0], log, directory) as stage:
            await stage.play()
    return watch
