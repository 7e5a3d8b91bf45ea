"""``mailssl-trio status``: how the program is that runs."""

import click

from mailssl_trio.cli.control_client import Answer, Fact
from mailssl_trio.cli.controlled import finding, reach, tell
from mailssl_trio.cli.finding import Named
from mailssl_trio.cli.table import megabytes, moment, shown, table

WORKERS = (
    "worker",
    "generation",
    "state",
    "since",
    "sessions",
    "before login",
    "memory",
)
CERTIFICATES = ("certificate", "expires", "days left", "names")


@click.command("status")
@finding
def status(named: Named, as_json: bool) -> None:
    """Show how the program is: its workers, reloads and certificates.

    Exits with 0 if all of it has answered, 1 if not.

    \b
    Example:
      $ mailssl-trio status
      mailssl-trio 0.1.0, process 4711, since 2026-11-25 17:25:45
      configuration /etc/mailssl-trio/mail.toml
      reloads 2, the last one at 2026-11-25 18:00:00
      bans 0

    \b
      worker  generation  state    since                sessions  before login  memory
        4720           3  serving  2026-11-25 18:00:00      4512             3  251 MB
    """
    answer = reach(named, {"verb": "status"})
    tell(answer, _text(answer), as_json=as_json, several=["worker", "certificate"])


def _text(answer: Answer) -> str:
    parts = ["\n".join(_program(fact)) for fact in answer.all("program")]
    if workers := answer.all("worker"):
        workers.sort(key=lambda worker: (worker["generation"], worker["pid"]))
        parts.append(table(WORKERS, map(_worker, workers)))
    if found := answer.all("certificate"):
        parts.append(table(CERTIFICATES, map(_certificate, found)))
    return "\n\n".join(parts)


def _program(fact: Fact) -> list[str]:
    version, pid, since = fact["version"], fact["pid"], moment(fact["since"])
    stopping = ", stopping" if fact["stopping"] else ""
    return [
        f"mailssl-trio {version}, process {pid}, since {since}{stopping}",
        f"configuration {shown(fact['configuration'])}",
        *_reloads(fact),
        f"bans {fact['bans']}",
    ]


def _reloads(fact: Fact) -> list[str]:
    match fact["last_reload"]:
        case {"ok": True, "at": at}:
            return [f"reloads {fact['reloads']}, the last one at {moment(at)}"]
        case {"at": at, "problems": list(problems)}:
            refused = f"reloads {fact['reloads']}; refused at {moment(at)}:"
            return [refused, *(f"  {shown(problem)}" for problem in problems)]
    return [f"reloads {fact['reloads']}"]


def _worker(fact: Fact) -> tuple[object, ...]:
    return (
        fact["pid"],
        fact["generation"],
        fact["state"],
        moment(fact["since"]),
        fact["sessions"],
        fact["before_login"],
        megabytes(fact["memory"]),
    )


def _certificate(fact: Fact) -> tuple[object, ...]:
    names = fact["names"]
    return (
        fact["file"],
        moment(fact["expires"]),
        fact["days_left"],
        ", ".join(map(str, names)) if isinstance(names, list) else None,
    )
