"""nginx and we side by side: one configuration, one auth server, the same backends.

Each dialogue of the tables is held with both. What the client reads, what the auth
server is asked and what the backend is told is the same, but for the differences that
the page of differences names; and each of these is there.
"""

import ssl
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from attrs import frozen

from tests.interop.certificates import Pair, issue
from tests.interop.differential.comparison import Comparison, compare
from tests.interop.differential.dialogue import Dialogue, read_tables
from tests.interop.differential.fronts import (
    need_nginx,
    nginx,
    nginx_conf,
    ourselves,
    play,
    virtual_servers,
)
from tests.interop.differential.record import Record
from tests.interop.differential.rows import BESIDE, CHECKOUT, ELSEWHERE, documented
from tests.interop.differential.stage import AUTH, stage
from tests.interop.differential.standing import STANDING

pytestmark = pytest.mark.interop

DIALOGUES = read_tables()


@frozen
class Runs:
    """What came of the dialogues that were asked for, with each of the two."""

    nginx: Mapping[int, Record]
    ours: Mapping[int, Record]

    @property
    def are_all(self) -> bool:
        """Whether no dialogue was left out."""
        return len(self.nginx) == len(DIALOGUES)

    def compare(self, number: int) -> Comparison:
        """Compare what came of one of them."""
        return compare(self.nginx[number], self.ours[number])


@pytest.fixture(scope="session")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Runs:
    """Hold them with nginx, and then with us, on the same ports."""
    need_nginx()
    directory = tmp_path_factory.mktemp("differential")
    dialogues = _asked_for(request.session.items)
    servers = virtual_servers(dialogues)
    pair, anna, stranger = (
        issue(directory / name, name) for name in ("front.test", "anna", "stranger")
    )
    certificates = {"": _trust(), "anna": _trust(anna), "stranger": _trust(stranger)}
    file = directory / "nginx.conf"
    with stage() as on_stage:
        auth = on_stage.port(AUTH)
        file.write_text(nginx_conf(servers, auth, directory, pair, anna.ca))
        with nginx(file):
            by_nginx = play(dialogues, servers, on_stage, certificates)
        with ourselves(file):
            by_us = play(dialogues, servers, on_stage, certificates)
    return Runs(by_nginx, by_us)


def _asked_for(items: Sequence[pytest.Item]) -> list[Dialogue]:
    """Return those that this run of the tests compares, or all if it compares none."""
    names = {item.name for item in items}
    asked = [each for each in DIALOGUES if any(f"[{each.name}]" in it for it in names)]
    return asked or DIALOGUES


def _trust(shown: Pair | None = None) -> ssl.SSLContext:
    """Believe anybody, and show who we are if we are somebody."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if shown is not None:
        context.load_cert_chain(shown.certificate, shown.key)
    return context


@pytest.mark.parametrize(
    "dialogue", [pytest.param(each, id=each.name) for each in DIALOGUES]
)
def test_the_two_differ_as_the_names_say_and_in_nothing_else(
    dialogue: Dialogue, runs: Runs
) -> None:
    assert runs.compare(dialogue.number).differs == dialogue.differs


def test_each_standing_difference_is_real(runs: Runs) -> None:
    if not runs.are_all:
        pytest.skip("some dialogues were left out")
    found = Counter(
        name for number in runs.nginx for name in runs.compare(number).standing
    )
    assert set(found) == set(STANDING)


def test_each_request_of_ours_says_more_of_the_client(runs: Runs) -> None:
    def said(record: Record) -> list[int]:
        names = ("Client-Port: ", "Server-Addr: ", "Server-Port: ")
        return [sum(line.startswith(name) for line in record.asked) for name in names]

    for record in runs.ours.values():
        assert said(record) == [record.requests] * 3
    assert not any(any(said(record)) for record in runs.nginx.values())


def test_each_name_that_is_cited_stands_above_what_it_allows() -> None:
    assert not [
        (dialogue.name, difference.names)
        for dialogue in DIALOGUES
        for difference in dialogue.differences
        if not difference.lines
    ]


def test_each_row_of_the_page_is_shown_here_or_elsewhere() -> None:
    cited = {name for dialogue in DIALOGUES for name in dialogue.names}
    here = cited | set(STANDING)
    assert not (here | BESIDE) & set(ELSEWHERE)
    assert here | BESIDE | set(ELSEWHERE) == documented()
    assert not [
        test for test in ELSEWHERE.values() if not Path(CHECKOUT, test).exists()
    ]


def test_there_are_dialogues_of_each_protocol() -> None:
    assert len({dialogue.name for dialogue in DIALOGUES}) == len(DIALOGUES)
    each = Counter(dialogue.protocol for dialogue in DIALOGUES)
    assert len(DIALOGUES) >= 250
    assert min(each[protocol] for protocol in ("imap", "pop3", "smtp")) >= 80
