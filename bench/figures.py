"""What is measured: one function a figure, each of one contestant, in one round."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from statistics import quantiles

from attrs import field, frozen

from bench import clients
from bench.accounting import cpu, family, pss
from bench.contestants import Contestant

AT_ONCE = 12
SETTLING = 0.15
"""Seconds that a server gets to finish what a client no longer waits for."""

MB_A_ROUND = 24


@frozen
class Figure:
    """One line of the table."""

    name: str
    unit: str
    of: Callable[[Contestant], float] = field(repr=False)
    rounds: int = 5
    target: tuple[float, float] | None = None
    """The ratio to nginx that must be reached, and the one to go for."""


def ms_each(count: int, live: Callable[[], None], contestant: Contestant) -> float:
    """Return the ms of CPU that the server spends on each of some sessions."""
    live()
    time.sleep(SETTLING)
    before = cpu(contestant.pid)
    for _ in range(count):
        live()
    time.sleep(SETTLING)
    return (cpu(contestant.pid) - before) / count * 1000


def one_at_a_time(
    door: str, live: Callable[[int], None], count: int
) -> Callable[[Contestant], float]:
    """Return the cost of a session where there is no other."""
    return lambda contestant: ms_each(
        count, partial(live, contestant.ports[door]), contestant
    )


def resumed(count: int, contestant: Contestant) -> float:
    """Return the cost of a session that is resumed."""
    return ms_each(
        count, clients.resumed_session(contestant.ports["imaps"]), contestant
    )


def crowd(count: int, contestant: Contestant) -> float:
    """Return the cost of a session where there are always twelve."""
    port = contestant.ports["imaps"]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(clients.imap_session, [port] * AT_ONCE))
        time.sleep(SETTLING)
        before = cpu(contestant.pid)
        list(threads.map(clients.imap_session, [port] * count))
    time.sleep(SETTLING)
    return (cpu(contestant.pid) - before) / count * 1000


def a_second(count: int, contestant: Contestant) -> float:
    """Return how many sessions a second there are, of clients that never wait."""
    port = contestant.ports["imaps"]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(clients.imap_session, [port] * AT_ONCE))
        began = time.perf_counter()
        list(threads.map(clients.imap_session, [port] * count))
    return count / (time.perf_counter() - began)


def carried(
    door: str, carry: Callable[[clients.Client, int], None]
) -> Callable[[Contestant], float]:
    """Return the ms of CPU a MB."""

    def cost(contestant: Contestant) -> float:
        log_in = clients.imap_plain if door == "plain" else clients.imaps
        client = log_in(contestant.ports[door])
        carry(client, 1)
        time.sleep(SETTLING)
        before = cpu(contestant.pid)
        for _ in range(MB_A_ROUND // 4):
            carry(client, 4)
        spent = cpu(contestant.pid) - before
        client.socket.close()
        return spent / MB_A_ROUND * 1000

    return cost


def times(
    measure: Callable[[int], float], count: int, percent: int
) -> Callable[[Contestant], float]:
    """Return a percentile of some times, in ms."""

    def percentile(contestant: Contestant) -> float:
        port = contestant.ports["imaps"]
        found = [measure(port) for _ in range(count)]
        return quantiles(found, n=100)[percent - 1] * 1000

    return percentile


def under_load(count: int, percent: int, contestant: Contestant) -> float:
    """Return a percentile of login replies, in ms, at 80 % of what can be carried."""
    pause = 1 / (a_second(count, contestant) * 0.8)
    port = contestant.ports["imaps"]
    began = time.perf_counter()

    def visit(number: int) -> float:
        time.sleep(max(0.0, began + number * pause - time.perf_counter()))
        return clients.reply_time(port)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        found = list(threads.map(visit, range(count)))
    return quantiles(found, n=100)[percent - 1] * 1000


def idle(count: int, contestant: Contestant) -> float:
    """Return the KB of an idle session."""
    port = contestant.ports["imaps"]
    with clients.idle_sessions(port, 50):
        time.sleep(SETTLING)
    time.sleep(1)
    before = pss(contestant.pid)
    with clients.idle_sessions(port, count):
        time.sleep(3)
        return (pss(contestant.pid) - before) / count


def kept(count: int, contestant: Contestant) -> float:
    """Return the KB that a session keeps after 1 MB each way."""
    with clients.idle_sessions(contestant.ports["imaps"], count) as sessions:
        time.sleep(3)
        before = pss(contestant.pid)
        for session in sessions:
            clients.download(session, 1)
            clients.upload(session, 1)
        time.sleep(5)
        return (pss(contestant.pid) - before) / count


def fresh(contestant: Contestant) -> float:
    """Return the MB of one that has served nobody, or not for long."""
    return pss(contestant.pid) / 1024


def reload(contestant: Contestant) -> float:
    """Return the seconds from SIGHUP until other processes serve."""
    before = set(family(contestant.pid))
    began = time.perf_counter()
    os.kill(contestant.pid, signal.SIGHUP)
    while (set(family(contestant.pid)) & before) - {contestant.pid}:
        time.sleep(0.005)
        if time.perf_counter() - began > 20:
            raise TimeoutError("nothing new serves")
    clients.greeting_time(contestant.ports["imaps"])
    return time.perf_counter() - began


def login_beside(
    contestant: Contestant, counts: Sequence[int], logins: int
) -> Iterator[tuple[int, float]]:
    """Yield what a login costs beside so many idle sessions."""
    port = contestant.ports["imaps"]
    held: list[clients.Client] = []
    try:
        for count in counts:
            while len(held) < count:
                held.append(clients.imaps(port))
            live = partial(clients.imap_session, port)
            yield count, ms_each(logins, live, contestant)
    finally:
        for client in held:
            client.socket.close()


def figures(*, quick: bool) -> list[Figure]:
    """Return the table's lines."""
    count = 30 if quick else 150
    rounds = 3 if quick else 7
    return [
        Figure(
            "full login session, one client at a time", "ms CPU",
            one_at_a_time("imaps", clients.imap_session, count), rounds, (1.3, 1.0),
        ),
        Figure(
            "full login session, 12 clients at once", "ms CPU",
            partial(crowd, count * 3), rounds, (1.7, 1.3),
        ),
        Figure(
            "resumed login session", "ms CPU", partial(resumed, count), rounds,
            (1.4, 1.1),
        ),
        Figure(
            "login session by STARTTLS, IMAP", "ms CPU",
            one_at_a_time("imap", clients.imap_starttls, count), rounds,
        ),
        Figure(
            "login session by STLS, POP3", "ms CPU",
            one_at_a_time("pop3", clients.pop3_starttls, count), rounds,
        ),
        Figure(
            "login session by STARTTLS, SMTP", "ms CPU",
            one_at_a_time("smtp", clients.smtp_starttls, count), rounds,
        ),
        Figure(
            "handshake and close", "ms CPU",
            one_at_a_time("imaps", clients.handshake, count), rounds, (1.7, 1.3),
        ),
        Figure(
            "download through TLS", "ms CPU/MB",
            carried("imaps", clients.download), rounds, (0.85, 0.6),
        ),
        Figure(
            "upload through TLS", "ms CPU/MB",
            carried("imaps", clients.upload), rounds, (1.1, 0.7),
        ),
        Figure(
            "download in the clear", "ms CPU/MB",
            carried("plain", clients.download), rounds,
        ),
        Figure(
            "upload in the clear", "ms CPU/MB", carried("plain", clients.upload), rounds
        ),
        Figure(
            "connect to greeting, p50", "ms",
            times(clients.greeting_time, count, 50), 3, (0.05, 0.04),
        ),
        Figure(
            "connect to greeting, p99", "ms", times(clients.greeting_time, count, 99), 3
        ),
        Figure("login reply, p50", "ms", times(clients.reply_time, count, 50), 3),
        Figure("login reply, p99", "ms", times(clients.reply_time, count, 99), 3),
        Figure(
            "login reply at 80 % load, p50", "ms", partial(under_load, count * 4, 50), 3
        ),
        Figure(
            "login reply at 80 % load, p99", "ms", partial(under_load, count * 4, 99), 3
        ),
        Figure("logins a second", "1/s", partial(a_second, count * 4), 3),
        Figure(
            "idle logged-in session", "KB",
            partial(idle, 300 if quick else 1000), 1 if quick else 3, (0.9, 0.7),
        ),
        Figure(
            "kept after 1 MB each way", "KB", partial(kept, 50 if quick else 200), 1
        ),
        Figure("reload", "s", reload, 1 if quick else 3),
        Figure("memory of all its processes", "MB", fresh, 1),
    ]  # fmt: skip
