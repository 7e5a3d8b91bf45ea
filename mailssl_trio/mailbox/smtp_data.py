"""The message behind DATA, on its way to the disk (RFC 5321 section 4.1.1.4)."""

from collections.abc import Sequence
from enum import Enum
from errno import EDQUOT, ENOSPC

import trio

from mailssl_trio.mailbox.disk import Disk
from mailssl_trio.mailbox.folder import Folder
from mailssl_trio.mailbox.maildir import Draft
from mailssl_trio.mailbox.transparency import DotUnstuffing
from mailssl_trio.mailbox.wire import Wire

MAX_MESSAGE = 64 * 1024 * 1024

DISCARD_TIME = 5.0
"""Seconds to let go of a message that did not come whole."""


class Outcome(Enum):
    """What became of a message; the value is the reply (RFC 3463)."""

    DELIVERED = "250 2.0.0 Delivered"
    TOO_LARGE = "552 5.3.4 Message too large"
    NOT_TEXT = "550 5.6.0 Bare CR, bare LF or NUL in the message"
    DISK_FULL = "452 4.3.1 No space left"
    DISK_BROKEN = "451 4.3.0 The disk refuses"


async def take_message(
    wire: Wire, disk: Disk, draft: Draft, trace: bytes, inboxes: Sequence[Folder]
) -> Outcome:
    """Read a message to its true end, and deliver it to all inboxes."""
    try:
        await wire.write(b"354 End data with <CR><LF>.<CR><LF>\r\n")
        outcome = await _receive(wire, disk, draft, trace)
        if outcome is Outcome.DELIVERED:
            outcome = await disk.run(_deliver, draft, inboxes)
        return outcome
    finally:
        with trio.move_on_after(DISCARD_TIME, shield=True):
            await disk.run(draft.discard)


async def _receive(wire: Wire, disk: Disk, draft: Draft, trace: bytes) -> Outcome:
    text = DotUnstuffing()
    outcome = await disk.run(_write, draft, trace)
    size = 0
    while not text.is_over:
        octets = text.receive(await wire.read_some())
        size += len(octets)
        if size > MAX_MESSAGE:
            outcome = Outcome.TOO_LARGE
        elif not text.is_clean:
            outcome = Outcome.NOT_TEXT
        elif outcome is Outcome.DELIVERED:
            outcome = await disk.run(_write, draft, octets)
    wire.push_back(text.rest)
    return outcome


def open_draft(inboxes: Sequence[Folder]) -> Draft | Outcome:
    """Begin a message. Blocks."""
    try:
        return Draft(inboxes[0].path)
    except OSError as trouble:
        return _trouble(trouble)


def _write(draft: Draft, octets: bytes) -> Outcome:
    try:
        draft.write(octets)
    except OSError as trouble:
        return _trouble(trouble)
    return Outcome.DELIVERED


def _deliver(draft: Draft, inboxes: Sequence[Folder]) -> Outcome:
    try:
        draft.deliver([inbox.path for inbox in inboxes])
    except OSError as trouble:
        return _trouble(trouble)
    return Outcome.DELIVERED


def _trouble(trouble: OSError) -> Outcome:
    full = trouble.errno in {ENOSPC, EDQUOT}
    return Outcome.DISK_FULL if full else Outcome.DISK_BROKEN
