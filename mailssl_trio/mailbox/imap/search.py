"""SEARCH (RFC 3501 section 6.4.4): keys become predicates, predicates find messages."""

from collections.abc import Iterable, Mapping

from mailssl_trio.mailbox.folder import Message
from mailssl_trio.mailbox.imap import search_keys
from mailssl_trio.mailbox.imap.arguments import FLAG, Arguments
from mailssl_trio.mailbox.imap.dates import parse_date
from mailssl_trio.mailbox.imap.search_keys import Candidate, Predicate
from mailssl_trio.mailbox.imap.sequence import parse_sequence_set
from mailssl_trio.mailbox.imap.view import View
from mailssl_trio.mailbox.maildir import Flag

MAX_DEPTH = 50  # of parentheses, NOT and OR
MAX_KEYS = 500

CHARSETS = {b"US-ASCII", b"UTF-8"}

FLAG_KEYS: Mapping[bytes, Predicate] = {
    b"ALL": lambda _: True,
    b"RECENT": lambda candidate: candidate.recent,
    b"OLD": lambda candidate: not candidate.recent,
    b"NEW": lambda candidate: candidate.recent and not _has(candidate, Flag.SEEN),
}


def parse_search(arguments: Arguments, view: View) -> Predicate | None:
    """Read what to look for; None if it is in a charset we do not know."""
    if arguments.word_is(b"CHARSET "):
        if arguments.astring().upper() not in CHARSETS:
            return None
        arguments.space()
    program = _Keys(arguments, view).conjunction(MAX_DEPTH)
    arguments.end()
    return program


def search(
    program: Predicate, view: View, messages: Iterable[tuple[int, Message]]
) -> list[int]:
    """Return the numbers of the messages that are looked for. Blocks."""
    return [
        number for number, message in messages if _fits(program, view, number, message)
    ]


class _Keys:
    """Reads search keys; each method returns what the key asks of a message."""

    def __init__(self, arguments: Arguments, view: View) -> None:
        self.arguments = arguments
        self.view = view
        self.keys_left = MAX_KEYS

    def conjunction(self, depth: int) -> Predicate:
        keys = [self.key(depth)]
        while self.arguments.skip(b" "):
            keys.append(self.key(depth))
        return lambda candidate: all(key(candidate) for key in keys)

    def key(self, depth: int) -> Predicate:
        self.keys_left -= 1
        if depth == 0 or self.keys_left < 0:
            raise self.arguments.fault("too large a search")
        if self.arguments.skip(b"("):
            keys = self.conjunction(depth - 1)
            self.arguments.expect(b")")
            return keys
        if (
            self.arguments.peek(b"*")
            or self.arguments.text[self.arguments.at :][:1].isdigit()
        ):
            return self.numbers(by_uid=False)
        word = self.arguments.word()
        if word in FLAG_KEYS:
            return FLAG_KEYS[word]
        if word.removeprefix(b"UN").decode() in Flag.__members__:
            return _flag(word)
        self.arguments.space()
        return self.composed(word, depth) or self.looked_up(word)

    def composed(self, word: bytes, depth: int) -> Predicate | None:
        """Read a key that is made of others, or of numbers and names."""
        match word:
            case b"NOT":
                denied = self.key(depth - 1)
                return lambda candidate: not denied(candidate)
            case b"OR":
                one = self.key(depth - 1)
                self.arguments.space()
                other = self.key(depth - 1)
                return lambda candidate: one(candidate) or other(candidate)
            case b"UID":
                return self.numbers(by_uid=True)
            case b"KEYWORD" | b"UNKEYWORD":  # no message has one here
                self.arguments.take(FLAG, "keyword")
                return lambda _: word == b"UNKEYWORD"
            case _:
                return None

    def looked_up(self, word: bytes) -> Predicate:
        """Read a key that asks for something in the message."""
        match word:
            case b"BEFORE" | b"ON" | b"SINCE":
                return search_keys.internal_date(word, parse_date(self.arguments))
            case b"SENTBEFORE" | b"SENTON" | b"SENTSINCE":
                return search_keys.sent_date(word[4:], parse_date(self.arguments))
            case b"LARGER" | b"SMALLER":
                return search_keys.size(word, self.arguments.number())
            case b"FROM" | b"TO" | b"CC" | b"BCC" | b"SUBJECT":
                return search_keys.header(word, self.needle())
            case b"HEADER":
                name = self.arguments.astring()
                self.arguments.space()
                return search_keys.header(name, self.needle())
            case b"BODY":
                return search_keys.body(self.needle())
            case b"TEXT":
                return search_keys.text(self.needle())
            case _:
                raise self.arguments.fault("unknown search key")

    def numbers(self, *, by_uid: bool) -> Predicate:
        wanted = parse_sequence_set(self.arguments)
        numbers = self.view.numbers(wanted, by_uid=by_uid)
        if by_uid:
            return lambda candidate: candidate.message.uid in numbers
        return lambda candidate: candidate.number in numbers

    def needle(self) -> str:
        return self.arguments.astring().decode("utf-8", "replace")


def _flag(word: bytes) -> Predicate:
    flag = Flag[word.removeprefix(b"UN").decode()]
    wanted = not word.startswith(b"UN")
    return lambda candidate: _has(candidate, flag) is wanted


def _has(candidate: Candidate, flag: Flag) -> bool:
    return flag in candidate.message.flags


def _fits(program: Predicate, view: View, number: int, message: Message) -> bool:
    recent = message.uid in view.recent
    candidate = Candidate(view.folder, message, number, recent=recent)
    try:
        return program(candidate)
    finally:
        candidate.close()
