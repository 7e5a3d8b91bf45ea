"""Measure the gateway beside nginx's mail proxy and Dovecot's login processes."""

import json
import os
import platform
import resource
import sys
import tempfile
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import click
import trustme

from bench import clients
from bench.chart import chart
from bench.contestants import (
    CONTESTANTS,
    DESCRIPTORS,
    AbsentError,
    Contestant,
    Site,
    StandIn,
    standing_in,
)
from bench.figures import Figure, figures, login_beside
from bench.report import Result, Table

YARDSTICK = "nginx"


@click.command("bench")
@click.option("--quick", is_flag=True, help="Fewer sessions and rounds: two minutes.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option(
    "--chart", "picture", type=click.Path(path_type=Path), help="Draw an SVG."
)
@click.option("--only", default="", help="Only figures whose name holds this.")
@click.option("--peer", "peers", multiple=True, type=click.Choice(list(CONTESTANTS)))
@click.option("--growth/--no-growth", default=None, help="Beside idle sessions, too.")
def bench(
    quick: bool,
    as_json: bool,
    picture: Path | None,
    only: str,
    peers: tuple[str, ...],
    growth: bool | None,
) -> None:
    """Measure the gateway beside its peers, in one run.

    CPU is that of the server's processes alone, from the kernel's account. Rounds are
    interleaved, so that a machine that is busy for a while is busy for all.
    """
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    table = Table(_machine())
    with ExitStack() as closing:
        directory = Path(closing.enter_context(tempfile.TemporaryDirectory()))
        os.chmod(directory, 0o755)  # Dovecot's processes are several users
        stand_in = closing.enter_context(standing_in())
        contestants = []
        for name in peers or CONTESTANTS:
            site = _site(directory, name, stand_in, workers=1)
            try:
                contestants.append(closing.enter_context(CONTESTANTS[name](site)))
            except AbsentError as absent:
                click.echo(f"without {name}: {absent}", err=True)
        _measure(contestants, quick, only, table)
        if growth if growth is not None else not (quick or only):
            _grow(contestants, table)
        if not only:
            _start(directory, stand_in, [one.name for one in contestants], table)
    click.echo(json.dumps(table.as_json(), indent=2) if as_json else table.text())
    if picture is not None:
        picture.write_text(chart(table))


def _measure(
    contestants: list[Contestant], quick: bool, only: str, table: Table
) -> None:
    for figure in figures(quick=quick):
        if only not in figure.name:
            continue
        _note(figure.name)
        found = {one.name: [] for one in contestants}
        for _ in range(figure.rounds):
            for one in contestants:
                try:
                    found[one.name].append(figure.of(one))
                except (OSError, EOFError, KeyError, AssertionError) as failed:
                    _note(f"{figure.name}, {one.name}: {failed!r}")
        table.add(_result(figure, found))


def _result(figure: Figure, found: dict[str, list[float]]) -> Result:
    return Result(
        figure.name,
        figure.unit,
        {name: tuple(values) for name, values in found.items() if values},
        figure.target,
    )


def _grow(contestants: list[Contestant], table: Table) -> None:
    """Find out whether a login costs more where many are logged in."""
    for one in contestants:
        _note(f"growth, {one.name}")
        try:
            for count, cost in login_beside(one, (0, 2000, 5000, 9000), 100):
                name = f"login session beside {count} idle ones"
                table.merge(Result(name, "ms CPU", {one.name: (cost,)}))
        except (OSError, EOFError) as failed:
            _note(f"growth, {one.name}: {failed!r}")


def _start(directory: Path, stand_in: StandIn, names: list[str], table: Table) -> None:
    """Start each some more times."""
    found: dict[str, list[float]] = {}
    for number in range(3):
        for name in names:
            site = _site(directory, f"{name}-{number}", stand_in, workers=1)
            with CONTESTANTS[name](site) as one:
                found.setdefault(name, []).append(one.first_greeting)
    results = {name: tuple(values) for name, values in found.items()}
    table.add(Result("start to first greeting", "s", results))


def _site(directory: Path, name: str, stand_in: StandIn, workers: int) -> Site:
    home = directory / name
    home.mkdir()
    certificate, key = directory / "cert.pem", directory / "key.pem"
    if not certificate.exists():
        issued = trustme.CA().issue_cert("localhost", key_type=trustme.KeyType.ECDSA)
        certificate.write_bytes(b"".join(b.bytes() for b in issued.cert_chain_pems))
        key.touch(mode=0o600)
        issued.private_key_pem.write_to_path(key)
    return Site(home, certificate, key, stand_in, workers)


def _machine() -> str:
    python = f"CPython {platform.python_version()}"
    openssl = clients.ssl.OPENSSL_VERSION
    return f"{date.today()}, {os.cpu_count()} processors, {python}, {openssl}"


def _note(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    bench()
