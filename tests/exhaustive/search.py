"""Explore many worlds over two processes, and tell what was found."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from attrs import define, field, frozen

from tests.exhaustive.client_laws import CLIENT_LAWS
from tests.exhaustive.explorer import Finding, explore
from tests.exhaustive.laws import SERVER_LAWS
from tests.exhaustive.worlds import CLIENT_WORLDS, SERVER_WORLDS

PROCESSES = 2
WORLDS = {**SERVER_WORLDS, **CLIENT_WORLDS}


@frozen
class Shard:
    """The conversations of a world that begin with one utterance."""

    title: str
    first: str
    length: int
    with_more: bool


@define
class Result:
    """What was found in one world."""

    words: int
    length: int
    findings: list[Finding] = field(factory=list)

    @property
    def offence(self) -> str:
        """The shortest conversation that broke a law; "" if none did."""
        broken = [found for found in self.findings if found.offence]
        shortest = min(broken, key=lambda found: len(found.offence), default=None)
        return shortest.report if shortest else ""

    @property
    def logins(self) -> int:
        """Conversations that came to a login."""
        return sum(found.logins for found in self.findings)

    def __str__(self) -> str:
        played = sum(found.played for found in self.findings)
        secured = sum(found.secured for found in self.findings)
        return (
            f"{self.words}^{self.length} = {self.words**self.length:,} conversations, "
            f"{played:,} played, {secured:,} to TLS, {self.logins:,} to a login"
        )


def search(
    lengths: Mapping[str, int], *, with_more: bool = False
) -> Mapping[str, Result]:
    """Explore the worlds of these titles, each up to its length."""
    results: dict[str, Result] = {}
    shards: list[Shard] = []
    for title, length in lengths.items():
        words = _words(title, with_more)
        results[title] = Result(len(words), length)
        shards += [Shard(title, first, length, with_more) for first in words]
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        for shard, finding in zip(shards, pool.map(explore_shard, shards), strict=True):
            results[shard.title].findings.append(finding)
    return results


def explore_shard(shard: Shard) -> Finding:
    """Explore one shard, in whatever process."""
    world = WORLDS[shard.title]
    laws = SERVER_LAWS if world.faces_clients else CLIENT_LAWS
    words = _words(shard.title, shard.with_more)
    return explore(world, laws, words, shard.first, shard.length)


def _words(title: str, with_more: bool) -> Mapping[str, bytes]:
    world = WORLDS[title]
    return {**world.alphabet, **world.more} if with_more else world.alphabet


def verdict(results: Mapping[str, Result]) -> str:
    """Print the figures; return what broke, and which worlds proved nothing."""
    problems: list[str] = []
    for title, result in results.items():
        print(f"{title}: {result}")
        problems += _problems(title, result)
    return "\n\n".join(problems)


def _problems(title: str, result: Result) -> Iterable[str]:
    if result.offence:
        yield result.offence
    elif not result.logins:
        yield f"{title}: nobody logged in, so nothing was proved"
