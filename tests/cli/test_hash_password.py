"""``mailssl-trio hash-password``, from standard input and from a terminal."""

import os
import pty
import subprocess
import sys

import pytest
from click.testing import CliRunner, Result

from mailssl_trio.auth.passwords import parse_hash
from mailssl_trio.cli.hash_password import hash_password


def run(*arguments: str, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(hash_password, arguments, input=stdin)


@pytest.mark.parametrize("stdin", [b"tan staaf\n", b"tan staaf"])
def test_line_from_standard_input_becomes_a_hash_and_nothing_else(
    stdin: bytes,
) -> None:
    result = run(stdin=stdin)
    assert result.exit_code == 0
    assert result.stderr == ""
    (line,) = result.stdout.splitlines()
    assert line.startswith("$scrypt$")
    assert parse_hash(line).verify(b"tan staaf")


@pytest.mark.parametrize(
    ("scheme", "beginning"),
    [("scrypt", "$scrypt$"), ("argon2id", "$argon2id$"), ("bcrypt", "$2b$")],
)
def test_scheme_may_be_chosen(scheme: str, beginning: str) -> None:
    result = run("--scheme", scheme, stdin=b"\xff \xc3\xbc\n")
    assert result.stdout.startswith(beginning)
    assert parse_hash(result.stdout.rstrip("\n")).verify(b"\xff \xc3\xbc")


@pytest.mark.parametrize(
    ("stdin", "reason"),
    [
        (b"", "the password is empty"),
        (b"\n", "the password is empty"),
        (b"tan staaf\n\n", "one line"),
        (b"tan\nstaaf\n", "one line"),
        (b"tan staaf\r\n", "one line"),
        (b"tan\0staaf\n", "one line"),
    ],
)
def test_password_that_no_client_could_present_is_refused(
    stdin: bytes, reason: str
) -> None:
    result = run(stdin=stdin)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert reason in result.stderr
    assert "staaf" not in result.stderr


def test_password_too_long_for_bcrypt_is_refused() -> None:
    result = run("--scheme", "bcrypt", stdin=b"x" * 73)
    assert result.exit_code == 2
    assert "72 octets" in result.stderr


@pytest.mark.parametrize("arguments", [("tan staaf",), ("--scheme", "md5")])
def test_password_as_argument_and_unknown_scheme_are_wrong_usage(
    arguments: tuple[str, ...],
) -> None:
    assert run(*arguments).exit_code == 2


def test_help_has_an_example() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert "$ mailssl-trio hash-password\n" in result.stdout


def at_a_terminal(
    *answers: bytes, coding: str = "utf-8:strict"
) -> tuple[int, bytes, bytes]:
    """Answer each prompt; return exit code, standard output, and the screen."""
    screen, terminal = pty.openpty()
    program = "from mailssl_trio.cli.hash_password import *; hash_password()"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
        env={**os.environ, "PYTHONIOENCODING": coding},
        start_new_session=True,  # or getpass would ask at our own terminal
    ) as process:
        os.close(terminal)
        shown = b""
        for answer in answers:
            while not shown.endswith(b": "):
                shown += os.read(screen, 1024)
            os.write(screen, answer + b"\n")
            shown += os.read(screen, 1024)
        output, _ = process.communicate(timeout=30)
    os.close(screen)
    return process.returncode, output, shown


@pytest.mark.process
def test_password_typed_twice_is_never_shown() -> None:
    password = "tan stäaf".encode()
    code, output, shown = at_a_terminal(password, password)
    assert code == 0
    assert parse_hash(output.decode().strip()).verify(password)
    assert b"tan" not in shown


@pytest.mark.process
def test_octets_that_a_terminal_lets_pass_are_hashed_as_they_are() -> None:
    password = b"tan st\xe4af"
    code, output, _ = at_a_terminal(password, password, coding="utf-8:surrogateescape")
    assert code == 0
    assert parse_hash(output.decode().strip()).verify(password)


@pytest.mark.process
def test_octets_that_a_terminal_does_not_let_pass_are_wrong_usage() -> None:
    code, output, shown = at_a_terminal(b"tan st\xe4af")
    assert code == 2
    assert output == b""
    assert b"tan" not in shown


@pytest.mark.process
def test_password_typed_differently_is_asked_for_again() -> None:
    code, output, _ = at_a_terminal(b"one", b"two", b"three", b"three")
    assert code == 0
    assert parse_hash(output.decode().strip()).verify(b"three")
