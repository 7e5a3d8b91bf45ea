"""The schema for editors, and the file of defaults, against the program itself."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from mailssl_trio.cli.show import schema_as_json
from mailssl_trio.config.defaults import defaults
from mailssl_trio.config.dictionary import dictionary
from mailssl_trio.config.directives import TOP, MailDirectives, TopDirectives
from mailssl_trio.config.effective import as_toml
from mailssl_trio.config.schema import schema
from mailssl_trio.config.structure import CONVERTER
from tests.config.site import Site, misfits

CONF = Path(__file__).parents[2] / "conf"

SERVER = '[mail]\nproxy_pass = "10.0.0.1"\n[[mail.server]]\nlisten = "127.0.0.1:143"\n'


def test_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema())


def test_patterns_have_no_escapes_that_editors_do_not_know() -> None:
    patterns = re.findall(r'"pattern": ("(?:[^"\\]|\\.)*")', schema_as_json())
    escapes = {
        found for each in patterns for found in re.findall(r"\\.", json.loads(each))
    }
    assert escapes == {r"\s", r"\S", r"\."}


def test_shipped_schema_is_the_programs() -> None:
    shipped = (CONF / "mail.schema.json").read_text()
    assert shipped == schema_as_json(), (
        "mailssl-trio show --schema > conf/mail.schema.json"
    )


def test_shipped_configuration_names_the_schema_and_fits() -> None:
    text = (CONF / "mail.toml").read_text()
    found = re.match(r"#:schema \./(\S+)\n", text)
    assert found is not None
    assert (CONF / found[1]).is_file()
    assert misfits(text) == []


def test_effective_configuration_fits(site: Site) -> None:
    assert misfits(as_toml(site.load(SERVER))) == []


@pytest.mark.parametrize(
    "line",
    [
        'startls = "only"',
        'pid = "gateway.pid"',
        "mail = {}",
        'timeout = "5x"',
        "timeout = 0",
        "timeout = true",
        'timeout = ""',
        'ssl_session_timeout = "500ms"',
        "max_errors = true",
        "max_errors = -1",
        'starttls = "maybe"',
        'ssl = "yes"',
        'ssl_protocols = ["TLSv1.2", "TLSv1.4"]',
        'ssl_protocols = "TLSv1.2 TLSv1.4"',
        "ssl_protocols = []",
        'imap_auth = "plain apop"',
        "imap_capabilities = true",
        'server_name = "mäil"',
        'protocol = "nntp"',
        "proxy_pass = 1",
        'proxy_ssl = "only"',
        'proxy_protocol = "v3"',
        'proxy_buffer = "4g"',
        'ssl_ciphers = ""',
        'ssl_crl = "data:-----BEGIN"',
        'ssl_session_cache = "some"',
        "users = {}",
    ],
)
def test_typical_mistakes_do_not_fit(line: str) -> None:
    assert misfits(SERVER) == []
    assert misfits(f"{SERVER}{line}\n") != []


@pytest.mark.parametrize(
    "document",
    [
        "",
        "[mail]\n",
        "[mail]\n[[mail.server]]\n",
        f"worker_processes = 0\n{SERVER}",
        f'worker_processes = "many"\n{SERVER}',
        f'starttls = "only"\n{SERVER}',
        "[mail]\nserver = {}\n",
    ],
)
def test_unfinished_files_do_not_fit(document: str) -> None:
    assert misfits(document) != []


def test_defaults_are_toml_as_they_are() -> None:
    assert tomllib.loads(defaults()) == {"mail": {"server": [{}]}}


def test_defaults_taken_up_change_nothing() -> None:
    text = re.sub("^#(?=[a-z])", "", defaults(), flags=re.MULTILINE)
    tables = tomllib.loads(text)
    mail = tables.pop("mail")
    assert mail.pop("server") == [{}]
    top = CONVERTER.structure(tables, TopDirectives)
    assert top == TopDirectives()
    assert CONVERTER.structure(mail, MailDirectives) == MailDirectives()


def test_defaults_name_every_directive_where_it_may_stand() -> None:
    above, _, below = defaults().partition("\n[mail]\n")
    names = re.compile("^# ?([a-z0-9_]+) = ", re.MULTILINE)
    assert set(names.findall(above)) == TOP
    expected = [each.name for each in dictionary() if each.contexts != ("at the top",)]
    assert names.findall(below) == expected


def test_descriptions_are_the_sentences() -> None:
    properties = json.loads(schema_as_json())["$defs"]["server"]["properties"]
    said = {name: value["description"] for name, value in properties.items()}
    assert said["proxy_buffer"] == (
        "The longest reply of a backend before its login is over."
        " Unset: 4k a line; IMAP 64k."
    )
