"""How IMAP writes the arguments of commands: by the RFC, and as people type them."""

import re

from attrs import frozen

# One or more ASTRING-CHAR, in a tag without "+".
_TAG = rb"([!#$&',-\[\]-z|}~]+)"
# In an argument also what people type unquoted: wildcards and octets above ASCII.
_ATOM = rb"(?P<atom>[!#-'*-\[\]-z|}~\x80-\xff]+)"
_QUOTED = rb'"(?P<quoted>(?:[^"\\\0\r]|\\["\\])*)"'
_ANNOUNCEMENT = rb"\{(?P<size>[0-9]+)(?P<plus>\+?)\}\Z"

COMMAND = re.compile(_TAG + rb"(?: +([^ ]+)| *\Z)")
ANNOUNCEMENT = re.compile(_ANNOUNCEMENT)


@frozen
class Notation:
    """What a string may look like, and where."""

    token: re.Pattern[bytes]
    literal: re.Pattern[bytes]
    """An announcement that stands where a string may."""


STRICT = Notation(  # RFC 9051 section 9
    re.compile(
        rb" *(?:(?P<close>\))|(?<=[ (])(?:(?P<open>\()|%b|%b))" % (_QUOTED, _ATOM)
    ),
    re.compile(rb"(?<=[ (])" + _ANNOUNCEMENT),
)

# Users choose passwords without the RFC at hand, clients send them as they are, and
# nginx understands them. So a word is all that stands between two spaces, unless it
# begins like a string of another form, or ends in what brings octets unasked; and a
# quoted string ends at a quote, never at the end of the line: it may be half a secret.
_WORD = rb'(?P<atom>(?!["{])(?:(?!\{[0-9]+\+\}\Z)[^ \0\r])+)'
_ANY_ESCAPED = rb'"(?P<quoted>(?:[^"\\\0\r]|\\[^\0\r])*)"'

AS_TYPED = Notation(
    re.compile(rb' *(?<=[ "])(?:%b|%b)' % (_ANY_ESCAPED, _WORD)),
    re.compile(rb"(?<= )" + _ANNOUNCEMENT),
)

TYPED = frozenset({b"LOGIN", b"NOOP", b"CAPABILITY", b"LOGOUT"})
"""LOGIN, and the commands whose arguments are passed over."""


def notation(verb: bytes) -> Notation:
    """Return how the arguments of a command may be written."""
    return AS_TYPED if verb in TYPED else STRICT
