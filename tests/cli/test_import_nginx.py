"""``mailssl-trio import-nginx``, as an operator meets it."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailssl_trio.cli.check import check
from mailssl_trio.cli.import_nginx import import_nginx

CONFIGURATION = """\
user nobody;
error_log logs/error.log;
events { worker_connections 768; }
worker_priority -5;
mail {
    auth_http 127.0.0.1:9000/auth;
    server { listen 127.0.0.1:143; }
}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    file = tmp_path / "nginx.conf"
    file.write_text(CONFIGURATION)
    return file


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(import_nginx, [*map(str, arguments)])


def test_what_is_printed_passes_the_check(file: Path) -> None:
    result = run(file)
    assert result.exit_code == 0
    assert result.stdout == (
        'user = "nobody"\n'
        f'error_log = "{file.parent}/logs/error.log error"\n'
        "worker_connections = 768\n"
        "# worker_priority -5;\n"
        "#   not carried over: let systemd do it (Nice=), or nice\n"
        "\n"
        "[mail]\n"
        'auth_http = "http://127.0.0.1:9000/auth"\n'
        "\n"
        "[[mail.server]]\n"
        'listen = "127.0.0.1:143"\n'
    )
    toml = file.with_suffix(".toml")
    toml.write_text(result.stdout)
    assert CliRunner().invoke(check, [str(toml)]).exit_code == 0


def test_what_is_missing_is_told_elsewhere(file: Path) -> None:
    assert run(file).stderr.splitlines() == [
        f"{file}:4: warning: worker_priority: not carried over: let systemd do it"
        " (Nice=), or nice",
    ]


def test_check_takes_the_original_too(file: Path) -> None:
    result = CliRunner().invoke(check, [str(file)])
    assert result.exit_code == 0
    assert f"{file}:4: warning: worker_priority: not carried " in result.output
    assert result.output.endswith(f"{file}: ok\n")


def test_what_nginx_refuses_is_refused_in_its_words(file: Path) -> None:
    file.write_text(CONFIGURATION.replace("listen", "lisen"))
    result = run(file)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == f'nginx: [emerg] unknown directive "lisen" in {file}:7\n'


def test_there_must_be_a_mail_block(file: Path) -> None:
    file.write_text("events {} http {}")
    result = run(file)
    assert result.exit_code == 1
    assert result.stderr == f'there is no "mail" block in {file}\n'


def test_logs_begin_at_the_prefix(file: Path) -> None:
    assert (
        'error_log = "/opt/logs/error.log error"'
        in run("--prefix", "/opt", file).stdout
    )


def test_prefix_is_above_conf_if_it_is_not_given(file: Path, tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    moved = file.rename(tmp_path / "conf" / "nginx.conf")
    assert f'error_log = "{tmp_path}/logs/error.log error"' in run(moved).stdout


def test_version_decides_what_is_known(file: Path) -> None:
    file.write_text(CONFIGURATION.replace("auth_http", "ssl off; auth_http"))
    assert run("--nginx-version", "1.22.1", file).exit_code == 0
    result = run("--nginx-version", "1.28.0", file)
    assert result.stderr == f'nginx: [emerg] unknown directive "ssl" in {file}:6\n'


def test_wrong_command_line_is_2(file: Path) -> None:
    assert run().exit_code == 2
    result = run("--nginx-version", "latest", file)
    assert result.exit_code == 2
    assert "write it as nginx -v does: 1.22.1" in result.output


def test_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    result = run(tmp_path / "none.conf")
    assert result.exit_code == 1
    assert "open() " in result.stderr
    assert "(2: No such file or directory)" in result.stderr


def test_octets_that_are_no_letters_are_left_out(file: Path) -> None:
    file.write_bytes(b"events {} mail { # caf\xe9\n server_name a; ssl_crl \xe9.pem; }")
    result = run(file)
    assert result.exit_code == 0
    assert result.stdout == (
        "[mail]  # caf\N{REPLACEMENT CHARACTER}\n"
        'server_name = "a"\n'
        "# ssl_crl \N{REPLACEMENT CHARACTER}.pem;\n"
        "#   not carried over: not UTF-8; TOML always is\n"
    )
