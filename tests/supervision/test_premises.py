"""What all workers have in common is looked after where no worker does it."""

import os
import shutil
import time
from pathlib import Path

import trio
from attrs import evolve
from trio.testing import MockClock

from mailssl_trio.config.load import load
from mailssl_trio.files import Files
from mailssl_trio.supervision.judging import Judged, judge
from mailssl_trio.supervision.premises import COLLECTION, Premises
from mailssl_trio.tls.sessions.shared_zone import SharedZone

SHIPPED = Path(__file__).parents[2] / "conf" / "mail.toml"


def _judged(state_directory: Path) -> Judged:
    """The shipped configuration, on ports that are free."""
    files = Files()
    config = load(SHIPPED, state_directory=state_directory, files=files)
    anywhere = tuple(
        evolve(server, listens=(evolve(server.listens[0], port=0),))
        for server in config.servers
    )
    return judge(evolve(config, servers=anywhere), files)


async def test_sessions_that_a_reload_left_to_nobody_go_in_time(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    judged = _judged(tmp_path)
    config = evolve(judged.config, servers=())
    premises = Premises()
    told = await premises.prepare(judged)
    assert told.zones is not None
    zone = SharedZone(told.zones, "SSL", 2**20)
    zone.store(b"id", b"session", time.time() + 300)
    zone.close()
    (part,) = told.zones.glob("*.mdb")
    os.utime(part, (0, time.time() - 1))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(premises.collect, config)
        await trio.sleep(1.5 * COLLECTION)
        nursery.cancel_scope.cancel()
    assert not part.exists()
    premises.close()
    assert not told.zones.exists()


async def test_zones_that_somebody_has_removed_are_there_again_after_a_reload(
    tmp_path: Path,
) -> None:
    judged = _judged(tmp_path)
    premises = Premises()
    before = (await premises.prepare(judged)).zones
    assert before is not None
    shutil.rmtree(before)
    after = (await premises.prepare(judged)).zones
    assert after is not None
    assert after.is_dir()
    assert (await premises.prepare(judged)).zones == after
    premises.close()
    assert not after.exists()
