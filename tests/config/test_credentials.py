"""``credential:NAME``: a file that systemd's LoadCredential= has put there."""

from pathlib import Path
from textwrap import dedent

import pytest
import trustme
from click.testing import CliRunner, Result

from mailssl_trio.cli.check import check
from mailssl_trio.cli.show import show

CONFIGURATION = """\
    [mail]
    ssl_certificate = "cert.pem"
    ssl_certificate_key = "credential:privkey.pem"
    [[mail.server]]
    listen = "993 ssl"
    proxy_pass = "127.0.0.1"
"""


@pytest.fixture
def file(tmp_path: Path, pairs: tuple[trustme.LeafCert, trustme.LeafCert]) -> Path:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    pairs[0].private_key_pem.write_to_path(str(credentials / "privkey.pem"))
    (credentials / "privkey.pem").chmod(0o400)
    (tmp_path / "cert.pem").write_bytes(pairs[0].cert_chain_pems[0].bytes())
    file = tmp_path / "mail.toml"
    file.write_text(dedent(CONFIGURATION))
    return file


def checked(file: Path, directory: Path | str = "") -> Result:
    surroundings = {"CREDENTIALS_DIRECTORY": str(directory)}
    return CliRunner(env=surroundings).invoke(check, [str(file)])


def test_credential_is_found_where_systemd_has_put_it(file: Path) -> None:
    credentials = file.parent / "credentials"
    assert checked(file, credentials).output == f"{file}: ok\n"
    surroundings = {"CREDENTIALS_DIRECTORY": str(credentials)}
    shown = CliRunner(env=surroundings).invoke(show, [str(file)]).output
    assert f'ssl_certificate_key = "{credentials}/privkey.pem"' in shown


def test_where_there_are_none_the_remedy_is_named(file: Path) -> None:
    result = checked(file)
    assert result.exit_code == 78
    assert result.output == (
        f'{file}:3: mail.ssl_certificate_key: there is no credential "privkey.pem":'
        " $CREDENTIALS_DIRECTORY is not set; have systemd set it (LoadCredential=), or"
        " set it to a directory of files\n"
    )


@pytest.mark.parametrize("name", ["", "../key.pem", "a/b", "..", "a b"])
def test_name_is_that_of_a_file_in_the_directory(file: Path, name: str) -> None:
    file.write_text(file.read_text().replace("privkey.pem", name))
    result = checked(file, file.parent / "credentials")
    assert result.exit_code == 78
    assert "is not the name of a credential" in result.output
