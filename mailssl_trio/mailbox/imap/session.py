"""IMAP4rev1 (RFC 3501): the states of a conversation, and who speaks in them."""

from mailssl_trio.mailbox.account import Account, FolderExistsError
from mailssl_trio.mailbox.folder import NoSuchFolderError
from mailssl_trio.mailbox.imap import result
from mailssl_trio.mailbox.imap.append import Append
from mailssl_trio.mailbox.imap.arguments import Arguments, BadSyntaxError
from mailssl_trio.mailbox.imap.command import Command, read_command
from mailssl_trio.mailbox.imap.flags import KeywordError
from mailssl_trio.mailbox.imap.folders import Folders
from mailssl_trio.mailbox.imap.idle import idle
from mailssl_trio.mailbox.imap.result import Result, bad, no, ok
from mailssl_trio.mailbox.imap.selected import Selected
from mailssl_trio.mailbox.imap.view import View
from mailssl_trio.mailbox.login import MAX_LOGIN_LINE, authenticate, user_named
from mailssl_trio.mailbox.names import BadNameError, folder_name
from mailssl_trio.mailbox.store import Store
from mailssl_trio.mailbox.wire import Wire
from mailssl_trio.protocol.engine import HangUp, LineTooLongError
from mailssl_trio.protocol.events import Goodbye

BEFORE_LOGIN = b"IMAP4rev1 SASL-IR LITERAL+ AUTH=PLAIN ID"
AFTER_LOGIN = b"IMAP4rev1 LITERAL+ ID IDLE UIDPLUS NAMESPACE"

NO_EXPUNGE = {b"FETCH", b"STORE", b"SEARCH"}
"""Commands behind which no EXPUNGE may come (RFC 3501 section 7.4.1)."""


class ImapSession:
    """A conversation from greeting to LOGOUT."""

    def __init__(self, wire: Wire, store: Store) -> None:
        self.wire = wire
        self.store = store
        self.account: Account | None = None
        self.view: View | None = None

    async def serve(self) -> None:
        """Speak until the client logs out; HangUp if it leaves without."""
        try:
            await self.converse()
        except LineTooLongError:
            await self.wire.write(b"* BYE too long\r\n")
            raise HangUp(Goodbye.LINE_TOO_LONG) from None

    async def converse(self) -> None:
        """Answer commands up to LOGOUT."""
        await self.wire.write(b"* OK [CAPABILITY %b] mailbox ready\r\n" % BEFORE_LOGIN)
        verb = b""
        while verb != b"LOGOUT":
            command = await read_command(self.wire)
            verb = command.verb
            answer = await self.result(command)
            await self.tell_changes(verb)
            await self.wire.write(answer.line(command.tag))

    async def tell_changes(self, verb: bytes) -> None:
        """Tell what has changed in the selected mailbox, by whose hand ever."""
        if self.view is None or verb == b"LOGOUT":
            return
        try:
            changes = await self.view.update(may_expunge=verb not in NO_EXPUNGE)
        except NoSuchFolderError:
            self.view = None
            if verb in {b"DELETE", b"RENAME"}:  # by its own hand
                return
            await self.wire.write(b"* BYE the mailbox was deleted\r\n")
            raise HangUp(Goodbye.QUIT) from None
        await self.wire.write(changes)

    async def result(self, command: Command) -> Result:
        """Perform a command; say what came of it, in the words of RFC 5530."""
        try:
            return await self.perform(command)
        except BadSyntaxError as fault:
            return bad(str(fault).encode())
        except BadNameError as fault:
            return no(b"[CANNOT] " + str(fault).encode())
        except KeywordError:
            return result.KEYWORD
        except NoSuchFolderError:
            return result.NO_SUCH_FOLDER
        except FolderExistsError:
            return result.EXISTS
        except OSError:
            return result.UNAVAILABLE

    async def perform(self, command: Command) -> Result:
        """Perform what every state allows, or what this one does."""
        match command.verb:
            case b"CAPABILITY":
                command.arguments.end()
                words = AFTER_LOGIN if self.account else BEFORE_LOGIN
                await self.wire.write(b"* CAPABILITY %b\r\n" % words)
            case b"NOOP":
                command.arguments.end()
            case b"ID":
                command.arguments.space()
                command.arguments.id_parameters()
                await self.wire.write(b'* ID ("name" "mailssl_trio")\r\n')
            case b"LOGOUT":
                command.arguments.end()
                await self.wire.write(b"* BYE logging out\r\n")
            case _ if self.account is None:
                return await self.before_login(command)
            case _:
                return await self.after_login(command, self.account)
        return ok(command.verb + b" completed")

    async def before_login(self, command: Command) -> Result:
        """LOGIN and AUTHENTICATE, RFC 3501 section 6.2 and RFC 4959."""
        arguments = command.arguments
        match command.verb:
            case b"LOGIN":
                arguments.space()
                user = user_named(arguments.astring())
                arguments.space()
                arguments.astring()  # the gateway has judged it
                arguments.end()
                return await self.log_in(user)
            case b"AUTHENTICATE":
                arguments.space()
                mechanism, _, initial = arguments.rest().partition(b" ")
                user = await authenticate(mechanism, initial or None, self.ask)
                return await self.log_in(user)
            case _:
                return result.UNKNOWN

    async def ask(self, challenge: bytes) -> bytes:
        """Put a SASL challenge, and return the line that answers it."""
        await self.wire.write(b"+ " + challenge + b"\r\n")
        return await self.wire.read_line(MAX_LOGIN_LINE)

    async def log_in(self, user: bytes | None) -> Result:
        """Open the mailbox of a user."""
        if user is None:
            return no(b"[AUTHENTICATIONFAILED] no user")
        self.account = await self.store.open(user)
        return ok(b"[CAPABILITY %b] logged in" % AFTER_LOGIN)

    async def after_login(self, command: Command, account: Account) -> Result:
        """Pass a command to whom it concerns."""
        wire, disk = self.wire, self.store.disk
        match command.verb, self.view:
            case (b"SELECT" | b"EXAMINE") as verb, _:
                return await self.select(verb, command.arguments, account)
            case b"APPEND", _ if command.target and command.message:
                append = Append(wire, disk, account)
                return await append.perform(command.target, command.message)
            case b"IDLE", view:
                command.arguments.end()
                return await idle(wire, view)
            case b"CLOSE", View() as view:
                command.arguments.end()
                self.view = None
                return await Selected(wire, disk, account, view).close()
            case verb, View() as view if verb in Selected.VERBS:
                selected = Selected(wire, disk, account, view)
                return await selected.perform(verb, command.arguments)
            case verb, _:
                return await Folders(wire, disk, account).perform(
                    verb, command.arguments
                )

    async def select(
        self, verb: bytes, arguments: Arguments, account: Account
    ) -> Result:
        """SELECT and EXAMINE, RFC 3501 sections 6.3.1 and 6.3.2."""
        self.view = None
        arguments.space()
        name = folder_name(arguments.astring())
        arguments.end()
        disk = self.store.disk
        folder = await disk.run(account.folder, name)
        view = View(disk, folder, read_only=verb == b"EXAMINE")
        await self.wire.write(await view.select())
        self.view = view
        access = b"[READ-ONLY]" if view.read_only else b"[READ-WRITE]"
        return ok(b"%b %b completed" % (access, verb))
