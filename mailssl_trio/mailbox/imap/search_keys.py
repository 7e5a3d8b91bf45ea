"""The search keys that look into a message (RFC 3501 section 6.4.4)."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from email.utils import parsedate
from functools import cached_property
from operator import eq, ge, lt
from typing import TypeAlias

from mailssl_trio.mailbox.folder import Folder, Message
from mailssl_trio.mailbox.imap.answer import Content
from mailssl_trio.mailbox.text import header_text, header_texts, says, texts_of


class Candidate:
    """A message that may be what is looked for; opened only if a key needs it."""

    def __init__(
        self, folder: Folder, message: Message, number: int, *, recent: bool
    ) -> None:
        self.folder = folder
        self.message = message
        self.number = number
        self.recent = recent

    @cached_property
    def content(self) -> Content | None:
        """The message itself; None if it is gone."""
        file = self.folder.open(self.message)
        return Content(file) if file else None

    def close(self) -> None:
        """Let go of the file, if it was opened."""
        if (content := self.__dict__.get("content")) is not None:
            content.file.close()


Predicate: TypeAlias = Callable[[Candidate], bool]
InContent: TypeAlias = Callable[[Content], bool]

COMPARISON: Mapping[bytes, Callable[[date, date], bool]] = {
    b"BEFORE": lt,
    b"ON": eq,
    b"SINCE": ge,
}


def in_content(test: InContent) -> Predicate:
    """Ask a question of the message itself; who is gone says no to all."""
    return lambda candidate: candidate.content is not None and test(candidate.content)


def internal_date(word: bytes, day: date) -> Predicate:
    """BEFORE, ON, SINCE: the internal date, in UTC as we write it."""
    compare = COMPARISON[word]
    return in_content(lambda content: compare(_internal_date(content), day))


def sent_date(word: bytes, day: date) -> Predicate:
    """SENTBEFORE, SENTON, SENTSINCE: the Date field, whatever its time zone."""
    compare = COMPARISON[word]

    def test(content: Content) -> bool:
        sent = _sent_date(content)
        return sent is not None and compare(sent, day)

    return in_content(test)


def size(word: bytes, octets: int) -> Predicate:
    """LARGER and SMALLER."""
    if word == b"LARGER":
        return in_content(lambda content: content.octets.size > octets)
    return in_content(lambda content: content.octets.size < octets)


def header(name: bytes, needle: str) -> Predicate:
    """HEADER: a field of this name that says this; any such field for nothing."""

    def test(content: Content) -> bool:
        values = content.fields.all(name.lower())
        return any(says([header_text(value)], needle) for value in values)

    return in_content(test)


def body(needle: str) -> Predicate:
    """BODY: the text of the message, its parts and what they hold."""
    return in_content(
        lambda content: says(texts_of(content.octets, content.root), needle)
    )


def text(needle: str) -> Predicate:
    """TEXT: the header, or the body."""

    def test(content: Content) -> bool:
        return says(header_texts(content.root), needle)

    in_header, in_body = in_content(test), body(needle)
    return lambda candidate: in_header(candidate) or in_body(candidate)


def _internal_date(content: Content) -> date:
    return datetime.fromtimestamp(content.octets.modified, UTC).date()


def _sent_date(content: Content) -> date | None:
    value = content.fields.get(b"date")
    moment = parsedate(value.decode("latin-1")) if value else None
    try:
        return date(*moment[:3]) if moment else None
    except ValueError:
        return None
