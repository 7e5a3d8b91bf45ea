"""What a gateway may say before a login, line by line: the form of every reply."""

import re
from collections.abc import Iterator, Mapping

from attrs import frozen

TAG = rb"[!#$&',-\[\]-z|}~]+"


@frozen
class Form:
    """How the lines of a protocol look, and which of them says that a login is done."""

    line: re.Pattern[bytes]
    longest: int
    """Octets of a line, its CRLF included."""
    logged_in: re.Pattern[bytes]
    """Behind it the backend speaks, whose octets are not the gateway's."""
    go_ahead: bytes
    """What only a STARTTLS is answered that nothing follows."""
    last: re.Pattern[bytes]
    """A line behind which something may be awaited, but no line of the same reply."""


FORMS: Mapping[str, Form] = {
    "pop3": Form(  # RFC 1939 section 3, RFC 2449 section 5, RFC 5034 section 4
        re.compile(rb"(?:\+OK|-ERR)(?: [ -~]*)?|\+ [A-Za-z0-9+/=]*|[A-Z][!-~ ]*|\."),
        512,
        re.compile(rb"\+OK [0-9]+ messages"),
        b"+OK begin TLS",
        re.compile(rb"(?:\+OK|-ERR|\+ ).*|\."),
    ),
    "imap": Form(  # RFC 9051 section 7
        re.compile(
            rb"\* (?:OK|BAD|BYE|CAPABILITY|ID) [ -~]+|"
            rb"\+ [ -~]*|(?P<tag>%b) (?:OK|NO|BAD) [ -~]+" % TAG
        ),
        # A tag may be as long as the client likes, up to the line that it stands in.
        12_288 + 100,
        re.compile(rb"[^* ]+ OK \[CAPABILITY .*"),
        b" OK begin TLS",
        re.compile(rb"[^*].*|\* (?:OK|BYE|BAD) .*"),
    ),
    "smtp": Form(  # RFC 5321 sections 4.2 and 4.5.3.1.5
        re.compile(rb"[2345][0-5][0-9][ -][ -~]*"),
        512,
        re.compile(rb"235 2\.7\.0 .*"),
        b"220 2.0.0 Ready",
        re.compile(rb"[0-9]{3} .*"),
    ),
}


def wrongs(protocol: str, sent: bytes, said: bytes, *, cut: bool) -> Iterator[str]:
    """Yield what is wrong with all that was said before a login to one who sent this.

    ``cut`` is a connection that was reset: its last line may have been lost.
    """
    form = FORMS[protocol]
    *lines, rest = said.split(b"\n")
    for nth, line in enumerate(lines):
        text = line.removesuffix(b"\r")
        if wrong := _wrong(form, sent, line):
            yield f"{wrong}: {line[:200]!r} in line {nth + 1}"
        if form.logged_in.fullmatch(text):
            return
    if rest and not cut:
        yield f"a line without an end: {rest[:200]!r}"


def _wrong(form: Form, sent: bytes, line: bytes) -> str:
    text = line.removesuffix(b"\r")
    if text == line:
        return "no CR before LF"
    if len(line) + 1 > form.longest:
        return f"{len(line) + 1} octets"
    if (found := form.line.fullmatch(text)) is None:
        return "no form of a reply"
    tag = found.groupdict().get("tag")
    if tag and tag not in sent:
        return "a tag that nobody has sent"
    return ""
