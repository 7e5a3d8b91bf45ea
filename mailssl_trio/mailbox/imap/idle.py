"""IDLE (RFC 2177): tell of new mail while the client waits."""

import trio

from mailssl_trio.mailbox.imap.command import MAX_LINE
from mailssl_trio.mailbox.imap.result import Result, bad, ok
from mailssl_trio.mailbox.imap.view import View
from mailssl_trio.mailbox.wire import Wire

NOT_DONE = bad(b"DONE expected")

INTERVAL = 1.0
"""Seconds between two looks: mail may come by another process's hand."""


async def idle(wire: Wire, view: View | None) -> Result:
    """Tell what happens until the client says DONE."""
    await wire.write(b"+ idling\r\n")
    while True:
        await wire.flush()  # a read may be cancelled, a send may not
        with trio.move_on_after(INTERVAL):
            line = await wire.read_line(MAX_LINE)
            return ok(b"IDLE completed") if line.upper() == b"DONE" else NOT_DONE
        if view:
            await wire.write(await view.update(may_expunge=True))
