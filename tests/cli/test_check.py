"""``mailssl-trio check`` and ``show``, as an operator meets them."""

import json
import tomllib
from pathlib import Path

import pytest
import trustme
from click.testing import CliRunner, Result

from mailssl_trio.cli.check import check
from mailssl_trio.cli.show import show

RIGHT = """\
[mail]
proxy_pass = "10.0.0.1"
[[mail.server]]
listen = "127.0.0.1:143"
"""
RISKY = RIGHT.replace("127.0.0.1:143", "192.0.2.1:143")
WRONG = f"{RISKY}startls = true\ntimeout = -1\n"

WARNING = (
    "mail.server[0].listen: passwords may cross the network in the clear on"
    ' 192.0.2.1:143; `starttls = "only"` would refuse every login until TLS is up\n'
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mail.toml"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(check, [*map(str, arguments)])


def test_right_configuration_is_ok(file: Path) -> None:
    file.write_text(RIGHT)
    result = run(file)
    assert result.exit_code == 0
    assert result.output == f"{file}: ok\n"


def test_wrong_configuration_has_all_its_problems_printed(file: Path) -> None:
    file.write_text(WRONG)
    result = run(file)
    assert result.exit_code == 78
    assert result.output == (
        f"{file}:4: warning: {WARNING}"
        f"{file}:5: mail.server[0].startls: unknown directive; did you mean"
        " `starttls`?\n"
        f'{file}:6: mail.server[0].timeout: -1 is not a time; write seconds, or "5m",'
        ' "1h30m", "500ms"\n'
    )


def test_warnings_are_printed_and_are_no_errors(file: Path) -> None:
    file.write_text(RISKY)
    result = run(file)
    assert result.exit_code == 0
    assert result.output == f"{file}:4: warning: {WARNING}{file}: ok\n"


def test_warnings_are_errors_to_the_strict(file: Path) -> None:
    file.write_text(RISKY)
    result = run("--strict", file)
    assert result.exit_code == 78
    assert result.output == f"{file}:4: {WARNING}"


def test_problems_may_be_had_as_json(file: Path) -> None:
    file.write_text(f"{RIGHT}startls = true\n")
    result = run(file, "--json")
    assert result.exit_code == 78
    assert json.loads(result.output) == {
        "problems": [
            {
                "file": str(file),
                "line": 5,
                "path": "mail.server[0].startls",
                "severity": "error",
                "text": "unknown directive",
                "remedy": "did you mean `starttls`?",
                "exit_code": 78,
            }
        ]
    }


def test_missing_file_is_a_wrong_configuration(file: Path) -> None:
    result = run(file)
    assert result.exit_code == 78
    assert result.output == (
        f"{file}: cannot be opened: No such file or directory; name a file that is"
        " there\n"
    )


def test_file_that_has_no_end_is_not_waited_for() -> None:
    result = run("/dev/zero")
    assert result.exit_code == 78
    assert result.output == (
        "/dev/zero: cannot be opened: is not a regular file; name a file that is"
        " there\n"
    )


def test_wrong_command_line_is_2(file: Path) -> None:
    assert run().exit_code == 2
    assert run("--loud", file).exit_code == 2


def test_show_prints_toml_and_says_the_rest_elsewhere(file: Path) -> None:
    file.write_text(RISKY)
    result = CliRunner().invoke(show, [str(file)])
    assert result.exit_code == 0
    assert result.stderr == f"{file}:4: warning: {WARNING}"
    file.write_text(result.stdout)
    assert run(file).exit_code == 0


def test_show_of_a_wrong_configuration_prints_nothing(file: Path) -> None:
    file.write_text(WRONG)
    result = CliRunner().invoke(show, [str(file)])
    assert result.exit_code == 78
    assert result.stdout == ""
    assert "mail.server[0].startls: unknown directive" in result.stderr


def test_show_hides_a_key_that_stands_in_the_file_unless_it_is_asked_for(
    file: Path,
) -> None:
    pair = trustme.CA().issue_cert("mail.example.org")
    pem = pair.private_key_and_cert_chain_pem.bytes().decode()
    file.touch(0o600)
    file.write_text(f'{RIGHT}starttls = "only"\nssl_certificate = """data:{pem}"""\n')
    hidden = CliRunner().invoke(show, [str(file)])
    assert hidden.exit_code == 0
    assert "PRIVATE KEY" not in hidden.output
    told = CliRunner().invoke(show, ["--secrets", str(file)])
    (server,) = tomllib.loads(told.stdout)["mail"]["server"]
    assert server["ssl_certificate_key"] == f"data:{pem}"
    file.write_text(hidden.stdout)
    result = run(file)
    assert result.exit_code == 78
    assert "`show --secrets` writes it out" in result.output
