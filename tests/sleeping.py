"""Sessions are carried here as a server carries them: asleep while nobody speaks."""

import trio

from mailssl_trio.mail_session import MailSession
from mailssl_trio.transport.parked import Parked, Sleeper
from mailssl_trio.transport.relay import Ending, Relay


async def _sleep(relay: Relay) -> None:
    """Wait until somebody speaks, or the time is over."""
    parked, woken = Parked(), trio.Event()
    parked.park(Sleeper(relay, relay.pass_on, woken.set))
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(parked.watch)
            await woken.wait()
            nursery.cancel_scope.cancel()
    finally:
        parked.close()


async def to_the_end(session: MailSession) -> None:
    """Carry a session to its end."""
    while not await session.live():
        await _sleep(session._relay)


async def relay_to_the_end(relay: Relay) -> Ending:
    """Relay to the end."""
    while (ending := await relay.run()) is None:
        await _sleep(relay)
    return ending
