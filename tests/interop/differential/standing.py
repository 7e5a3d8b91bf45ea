"""Differences that nearly every dialogue has: each has a name, and a rule in one place.

A rule takes the difference out of what we said and did, line by line, so that a table
need not repeat it. What it may take out is said as narrowly as can be.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

Lines: TypeAlias = list[str]

Rule: TypeAlias = Callable[[Lines, Lines], tuple[Lines, Lines]]
"""From nginx's lines and ours to those without this one difference."""

OWN_LINES = frozenset({"RESP-CODES", "AUTH-RESP-CODE"})
OWN_KEYWORDS = frozenset({"PIPELINING", "ENHANCEDSTATUSCODES"})
OWN_WORDS = re.compile(r"(S: \* CAPABILITY .*?)(?: SASL-IR)? LITERAL\+ ID")
OWN_HEADERS = ("Client-Port", "Server-Addr", "Server-Port", "Auth-SSL-SNI")

WORDING: Sequence[tuple[str, str]] = (
    (r"S: \+OK (?:send PASS|begin TLS negotiation|bye)", "S: +OK"),
    (r"S: (\S+) OK begin TLS negotiation", r"S: \1 OK completed"),
    (r"S: \* BYE logging out", "S: * BYE"),
    (r"S: \+ ready for literal", "S: + OK"),
    (r"S: 220 2\.0\.0 Ready to start TLS", "S: 220 2.0.0 Start TLS"),
)

CODES: Sequence[tuple[str, str]] = (
    (r"S: 530 5\.7\.0 (Authentication required)", r"S: 530 5.7.1 \1"),
    (r"S: 535 5\.7\.8 (.*)", r"S: 535 5.7.0 \1"),
)

LITERAL_LOGIN = re.compile(r"B: \S+ LOGIN \{\d+\}\\r\\n(.*) \{\d+\}\\r\\n(.*)")
QUOTED_LOGIN = re.compile(r'B: G\d+ LOGIN "(.*)" "(.*)"')


def greeting_capability(nginx: Lines, ours: Lines) -> tuple[Lines, Lines]:
    """Take the capabilities out of our greeting."""
    greeting = re.compile(r"S: \* OK \[CAPABILITY [^]]+\] IMAP4 ready")
    return nginx, [greeting.sub("S: * OK IMAP4 ready", line) for line in ours]


def own_capabilities(nginx: Lines, ours: Lines) -> tuple[Lines, Lines]:
    """Take out what our sessions say of themselves, where nginx was not told to."""
    if any(word in line for line in nginx for word in (" LITERAL+", "PIPELINING")):
        return nginx, ours
    left: Lines = []
    for line in ours:
        if line.removeprefix("S: ") in OWN_LINES:
            continue
        if line.startswith("S: 250") and line[7:] in OWN_KEYWORDS:
            if line[6] == " ":
                left[-1] = left[-1].replace("S: 250-", "S: 250 ", 1)
            continue
        left.append(OWN_WORDS.sub(r"\1", line))
    return nginx, left


def backend_capabilities(nginx: Lines, ours: Lines) -> tuple[Lines, Lines]:
    """Take out the question that follows a login, and the answer in its reply."""
    told = re.compile(r"(S: \S+ OK) \[CAPABILITY IMAP4rev1[^]]*\]")
    left = [bare if (bare := told.sub(r"\1", line)) in nginx else line for line in ours]
    return nginx, [
        line
        for before, line in zip(["", *left], left, strict=False)
        if not (
            re.fullmatch(r"B: G\d+ CAPABILITY", line) and QUOTED_LOGIN.fullmatch(before)
        )
    ]


def best_login(nginx: Lines, ours: Lines) -> tuple[Lines, Lines]:
    """Say of a login at a backend only whose it was: the way to it is our own."""
    asked = re.compile(r"B: (?:G\d+ CAPABILITY|CAPA)")
    return (
        [LITERAL_LOGIN.sub(r"B: \1 logs in by \2", line) for line in nginx],
        [
            QUOTED_LOGIN.sub(_unquoted, LITERAL_LOGIN.sub(r"B: \1 logs in by \2", line))
            for line in ours
            if not asked.fullmatch(line)
        ],
    )


def _unquoted(found: re.Match[str]) -> str:
    user, password = (re.sub(r"\\(.)", r"\1", word) for word in found.groups())
    return f"B: {user} logs in by {password}"


def more_for_auth_servers(nginx: Lines, ours: Lines) -> tuple[Lines, Lines]:
    """Take out the headers that nginx does not have."""
    own = tuple(f"A: {name}: " for name in OWN_HEADERS)
    return nginx, [line for line in ours if not line.startswith(own)]


def auth_server_anywhere(nginx: Lines, ours: Lines) -> tuple[Lines, Lines]:
    """Take our HTTP/1.1 for nginx's HTTP/1.0."""
    request = re.compile(r"(A: GET \S+) HTTP/1\.1")
    return nginx, [request.sub(r"\1 HTTP/1.0", line) for line in ours]


def _paired(table: Sequence[tuple[str, str]]) -> Rule:
    """Take our line for nginx's where nginx has said that."""

    def rule(nginx: Lines, ours: Lines) -> tuple[Lines, Lines]:
        left = list(ours)
        for own, theirs in table:
            left = [
                said if (said := re.sub(f"^{own}$", theirs, line)) in nginx else line
                for line in left
            ]
        return nginx, left

    return rule


STANDING: Mapping[str, Rule] = {
    "greeting-capability": greeting_capability,
    "own-capabilities": own_capabilities,
    "backend-capabilities": backend_capabilities,
    "best-login": best_login,
    "more-for-auth-servers": more_for_auth_servers,
    "auth-server-anywhere": auth_server_anywhere,
    "wording": _paired(WORDING),
    "codes": _paired(CODES),
}


def without_standing(
    nginx: Sequence[str], ours: Sequence[str]
) -> tuple[Lines, Lines, set[str]]:
    """Apply every rule; say which of them found their difference."""
    left, right, found = list(nginx), list(ours), set()
    for name, rule in STANDING.items():
        without = rule(left, right)
        if without != (left, right):
            found.add(name)
        left, right = without
    return left, right, found
