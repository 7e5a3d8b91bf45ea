"""Lines as nginx's error log has them, which people have written filters for."""

from mailssl_trio.logs.nginx_words import where, words
from mailssl_trio.observer import (
    Admitted,
    Ended,
    Happening,
    LoginFailed,
    ProxyRefused,
    Relayed,
    Subject,
)

MAX_TEXT = 2048  # nginx's


def like_nginx(subject: Subject, happening: Happening) -> str | None:
    """Write a line; None where there is none to write."""
    match happening:
        case Admitted() | LoginFailed() | Ended() | ProxyRefused() | Relayed():
            _, text = words(subject, happening)
            text = f"*{subject.number} {text}, {where(subject)}"[:MAX_TEXT]
            return f"{text}, session: {subject.session}"
        case _:
            return None
