"""What nginx holds against a directive because of what stood before it."""

from attrs import define, field

from mailssl_trio.config.nginx.refusal import Place, RefusedError
from mailssl_trio.config.nginx.statements import Statement
from mailssl_trio.config.nginx.tree import Block
from mailssl_trio.config.nginx.urls import parse_listen
from mailssl_trio.config.nginx.values import Value
from mailssl_trio.config.nginx.vocabulary import Directive, Repeat
from mailssl_trio.config.units import parse_size


@define
class Declared:
    """What there can be once only, in the whole configuration."""

    warnings: list[tuple[Place, str]] = field(factory=list)
    """What nginx would warn of."""
    _sockets: set[str] = field(factory=set)
    _zones: dict[str, int] = field(factory=dict)

    def check_before(
        self, statement: Statement, directive: Directive, block: Block
    ) -> None:
        """Refuse a second directive where there can be one, whatever it says."""
        found = block.entries(statement.name)
        if found and directive.repeat is Repeat.REFUSED:
            text = f'"{statement.name}" directive is duplicate'
            raise RefusedError.at(text, statement.place)

    def take(
        self, statement: Statement, directive: Directive, value: Value, block: Block
    ) -> Value:
        """Return what of a value is new. Raises RefusedError."""
        match statement.name:
            case "listen":
                self._listen(statement)
            case "ssl_session_cache":
                self._declare_zones(statement)
            case "ssl" | "starttls":
                _check_tls_words(statement, value, block)
        if directive.repeat is Repeat.ADDS_NEW and isinstance(value, list):
            return self._without_known(statement, value, block)
        return value

    def _listen(self, statement: Statement) -> None:
        for name in parse_listen(statement.arguments[0]).names:
            if name in self._sockets:
                text = f'duplicate "{name}" address and port pair'
                raise RefusedError.at(text, statement.place)
            self._sockets.add(name)

    def _declare_zones(self, statement: Statement) -> None:
        for word in statement.arguments:
            if not word.startswith("shared:"):
                continue
            _, name, written = word.split(":", 2)
            size = parse_size(written)
            if (known := self._zones.setdefault(name, size)) != size:
                text = (
                    f'the size {size} of shared memory zone "{name}" conflicts'
                    f" with already declared size {known}"
                )
                raise RefusedError.at(text, statement.place)

    def _without_known(
        self, statement: Statement, words: list[str], block: Block
    ) -> list[str]:
        known = [
            word
            for entry in block.entries(statement.name)
            if isinstance(entry.value, list)
            for word in entry.value
        ]
        new: list[str] = []
        for word, written in zip(words, statement.arguments, strict=True):
            if word in known or word in new:
                self.warnings.append((statement.place, f'duplicate value "{written}"'))
            else:
                new.append(word)
        return new


def _check_tls_words(statement: Statement, value: Value, block: Block) -> None:
    """TLS at once and in-line exclude each other, if both are set on one level."""
    starttls = value if statement.name == "starttls" else block.value("starttls")
    ssl = value if statement.name == "ssl" else block.value("ssl")
    if ssl is not True or starttls in {None, "off"}:
        return
    text = '"ssl" directive conflicts with "starttls"'
    if statement.name == "ssl":
        text = '"starttls" directive conflicts with "ssl on"'
    raise RefusedError.at(text, statement.place)
