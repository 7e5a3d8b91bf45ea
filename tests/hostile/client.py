"""The hostile client: it plays a script, and knows what it must hear."""

import re
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from ssl import SSLContext, create_default_context

import trio
from attrs import define, field

from tests.hostile.script import (
    Act,
    End,
    Flood,
    Hear,
    HearLike,
    Judged,
    Offer,
    Relayed,
    Say,
    Step,
    Wait,
)
from tests.hostile.witness import Heard, Patience, SurprisedError
from tests.hostile.words import GREETING, PROBE, UPGRADE

LAST_WORDS = 5.0
"""Seconds that a farewell may take, behind the time that a client has."""

LONGEST_BY_OCTETS = 400
"""What is longer is not sent octet by octet: it would say nothing more."""


@define
class Client:
    """One connection to the gateway."""

    protocol: str
    stream: trio.abc.Stream
    trust: SSLContext
    breathe: Callable[[], Awaitable[None]]
    """Lets the gateway take what was sent."""
    patience: Patience
    cut: int = 0
    by_octets: bool = False
    heard: bytearray = field(factory=bytearray)
    has_ended: bool = False
    born: float = field(factory=trio.current_time)

    async def begin(self, place: str) -> None:
        """Come to the place where the script begins."""
        if place == "tls":
            await self.shake_hands()
        if place == "behind proxy":
            await self.send(b"PROXY UNKNOWN\r\n")
        if place not in {"hello", "proxied"}:
            await self.hear_line(GREETING[self.protocol])
        if place.startswith("upgraded"):
            said, answered = UPGRADE[self.protocol]
            await self.send(said)
            await self.hear(answered)
            await self.shake_hands()

    async def play(self, steps: tuple[Step, ...], heard: Heard) -> None:
        """Play a script, and see that the conversation is not out of step then."""
        for step in steps:
            await self.step(step)
        await self.meet(steps, heard)
        if not self.has_ended and not isinstance(steps[-1], Relayed):
            said, answered = PROBE[self.protocol]
            await self.send(said)
            await self.hear(answered)
        if self.heard:
            raise SurprisedError(f"heard beyond the script: {shown(self.heard)}")

    async def step(self, step: Step) -> None:
        """Do one step of a script."""
        match step:
            case Say(octets):
                await self.say(octets)
            case Flood(octets):
                await self.flood(octets)
            case Offer(protocol):
                await self.offer(protocol)
            case Wait(seconds):
                await trio.sleep(seconds / 60 * self.patience.session)
            case Act(what):
                await self.act(what)
            case _:
                await self.listen(step)

    async def listen(self, step: Step) -> None:
        """Hear what a step says."""
        match step:
            case Hear(octets):
                await self.hear(octets)
            case HearLike(pattern):
                await self.hear_line(pattern)
            case End(pattern, in_time):
                await self.hear_the_end(pattern, in_time=in_time)

    async def meet(self, steps: tuple[Step, ...], heard: Heard) -> None:
        """See that others have heard what they must, and no more."""
        logins = [step.login for step in steps if isinstance(step, Judged)]
        relayed = b"".join(step.octets for step in steps if isinstance(step, Relayed))
        with trio.move_on_after(self.patience.answer):
            await heard.wait_for(len(logins), len(relayed))
        if heard.logins != logins:
            raise SurprisedError(f"judged were {heard.logins}, not {logins}")
        if heard.relayed != relayed:
            raise SurprisedError(f"the backend heard {shown(heard.relayed)}")

    async def say(self, octets: bytes) -> None:
        """Send what a script says, in the pieces that were asked for."""
        if self.by_octets and len(octets) <= LONGEST_BY_OCTETS:
            pieces = [octets[at : at + 1] for at in range(len(octets))]
        else:
            pieces = [*filter(None, (octets[: self.cut], octets[self.cut :]))]
            self.cut = 0
        for number, piece in enumerate(pieces):
            if number:
                await self.breathe()
            await self.send(piece)

    async def send(self, octets: bytes) -> None:
        """Send, and read meanwhile, lest both sides wait for the other to read."""
        async with trio.open_nursery() as nursery:
            if len(octets) > 4096:
                nursery.start_soon(self.read_on)
            with trio.move_on_after(self.patience.life):
                # One that was thrown out already has heard what counts.
                with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                    await self.stream.send_all(octets)
            nursery.cancel_scope.cancel()

    async def flood(self, octets: bytes) -> None:
        """Say it until the gateway has had enough of a client that does not listen."""
        page = octets * (65_536 // len(octets))
        with trio.move_on_after(self.patience.life):
            try:
                while True:
                    await self.stream.send_all(page)
                    await trio.sleep(0.1)
            except trio.BrokenResourceError:
                self.has_ended = True
                self.heard.clear()
                return
        raise SurprisedError("a client that never reads may stay")

    async def act(self, what: str) -> None:
        """Do something else than to talk."""
        match what:
            case "TLS":
                await self.shake_hands()
            case "EOF":
                await self.wire.send_eof()
            case "leaves":
                await trio.aclose_forcefully(self.stream)
                self.has_ended = True
            case "resets":
                linger = struct.pack("ii", 1, 0)
                self.wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                await trio.aclose_forcefully(self.stream)
                self.has_ended = True

    @property
    def wire(self) -> trio.SocketStream:
        """The socket below."""
        stream = self.stream
        if isinstance(stream, trio.SSLStream):
            stream = stream.transport_stream
        assert isinstance(stream, trio.SocketStream)
        return stream

    async def shake_hands(self, context: SSLContext | None = None) -> None:
        """Speak TLS from here on."""
        if self.heard:
            raise SurprisedError(f"heard before TLS: {shown(self.heard)}")
        context = self.trust if context is None else context
        secured = trio.SSLStream(self.stream, context, server_hostname="localhost")
        with trio.fail_after(self.patience.answer):
            await secured.do_handshake()
        self.stream = secured

    async def offer(self, protocol: str) -> None:
        """Offer a protocol by ALPN, which must be refused by the alert for it."""
        context = create_default_context()
        for authority in self.trust.get_ca_certs(binary_form=True):
            context.load_verify_locations(cadata=authority)
        context.set_alpn_protocols([protocol])
        try:
            await self.shake_hands(context)
        except trio.BrokenResourceError as refused:
            if "alert no application protocol" in str(refused.__cause__):
                return
            raise
        raise SurprisedError(f"{protocol} is spoken here")

    async def hear(self, octets: bytes) -> None:
        """Hear exactly this."""
        await self.read_until(lambda: len(self.heard) >= len(octets))
        said = bytes(self.heard[: len(octets)])
        del self.heard[: len(octets)]
        if said != octets:
            raise SurprisedError(f"heard {shown(said)}, not {shown(octets)}")

    async def hear_line(self, pattern: bytes) -> None:
        """Hear a line of this form."""
        await self.read_until(lambda: b"\r\n" in self.heard)
        line, _, rest = bytes(self.heard).partition(b"\r\n")
        self.heard = bytearray(rest)
        if re.fullmatch(pattern, line) is None:
            raise SurprisedError(f"heard {shown(line)}, not {shown(pattern)}")

    async def hear_the_end(self, pattern: bytes, *, in_time: bool) -> None:
        """Hear how the gateway closes, and what it says before."""
        await self.read_until(lambda: self.has_ended, in_time=in_time)
        lasted = trio.current_time() - self.born
        if not self.has_ended:
            raise SurprisedError(f"not closed after {lasted:.1f} s")
        if in_time and not -1 < lasted - self.patience.session < LAST_WORDS:
            raise SurprisedError(f"closed after {lasted:.1f} s")
        if re.fullmatch(pattern, bytes(self.heard), re.DOTALL) is None:
            raise SurprisedError(f"heard {shown(self.heard)} before the end")
        self.heard.clear()

    async def read_until(
        self, enough: Callable[[], bool], *, in_time: bool = False
    ) -> None:
        """Read until it is enough, or takes too long."""
        seconds = self.patience.life if in_time else self.patience.answer
        with trio.move_on_after(seconds):
            while not enough() and not self.has_ended:
                await self.read()

    async def read_on(self) -> None:
        """Read whatever comes."""
        while not self.has_ended:
            await self.read()

    async def read(self) -> None:
        """Read a piece; a connection that was cut has ended as well."""
        try:
            data = await self.stream.receive_some(65_536)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            data = b""
        self.heard += data
        self.has_ended = self.has_ended or not data


def shown(octets: bytes | bytearray) -> str:
    """Write octets so that they fit into a line."""
    return repr(bytes(octets[:300]))
