"""The first message of every INBOX."""

from datetime import UTC, datetime
from email.utils import format_datetime, make_msgid

TEXT = """\
From: mailssl_trio <postmaster@{server_name}>
To: {user}
Subject: Welcome to mailssl_trio
Date: {date}
Message-ID: {message_id}
MIME-Version: 1.0
Content-Type: text/plain; charset=us-ascii

This mailbox lives inside the gateway that you have just logged in through. It is
there for trying things out: what you submit over SMTP to another user of this
gateway arrives in that user's INBOX, and can be read over IMAP and POP3.

To reach real mailboxes, set proxy_pass to a mail server of your own.
"""


def welcome_message(user: bytes, server_name: str) -> bytes:
    """Return a message to greet a user with."""
    address = user.decode("ascii", "replace")
    text = TEXT.format(
        server_name=server_name,
        user=address if address.isprintable() and address.isascii() else "you",
        date=format_datetime(datetime.now(UTC)),
        message_id=make_msgid(domain=server_name),
    )
    return text.replace("\n", "\r\n").encode("ascii")
