"""Certificates that change on the disk, while clients come and stay."""

import os
import signal
import ssl
import time
from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import create_connection

import pytest
from attrs import define

from tests.interop.background import Background
from tests.interop.certificates import Pair, issue
from tests.interop.gateway import Doors, mail_table, serving
from tests.interop.machine import PATIENCE, until
from tests.process.processes import crowd, kill, workers
from tests.process.test_stop import logged_in

pytestmark = pytest.mark.process

USERS = Path(__file__).parents[2] / "conf" / "users.toml"

IN_TIME = 5.0
"""Seconds in which every worker serves a new pair."""


@define
class Site:
    """A gateway of two workers, and the pair whose files it watches."""

    program: Background
    doors: Doors
    pair: Pair

    def shown(self) -> Set[bytes]:
        """Return the certificates that a row of clients sees."""
        return {self._certificate() for _ in range(12)}

    def _certificate(self) -> bytes:
        address = ("127.0.0.1", self.doors.port("imap", "tls"))
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with (
            create_connection(address, PATIENCE) as wire,
            context.wrap_socket(wire) as secured,
        ):
            with suppress(OSError):
                secured.recv(1)
            return secured.getpeercert(binary_form=True) or b""

    @contextmanager
    def only_a_successor(self) -> Iterator[None]:
        """Let nobody answer but a worker that has just taken another's place."""
        killed, stopped = workers(self.program.process.pid)
        os.kill(stopped, signal.SIGSTOP)
        try:
            kill(killed)
            yield
        finally:
            os.kill(stopped, signal.SIGCONT)

    def await_only(self, pair: Pair) -> None:
        """Wait until every worker shows this pair, which must not take long."""
        der = ssl.PEM_cert_to_DER_cert(pair.certificate.read_text())
        until(lambda: self.shown() == {der}, "the new certificate", IN_TIME)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    pair = issue(tmp_path / "tls", "localhost")
    doors = Doors.anywhere(pair.ca)
    table = mail_table(
        *doors.servers,
        users=str(USERS),
        proxy_pass="embedded",
        ssl_certificate=str(pair.certificate),
        ssl_certificate_key=str(pair.key),
    )
    with serving(tmp_path, {**table, "worker_processes": 2}) as program:
        yield Site(program, doors, pair)


def rename_into_place(new: Pair, old: Pair) -> None:
    for source, target in ((new.key, old.key), (new.certificate, old.certificate)):
        aside = target.with_suffix(".new")
        aside.touch(mode=0o600)
        aside.write_bytes(source.read_bytes())
        aside.rename(target)


def test_renamed_pair_is_served_by_all_and_cuts_nobody(
    site: Site, tmp_path: Path
) -> None:
    with (
        logged_in(site.doors) as session,
        crowd(site.doors.port("imap", "starttls")) as people,
    ):
        new = issue(tmp_path / "new", "localhost")
        rename_into_place(new, site.pair)
        site.await_only(new)
        assert session.noop()[0] == "OK"
        assert (people.refused, people.cut) == (0, 0)
        session.logout()
    assert "renewed without a reload: " in site.program.logged()
    with site.only_a_successor():
        site.await_only(new)


def test_half_written_and_mismatched_pairs_are_refused_in_one_line_each(
    site: Site, tmp_path: Path
) -> None:
    old = site.shown()
    new = issue(tmp_path / "new", "localhost")
    whole = new.certificate.read_text()
    site.pair.certificate.write_text(whole[: len(whole) // 2])
    refused = "[error]"
    until(lambda: site.program.logged().count(refused) == 1, "one refusal")
    site.pair.certificate.write_text(whole)
    until(lambda: site.program.logged().count(refused) == 2, "another refusal")
    time.sleep(2.5)
    errors = [line for line in site.program.logged().splitlines() if refused in line]
    assert len(errors) == 2
    assert all("not renewed, what was served goes on" in line for line in errors)
    assert "belongs to another certificate" in errors[1]
    assert site.shown() == old
    with site.only_a_successor():
        assert site.shown() == old
    site.pair.key.write_bytes(new.key.read_bytes())
    site.await_only(new)


def test_swapped_symbolic_link_is_followed(tmp_path: Path) -> None:
    """Kubernetes' way: the names lead through a link that is exchanged."""
    mounted = tmp_path / "mounted"
    first = issue(mounted / "..1", "localhost")
    second = issue(mounted / "..2", "localhost")
    (mounted / "..data").symlink_to("..1")
    for name in ("cert.pem", "key.pem"):
        (mounted / name).symlink_to(Path("..data") / name)
    doors = Doors.anywhere(first.ca).only("imap", "tls")
    table = mail_table(
        *doors.servers,
        proxy_pass="embedded",
        users=str(USERS),
        ssl_certificate=str(mounted / "cert.pem"),
        ssl_certificate_key=str(mounted / "key.pem"),
    )
    with serving(tmp_path, {**table, "worker_processes": 2}) as program:
        site = Site(program, doors, first)
        (mounted / "..data_tmp").symlink_to("..2")
        os.replace(mounted / "..data_tmp", mounted / "..data")
        site.await_only(second)


def test_end_of_a_certificate_is_told_at_the_start(site: Site) -> None:
    assert f"certificate {site.pair.certificate} (localhost; " in site.program.logged()
