"""A bug at any await of a connection ends that connection, in order, and no other."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from trio.testing import MockClock

from mailssl_trio import admission, client_life, gateway, mail_session, server
from mailssl_trio.transport import (
    client_names,
    connecting,
    connection,
    dial,
    listening,
    parked,
    proxied,
    relay,
    secure,
    wire,
)
from tests.faults.awaits import Await, Kind, Places, Watch, only, places
from tests.faults.peers import Client
from tests.faults.scenes import SCENES
from tests.faults.stage import Scene, Stage, is_ours, staged, way_of
from tests.logs.opened import open_error_log

MODULES = (
    gateway, server, client_life, admission, mail_session,
    client_names, connecting, connection, dial,
    listening, parked, proxied, relay, secure, wire,
)  # fmt: skip

OF_A_WORKER = ("run", "_accept", "_watch", "_end")
"""What of a server belongs to no connection; so do the modules below. The last has a
backend that has been parted with, and whose end begins there."""

OF_ALL = {"listening.py", "parked.py"}


HOLDS = {"Wire.__init__", "Connection.close", "Connection.let_go"}
"""What has a descriptor that nobody else knows of."""


def is_of_a_connection(place: Await) -> bool:
    """Whether a bug there may end one connection alone; else it ends the process.

    The functions of a server are what holds bugs in, so there it is only the awaits.
    """
    if place.file == "server.py":
        function = place.function.removeprefix("Server.")
        return place.kind is not Kind.BEGIN and function not in OF_A_WORKER
    begins = place.kind is Kind.BEGIN
    return place.file not in OF_ALL and not (begins and place.function in HOLDS)


RARE = {
    ("Dialer._announce", "aclose_forcefully"),  # gone between two system calls
    ("SecureStream.shake_hands", "wait_send_all_might_not_block"),  # no room for it
    ("SecureStream._when_readable", "wait_send_all_might_not_block"),  # TLS 1.2's
    ("SecureStream.say_end", "wait_send_all_might_not_block"),  # no room for an alert
    ("SecureStream.wait_send_all_might_not_block", "self._room"),  # who reads as well
    ("Server._serve", "self._relay"),  # too much behind a login to be sent at once
}
"""What no peer of ours can bring about."""

IN_A_HANDSHAKE = {"_start_tls", "upgrade", "shake_hands"}

APOLOGIES = {
    "imap": b"* BYE [SERVERBUG] internal server error\r\n",
    "pop3": b"-ERR [SYS/TEMP] internal server error\r\n",
    "smtp": b"421 4.3.0 mx internal server error\r\n",
}

pytestmark = pytest.mark.filterwarnings(
    "ignore:coroutine .* was never awaited:RuntimeWarning"
)


@pytest.fixture(scope="module")
def watched() -> Places:
    everything = places(*MODULES).items()
    return {
        name: {at: place for at, place in offsets.items() if is_of_a_connection(place)}
        for name, offsets in everything
    }


class Ground:
    """What has been covered."""

    def __init__(self) -> None:
        self.places: set[Await] = set()


@pytest.fixture(scope="module")
def ground() -> Ground:
    return Ground()


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
async def test_bug_ends_one_connection_and_no_other(
    scene: Scene,
    watched: Places,
    ground: Ground,
    tmp_path: Path,
    mock_clock: MockClock,
) -> None:
    mock_clock.autojump_threshold = scene.moment
    async with stage_with_log(scene, tmp_path) as stage:
        reached = await come_by(stage, watched)
        known = set() if scene.is_whole else set(ground.places)
        ground.places |= reached.keys()
        assert await problems(stage, watched, samples(reached, known)) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
async def test_bug_at_any_moment_ends_one_connection_and_no_other(
    scene: Scene, watched: Places, tmp_path: Path, mock_clock: MockClock
) -> None:
    mock_clock.autojump_threshold = scene.moment
    async with stage_with_log(scene, tmp_path) as stage:
        reached = await come_by(stage, watched)
        always = ((p, nth) for p in sorted(reached) for nth in range(1, reached[p] + 1))
        assert await problems(stage, watched, always) == []


@asynccontextmanager
async def stage_with_log(scene: Scene, directory: Path) -> AsyncIterator[Stage]:
    """Set a stage; in the end the log must have told of each bug once."""
    file = directory / "error.log"
    with open_error_log(file, "warn") as log:
        async with staged(scene, log, directory) as stage:
            yield stage
    assert file.read_text().count("[crit]") == stage.ear.bugs_in_all


async def problems(
    stage: Stage, watched: Places, moments: Iterable[tuple[Await, int]]
) -> list[str]:
    """Play a scene with a bug at each of some moments; return what has gone wrong."""
    found: list[str] = []
    for place, nth in moments:
        watch = Watch(only(watched, place), place, nth)
        with watch.on():
            client = await stage.play()
            wrong = await stage.left_behind()
        if not watch.is_raised and nth > 1:
            continue  # how often that happens is a matter of time
        wrong += judged(stage, client, watch)
        if not await stage.neighbour_is_well():
            wrong.append("the neighbour has suffered")
        found += (f"{place} ({nth}): {each}" for each in wrong)
    return found


async def come_by(stage: Stage, watched: Places) -> Counter[Await]:
    """Play a scene without a bug of ours; return how often it has come by where."""
    with Watch(watched).on() as watch:
        client = await stage.play()
        assert (left := await stage.left_behind()) == [], left
    assert len(stage.ear.bugs) == stage.scene.bugs, stage.ear.bugs
    assert client.end
    assert await stage.neighbour_is_well()
    return watch.reached


def samples(reached: Counter[Await], known: set[Await]) -> Iterator[tuple[Await, int]]:
    """Yield every place that is new, for the first time and for the last."""
    for place in sorted(reached.keys() - known):
        last = 1 if place.kind is Kind.BEGIN else reached[place]
        for nth in sorted({1, last}):
            yield place, nth


def judged(stage: Stage, client: Client, watch: Watch) -> Iterator[str]:
    """Yield what is wrong with how a client was treated that met a bug."""
    if not watch.is_raised:
        yield "it was not come by"
        return
    ours = [bug for bug in stage.ear.bugs if is_ours(bug)]
    if len(ours) != 1 or len(stage.ear.bugs) > stage.scene.bugs + 1:
        yield f"the bugs that were told are {stage.ear.bugs}"
    if not client.end:
        yield "the client was not let go"
    if client.end and not is_told_why(stage, client, ours[0]):
        yield f"its last words are {client.last_words[-80:]!r}"


def is_told_why(stage: Stage, client: Client, bug: Exception) -> bool:
    """Whether a client was told in words, or could not be."""
    before, scene = stage.ear.events_before, stage.scene
    if any(event.startswith(("closed", "relayed finished")) for event in before):
        return True  # it was over
    if any(event.startswith("logged in") for event in before):
        return (
            client.end == "broken"
            or not scene.tells_cuts
            or client.last_words.endswith(APOLOGIES[client.protocol])
        )
    if "connected" not in before or "_until_login" not in way_of(bug):
        return True  # nobody was there yet who could say anything
    if scene.bugs or not scene.reads:
        return True  # the bug was in the words, or nobody has heard them
    if client.is_shaking_hands or (scene.implicit and not client.is_secured):
        return True  # no words would be understood
    if way_of(bug) & IN_A_HANDSHAKE:
        return True
    return client.last_words.endswith((APOLOGIES[client.protocol], b"+OK bye\r\n"))


def test_scenes_have_come_by_every_await(watched: Places, ground: Ground) -> None:
    everywhere = {place for offsets in watched.values() for place in offsets.values()}
    missed = {
        f"{place}"
        for place in everywhere - ground.places
        if place.kind is not Kind.BEGIN
        and not any(place.function == f and call in place.text for f, call in RARE)
    }
    assert missed == set()
