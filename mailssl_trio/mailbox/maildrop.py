"""A POP3 maildrop: an INBOX as it was at login, and what is to be deleted in it."""

from attrs import frozen

from mailssl_trio.mailbox.folder import Folder, Message
from mailssl_trio.mailbox.mime import header_of
from mailssl_trio.mailbox.octets import Extent, Octets


@frozen
class Item:
    """A message in a maildrop, by the number it has for one session."""

    number: int
    message: Message
    size: int
    unique_id: str
    """Never another message's (RFC 1939 section 7)."""


class Maildrop:
    """What one session sees (RFC 1939 section 4). All its calls block."""

    def __init__(self, inbox: Folder) -> None:
        self._inbox = inbox
        self._deleted: set[int] = set()
        self._items: dict[int, Item] = {}
        snapshot = inbox.look()
        for message in snapshot.messages:
            if file := inbox.open(message):
                with file:
                    size = Octets(file).size
                number = len(self._items) + 1
                unique_id = f"{snapshot.validity}.{message.uid}"
                self._items[number] = Item(number, message, size, unique_id)

    @property
    def items(self) -> list[Item]:
        """What is there and not marked as deleted."""
        return [self._items[n] for n in self._items if n not in self._deleted]

    def item(self, number: int) -> Item | None:
        """Return a message, unless it is none or marked as deleted."""
        return None if number in self._deleted else self._items.get(number)

    def mark_deleted(self, item: Item) -> None:
        """Have a message removed when the session ends as it should."""
        self._deleted.add(item.number)

    def reset(self) -> None:
        """Have nothing removed."""
        self._deleted.clear()

    def update(self) -> None:
        """Remove what is marked: the UPDATE state (RFC 1939 section 6)."""
        uids = {self._items[number].message.uid for number in self._deleted}
        if uids:
            self._inbox.remove(uids, only_deleted=False)

    def open(self, item: Item) -> Octets | None:
        """Open a message; None if another session has removed it."""
        file = self._inbox.open(item.message)
        return Octets(file) if file else None


def top(octets: Octets, lines: int | None) -> Extent:
    """Return the header and so many lines of the body, or all (RFC 1939 section 7)."""
    whole = Extent(0, octets.size)
    if lines is None:
        return whole
    header = header_of(octets, whole)
    return Extent(0, octets.end_of_lines(Extent(header.end, whole.end), lines))
