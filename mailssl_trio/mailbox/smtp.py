"""SMTP submission (RFC 5321, 6409): from one local user to others, and no further."""

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from secrets import token_hex

from attrs import define, field

from mailssl_trio.mailbox.folder import Folder, NoSuchFolderError
from mailssl_trio.mailbox.login import MAX_LOGIN_LINE, authenticate
from mailssl_trio.mailbox.maildir import Draft
from mailssl_trio.mailbox.names import is_user
from mailssl_trio.mailbox.smtp_data import (
    MAX_MESSAGE,
    Outcome,
    open_draft,
    take_message,
)
from mailssl_trio.mailbox.smtp_path import parse_path
from mailssl_trio.mailbox.store import Store, Users
from mailssl_trio.mailbox.wire import Wire
from mailssl_trio.protocol.engine import HangUp, LineTooLongError
from mailssl_trio.protocol.events import Goodbye

MAX_RECIPIENTS = 100  # RFC 5321 section 4.5.3.1.8

MAIL_PARAMETERS = frozenset({b"SIZE", b"BODY", b"AUTH"})  # RFC 1870, 6152, 4954
NO_PARAMETERS: frozenset[bytes] = frozenset()

CLIENT_NAME = re.compile(rb"[!-'*-~]{1,255}")
"""What may stand in a Received field: nothing that ends a line or a comment."""


@define
class Transaction:
    """One mail: who sends it, and to whom."""

    sender: bytes
    recipients: list[bytes] = field(factory=list)


