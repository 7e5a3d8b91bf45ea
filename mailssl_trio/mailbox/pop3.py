"""POP3 (RFC 1939, 2449, 5034): the states AUTHORIZATION, TRANSACTION and UPDATE."""

from collections.abc import Iterable

from mailssl_trio.mailbox.folder import NoSuchFolderError
from mailssl_trio.mailbox.login import MAX_LOGIN_LINE, authenticate, user_named
from mailssl_trio.mailbox.maildrop import Item, Maildrop, top
from mailssl_trio.mailbox.names import BadNameError
from mailssl_trio.mailbox.octets import Octets
from mailssl_trio.mailbox.store import Store
from mailssl_trio.mailbox.transparency import DotStuffing
from mailssl_trio.mailbox.wire import CHUNK, Wire
from mailssl_trio.protocol.engine import HangUp, LineTooLongError
from mailssl_trio.protocol.events import Goodbye
from mailssl_trio.protocol.pop3.grammar import Command, parse_command

CAPABILITIES = (
    "TOP",
    "UIDL",
    "USER",
    "SASL PLAIN",
    "RESP-CODES",
    "PIPELINING",
    "IMPLEMENTATION mailssl_trio",
)


class Pop3Session:
    """A conversation from greeting to QUIT."""

    def __init__(self, wire: Wire, store: Store) -> None:
        self.wire = wire
        self.store = store

    async def serve(self) -> None:
        """Speak until the client quits; HangUp if it leaves without."""
        await self.ok("mailbox ready")
        try:
            if maildrop := await self.authorization():
                await self.transaction(maildrop)
        except LineTooLongError:
            await self.fail("line too long")
            raise HangUp(Goodbye.LINE_TOO_LONG) from None
        except (OSError, NoSuchFolderError):
            await self.fail("[SYS/TEMP] the disk refuses")

    async def authorization(self) -> Maildrop | None:
        """Return the maildrop of the user who logs in; None for a client that quits."""
        user: bytes | None = None
        while True:
            match await self.read_command():
                case Command(b"QUIT", b""):
                    await self.ok("bye")
                    return None
                case Command(b"CAPA", b""):
                    await self.listing("capabilities", CAPABILITIES)
                case Command(b"USER", name) if name:
                    user = user_named(name)
                    await self.ok("send PASS")
                case Command(b"PASS" | b"AUTH" as verb, argument):
                    if maildrop := await self.log_in(verb, argument, user):
                        return maildrop
                case _:
                    await self.fail("unknown command, or not before login")

    async def log_in(
        self, verb: bytes, argument: bytes, user: bytes | None
    ) -> Maildrop | None:
        """Open the maildrop of who says PASS, or AUTH (RFC 5034 section 4)."""
        if verb == b"AUTH":
            mechanism, _, initial = argument.partition(b" ")
            user = await authenticate(mechanism, initial or None, self.ask)
        try:
            account = await self.store.open(user or b"")
        except BadNameError:
            await self.fail("[AUTH] no such user")
            return None
        inbox = await self.store.disk.run(account.folder, "INBOX")
        maildrop = await self.store.disk.run(Maildrop, inbox)
        await self.ok(f"{len(maildrop.items)} messages")
        return maildrop

    async def transaction(self, maildrop: Maildrop) -> None:
        """Speak until QUIT, and only then delete what is marked."""
        while True:
            match await self.read_command():
                case Command(b"QUIT", b""):
                    await self.store.disk.run(maildrop.update)
                    await self.ok("bye")
                    return
                case Command(b"STAT" | b"NOOP" | b"CAPA" | b"RSET" as verb, b""):
                    await self.on_maildrop(maildrop, verb)
                case Command(b"LIST" | b"UIDL" as verb, b""):
                    lines = [_scan(verb, item) for item in maildrop.items]
                    await self.listing(f"{len(lines)} messages", lines)
                case Command(verb, argument):
                    await self.on_message(maildrop, verb, argument)

    async def on_maildrop(self, maildrop: Maildrop, verb: bytes) -> None:
        """Answer what concerns the whole maildrop."""
        match verb:
            case b"CAPA":
                await self.listing("capabilities", CAPABILITIES)
            case b"STAT":
                items = maildrop.items
                await self.ok(f"{len(items)} {sum(item.size for item in items)}")
            case b"RSET":
                maildrop.reset()
                await self.ok("")
            case _:
                await self.ok("")

    async def on_message(
        self, maildrop: Maildrop, verb: bytes, argument: bytes
    ) -> None:
        """Answer what concerns one message."""
        numbers = _numbers(argument)
        item = maildrop.item(numbers[0]) if numbers else None
        match verb, numbers:
            case b"LIST" | b"UIDL" | b"RETR" | b"DELE", [_] if item is None:
                await self.fail("no such message")
            case b"TOP", [_, _] if item is None:
                await self.fail("no such message")
            case b"LIST" | b"UIDL", [_] if item:
                await self.ok(_scan(verb, item))
            case b"RETR", [_] if item:
                await self.retrieve(maildrop, item, None)
            case b"TOP", [_, lines] if item:
                await self.retrieve(maildrop, item, lines)
            case b"DELE", [_] if item:
                maildrop.mark_deleted(item)
                await self.ok("deleted")
            case _:
                await self.fail("unknown command")

    async def retrieve(self, maildrop: Maildrop, item: Item, lines: int | None) -> None:
        """RETR and TOP: send a message a chunk of its file at a time."""
        disk = self.store.disk
        if (octets := await disk.run(maildrop.open, item)) is None:
            await self.fail("message is gone")
            return
        try:
            await self.ok(f"{item.size} octets")
            await self.send(octets, lines)
        finally:
            octets.close()

    async def send(self, octets: Octets, lines: int | None) -> None:
        """Send a file, or the top of it, as the lines of a response."""
        disk = self.store.disk
        stuffing = DotStuffing()
        extent = await disk.run(top, octets, lines)
        for start in range(extent.start, extent.end, CHUNK):
            end = min(start + CHUNK, extent.end)
            try:
                piece = await disk.run(octets.read, start, end)
            except OSError:  # within a response, no word of ours would be understood
                raise HangUp(Goodbye.INTERNAL_ERROR) from None
            await self.wire.write(stuffing.send(piece))
        await self.wire.write(stuffing.end())

    async def ask(self, challenge: bytes) -> bytes:
        """Put a SASL challenge, and return the line that answers it."""
        await self.wire.write(b"+ " + challenge + b"\r\n")
        return await self.wire.read_line(MAX_LOGIN_LINE)

    async def read_command(self) -> Command:
        """Return the next command."""
        return parse_command(await self.wire.read_line(MAX_LOGIN_LINE))

    async def ok(self, text: str) -> None:
        """Say yes."""
        await self.wire.write(f"+OK {text}".rstrip().encode() + b"\r\n")

    async def fail(self, text: str) -> None:
        """Say no."""
        await self.wire.write(f"-ERR {text}\r\n".encode())

    async def listing(self, text: str, lines: Iterable[str]) -> None:
        """Say a multi-line yes; no line of ours begins with a dot."""
        await self.ok(text)
        await self.wire.write("".join(f"{line}\r\n" for line in lines).encode())
        await self.wire.write(b".\r\n")


def _scan(verb: bytes, item: Item) -> str:
    """Write the scan listing, or the unique-id listing, of a message."""
    return f"{item.number} {item.size if verb == b'LIST' else item.unique_id}"


def _numbers(argument: bytes) -> list[int]:
    """Read the numbers of an argument; none at all if it has anything else."""
    words = argument.split(b" ")
    if all(word.isdigit() and len(word) < 10 for word in words):
        return [int(word) for word in words]
    return []
