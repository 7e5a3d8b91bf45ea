"""The Containerfile, as far as it can be judged without building it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from click.testing import CliRunner

from mailssl_trio.cli import main
from mailssl_trio.config.load import load

ROOT = Path(__file__).parents[2]


def instructions() -> list[tuple[str, str]]:
    """Return each instruction's name, and the rest of it as one line."""
    text = (ROOT / "Containerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines)]


def last(wanted: str) -> str:
    """Return what the last one of a name says, which is what holds."""
    return [rest for name, rest in instructions() if name == wanted][-1]


def copied() -> Iterator[str]:
    """Yield what is copied from the sources, and not from an earlier stage."""
    for name, rest in instructions():
        if name == "COPY" and not rest.startswith("--from"):
            yield from rest.split()[:-1]


def test_all_that_is_copied_is_there() -> None:
    sources = list(copied())
    assert sources
    for source in sources:
        assert (ROOT / source).exists()


def test_all_that_the_wheel_is_made_of_is_copied() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    taken = re.findall(r'^"(conf/\S+)" = "mailssl_trio/', project, re.MULTILINE)
    assert set(copied()) >= {*taken, "README.md", "LICENSE", "mailssl_trio"}


def test_it_is_not_root() -> None:
    assert last("USER") == "10025"
    assert any("--uid 10025" in rest for name, rest in instructions() if name == "RUN")


def test_the_program_itself_is_the_first_process() -> None:
    command = json.loads(last("ENTRYPOINT")) + json.loads(last("CMD"))
    assert command == [
        "/opt/mailssl-trio/bin/mailssl-trio",
        "serve",
        "/etc/mailssl-trio/mail.toml",
    ]


def test_its_health_is_what_the_program_says_of_itself() -> None:
    _, _, command = last("HEALTHCHECK").partition(" CMD ")
    program, *words = json.loads(command)
    assert program == json.loads(last("ENTRYPOINT"))[0]
    assert CliRunner().invoke(main, [*words, "--help"]).exit_code == 0


def test_its_ports_are_those_of_its_configuration() -> None:
    config = load(ROOT / "conf/etc/mail.toml", environment={})
    ports = {listen.port for server in config.servers for listen in server.listens}
    assert set(map(int, last("EXPOSE").split())) == ports


def test_its_state_is_the_one_place_that_it_writes_to() -> None:
    config = load(ROOT / "conf/etc/mail.toml", environment={})
    assert str(config.state_directory) == last("VOLUME")
    assert [one.target for one in config.error_log] == [None], "standard error"