class SmtpSession:
    """A conversation from greeting to QUIT."""

    def __init__(self, wire: Wire, store: Store, users: Users) -> None:
        self.wire = wire
        self.store = store
        self.users = users
        self.client_name = b""
        self.user: bytes | None = None
        self.mail: Transaction | None = None

    async def serve(self) -> None:
        """Speak until the client quits; HangUp if it leaves without."""
        await self.reply(f"220 {self.store.server_name} ESMTP mailbox ready")
        verb = b""
        try:
            while verb != b"QUIT":
                line = await self.wire.read_line(MAX_LOGIN_LINE)
                verb, _, argument = line.partition(b" ")
                verb = verb.upper()
                await self.perform(verb, argument.strip(b" "))
        except LineTooLongError:
            await self.reply("500 5.5.2 Line too long")
            raise HangUp(Goodbye.LINE_TOO_LONG) from None

    async def perform(self, verb: bytes, argument: bytes) -> None:
        """Do what may be asked at any time, or what belongs to a mail."""
        match verb:
            case b"EHLO" | b"HELO":
                await self.hello(verb, argument)
            case b"NOOP":
                await self.reply("250 2.0.0 Ok")
            case b"RSET":
                self.mail = None
                await self.reply("250 2.0.0 Ok")
            case b"QUIT":
                await self.reply("221 2.0.0 Bye")
            case b"VRFY":
                await self.reply("252 2.5.0 Send some mail, I will try my best")
            case b"HELP":
                await self.reply("214 2.0.0 RFC 5321 tells all")
            case _:
                await self.perform_mail(verb, argument)

    async def perform_mail(self, verb: bytes, argument: bytes) -> None:
        """Log in, and take a mail from who has."""
        match verb:
            case b"AUTH" if self.client_name and self.user is None:
                await self.auth(argument)
            case b"AUTH":
                await self.reply("503 5.5.1 AUTH once, and after EHLO")
            case b"MAIL" | b"RCPT" | b"DATA" if self.user is None:
                await self.reply("530 5.7.0 Authentication required")
            case b"MAIL":
                await self.mail_from(argument, self.user or b"")
            case b"RCPT":
                await self.rcpt_to(argument)
            case b"DATA":
                await self.data(argument)
            case _:
                await self.reply("500 5.5.2 Command not recognized")

    async def hello(self, verb: bytes, argument: bytes) -> None:
        """EHLO and HELO, RFC 5321 section 4.1.1.1; either forgets a mail."""
        if not CLIENT_NAME.fullmatch(argument):
            await self.reply("501 5.5.4 Say who you are")
            return
        self.client_name = argument
        self.mail = None
        lines = [self.store.server_name]
        if verb == b"EHLO":
            lines += ["8BITMIME", f"SIZE {MAX_MESSAGE}", "PIPELINING"]
            lines += ["ENHANCEDSTATUSCODES", "AUTH PLAIN LOGIN"]
        for line in lines[:-1]:
            await self.reply(f"250-{line}")
        await self.reply(f"250 {lines[-1]}")

    async def auth(self, argument: bytes) -> None:
        """AUTH, RFC 4954 section 4."""
        mechanism, _, initial = argument.partition(b" ")
        user = await authenticate(mechanism, initial or None, self.ask)
        if not user:
            await self.reply("535 5.7.8 Authentication failed")
            return
        self.user = user.lower()
        await self.reply("235 2.7.0 Authentication successful")

    async def mail_from(self, argument: bytes, user: bytes) -> None:
        """MAIL, RFC 5321 section 4.1.1.2; everyone sends as himself (RFC 6409, 6.1)."""
        path = parse_path(argument, b"FROM")
        if self.mail or not self.client_name:
            await self.reply("503 5.5.1 Not now")
        elif path is None:
            await self.reply("501 5.5.4 Syntax: MAIL FROM:<address>")
        elif path.has_other_than(MAIL_PARAMETERS) or not path.is_8bit_at_most:
            await self.reply("555 5.5.4 Unknown parameter")
        elif path.size > MAX_MESSAGE:
            await self.reply(Outcome.TOO_LARGE.value)
        elif path.address != user:
            await self.reply("550 5.7.1 Not your address")
        else:
            self.mail = Transaction(path.address)
            await self.reply("250 2.1.0 Ok")

    async def rcpt_to(self, argument: bytes) -> None:
        """RCPT, RFC 5321 section 4.1.1.3: local users, whoever asks."""
        path = parse_path(argument, b"TO")
        if self.mail is None:
            await self.reply("503 5.5.1 MAIL first")
        elif path is None:
            await self.reply("501 5.5.4 Syntax: RCPT TO:<address>")
        elif path.has_other_than(NO_PARAMETERS):
            await self.reply("555 5.5.4 Unknown parameter")
        elif not await self.is_local(path.address):
            await self.reply("550 5.1.1 No such user here")
        elif len(self.mail.recipients) >= MAX_RECIPIENTS:
            await self.reply("452 4.5.3 Too many recipients")
        else:
            self.mail.recipients.append(path.address)
            await self.reply("250 2.1.5 Ok")

    async def data(self, argument: bytes) -> None:
        """DATA, RFC 5321 section 4.1.1.4: 250 means that the mail is there to stay."""
        mail = self.mail
        if mail is None or not mail.recipients or argument:
            await self.reply("503 5.5.1 MAIL and RCPT first")
            return
        self.mail = None
        disk = self.store.disk
        recipients = dict.fromkeys(mail.recipients)
        try:
            inboxes = [await self.inbox(name) for name in recipients]
        except (OSError, NoSuchFolderError):
            await self.reply(Outcome.DISK_BROKEN.value)
            return
        outcome = await disk.run(open_draft, inboxes)
        if isinstance(outcome, Draft):
            trace = self.trace(mail)
            outcome = await take_message(self.wire, disk, outcome, trace, inboxes)
        await self.reply(outcome.value)

    async def is_local(self, address: bytes) -> bool:
        """Whether mail for an address stays here; no other is taken."""
        return is_user(address) and address in await self.users()

    async def inbox(self, user: bytes) -> Folder:
        """Return a recipient's INBOX, made if this is the first mail."""
        account = await self.store.open(user)
        return await self.store.disk.run(account.folder, "INBOX")

    def trace(self, mail: Transaction) -> bytes:
        """Write Return-Path and Received (RFC 5321 section 4.4, RFC 3848)."""
        lines = (
            b"Return-Path: <%b>" % mail.sender,
            b"Received: from %b" % self.client_name,
            f"\tby {self.store.server_name} with ESMTPA id {token_hex(8)};".encode(),
            f"\t{format_datetime(datetime.now(UTC))}".encode(),
        )
        return b"".join(line + b"\r\n" for line in lines)

    async def ask(self, challenge: bytes) -> bytes:
        """Put a SASL challenge, and return the line that answers it."""
        await self.wire.write(b"334 " + challenge + b"\r\n")
        return await self.wire.read_line(MAX_LOGIN_LINE)

    async def reply(self, text: str) -> None:
        """Send a line of a reply."""
        await self.wire.write(text.encode() + b"\r\n")
