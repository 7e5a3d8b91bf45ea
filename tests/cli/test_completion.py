"""Completion in real shells: what a person gets who types ``sh`` and Tab."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from mailssl_trio.cli import main

ENVIRONMENT = {
    **os.environ,
    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    "TERM": "dumb",
}

PATIENCE = 30.0

IN_BASH = """
source {script}
complete -p mailssl-trio
for line in "sh" "hash" "show --sch"; do
    COMP_WORDS=(mailssl-trio $line)
    COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
    COMPREPLY=()
    _mailssl_trio_completion mailssl-trio
    printf '%s\\n' "${{COMPREPLY[@]}}"
done
"""


def needs(shell: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"no {shell} here")


def script(shell: str, directory: Path) -> Path:
    """Have the program write what a shell is to read."""
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0
    file = directory / shell
    file.write_text(result.output)
    return file


def run(*command: str) -> str:
    done = subprocess.run(
        command,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.stderr == ""
    return done.stdout


def test_bash_completes_commands_and_options(tmp_path: Path) -> None:
    text = IN_BASH.format(script=script("bash", tmp_path))
    said = run("bash", "--norc", "-c", text).splitlines()
    assert said[0].endswith("-F _mailssl_trio_completion mailssl-trio")
    assert said[1:] == ["show", "hash-password", "--schema"]


@needs("fish")
def test_fish_completes_commands(tmp_path: Path) -> None:
    file = script("fish", tmp_path)
    text = f"source {file}; complete -C 'mailssl-trio sh'"
    said = run("fish", "--no-config", "-c", text)
    assert [line.split("\t")[0] for line in said.splitlines()] == ["show"]


@needs("zsh")
def test_zsh_completes_commands(tmp_path: Path) -> None:
    file = script("zsh", tmp_path)
    run("zsh", "-f", "-n", str(file))
    start = f"autoload -U compinit; compinit -D -u; source {file}; print -r re''ady\n"
    with Terminal("zsh", "-f", "-i") as shell:
        shell.type(start)
        shell.await_text("ready")
        shell.type("mailssl-trio sh\t")
        shell.await_text("mailssl-trio show")


class Terminal:
    """A program that believes that somebody sits before it."""

    def __init__(self, *command: str) -> None:
        self.command = command
        self.seen = ""

    def __enter__(self) -> "Terminal":
        self.end, inner = pty.openpty()
        self.process = subprocess.Popen(
            self.command,
            env=ENVIRONMENT,
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
        )
        os.close(inner)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.end)

    def type(self, text: str) -> None:
        os.write(self.end, text.encode())

    def await_text(self, text: str) -> None:
        """Read until it is on the screen."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.seen:
            ready, _, _ = select.select([self.end], [], [], deadline - time.monotonic())
            assert ready, self.seen
            self.seen += os.read(self.end, 4096).decode(errors="replace")
