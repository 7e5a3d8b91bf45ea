"""What a worker says when it is asked who is here, and to send somebody away.

An answer is a page, not everything: thousands of sessions in one would hold up
everybody whom this process serves. Who wants more asks again, for what comes after;
the worker keeps nothing meanwhile.
"""

import time
from collections.abc import Callable
from ipaddress import (
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from itertools import dropwhile
from typing import TypeAlias

import trio

from mailssl_trio.escaping import as_name, as_text
from mailssl_trio.messages import (
    Answer,
    CountSessions,
    EndSessions,
    FindSessions,
    Question,
    Session,
    SessionCount,
    SessionsEnded,
    SessionsFound,
    Whom,
)
from mailssl_trio.observer import Subject
from mailssl_trio.protocol.events import Goodbye
from mailssl_trio.visits import Visit, Visits

LOOKED_AT = 200
"""Connections that are looked at for a page."""
FOUND_AT_ONCE = 100
ENDED_AT_ONCE = 20
"""Connections of a page: the loop is held for a millisecond or two."""

Matching: TypeAlias = Callable[[Subject], bool]


def answer(question: Question, visits: Visits) -> Answer:
    """Answer, and do what is asked for."""
    number = question.number
    match question:
        case FindSessions(whom, before_login, after):
            matches = _matching(whom, before_login=before_login)
            page, after_that = _page(visits, matches, after, FOUND_AT_ONCE)
            now = time.time() - trio.current_time()
            found = tuple(_session(visit.subject, now) for visit in page)
            return SessionsFound(found, after_that, number=number)
        case EndSessions(whom, after):
            matches = _matching(whom, before_login=True)
            page, after_that = _page(visits, matches, after, ENDED_AT_ONCE)
            staying = [visit for visit in page if visit.dismissal is None]
            for visit in staying:
                visit.dismiss(Goodbye.KICKED)
            return SessionsEnded(len(staying), after_that, number=number)
        case CountSessions():
            logged_in = sum(visit.subject.logged_in is not None for visit in visits)
            return SessionCount(logged_in, len(visits) - logged_in, number=number)
    raise RuntimeError(f"nobody knows an answer to this: {question}")


def _page(
    visits: Visits, matches: Matching, after: int, most: int
) -> tuple[list[Visit], int | None]:
    """Return some who match, and the last that was looked at if there are others.

    Connections are counted as they come, so numbers never go down.
    """
    page: list[Visit] = []
    remaining = dropwhile(lambda visit: visit.subject.number <= after, visits)
    for looked_at, visit in enumerate(remaining):
        if len(page) == most or looked_at == LOOKED_AT:
            return page, after
        after = visit.subject.number
        if matches(visit.subject):
            page.append(visit)
    return page, None


def _matching(whom: Whom | None, *, before_login: bool) -> Matching:
    """Return what tells those who are meant from all others."""
    means = _everybody if whom is None else _meaning(whom)

    def matches(subject: Subject) -> bool:
        return (before_login or subject.logged_in is not None) and means(subject)

    return matches


def _everybody(_: Subject) -> bool:
    return True


def _meaning(whom: Whom) -> Matching:
    user = None if whom.user is None else whom.user.casefold()
    network = None if whom.network is None else ip_network(whom.network, strict=False)

    def means(subject: Subject) -> bool:
        if subject.session == whom.session or _is_in(network, subject.client):
            return True
        has_logged_in = subject.logged_in is not None
        return has_logged_in and as_text(subject.login).casefold() == user

    return means


def _is_in(network: IPv4Network | IPv6Network | None, client: str) -> bool:
    """Whether an address is in a network; one of IPv4 may be written as IPv6."""
    if network is None:
        return False
    try:
        address = ip_address(client)
    except ValueError:  # who comes by a Unix socket has none
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address in network or (mapped is not None and mapped in network)


def _session(subject: Subject, zero: float) -> Session:
    """Say what is known; ``zero`` is when Trio's clock began, in seconds since 1970."""
    login = subject.logged_in
    return Session(
        subject.session,
        as_name(subject.login),
        subject.mechanism,
        subject.protocol,
        subject.client,
        subject.client_port,
        subject.server,
        subject.tls.version if subject.tls else "",
        subject.starttls,
        subject.upstream,
        int(zero + subject.began),
        None if login is None else int(zero + login),
    )
