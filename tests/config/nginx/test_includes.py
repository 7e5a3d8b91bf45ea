"""Files that a configuration includes, and where things in them stand."""

import pytest

from mailssl_trio.config.load import load
from mailssl_trio.config.problem import ConfigError
from mailssl_trio.files import Content, Files
from tests.config.nginx.site import Site

MAIN = """
    # modules first
    include modules/*.conf;
    mail {
        auth_http 127.0.0.1;
        # the servers
        include servers/*.conf;
    }
"""


def lay_out(nginx: Site) -> None:
    nginx.write("events {}", "modules/events.conf")
    nginx.write("server { listen 127.0.0.1:993; }", "servers/b.conf")
    nginx.write("server {\n listen 127.0.0.1:110;\n }\n", "servers/a.conf")
    nginx.write("server { listen 127.0.0.1:995; }", "servers/.hidden.conf")
    nginx.write(MAIN)


def test_files_stand_where_they_are_included_in_the_order_of_their_names(
    nginx: Site,
) -> None:
    lay_out(nginx)
    tables = [
        line
        for line in nginx.imported_file().text.splitlines()
        if line.startswith(("[", "listen", "#"))
    ]
    assert tables == [
        "# modules first",
        "# include modules/*.conf;",
        "[mail]",
        "# the servers",
        "# include servers/*.conf;",
        "[[mail.server]]",
        'listen = "127.0.0.1:110"',
        "[[mail.server]]",
        'listen = "127.0.0.1:993"',
    ]


def test_many_files_are_read_by_the_order_of_their_octets(nginx: Site) -> None:
    lay_out(nginx)
    for name, port in (
        ("Z", 5),
        ("m", 3),
        ("10", 7),
        ("9", 6),
        ("\u00e9", 2),
        ("c", 4),
    ):
        server = f"server {{ protocol imap; listen {port}; }}"
        nginx.write(server, f"servers/{name}.conf")
    text = nginx.imported_file().text
    ports = [line.split('"')[1] for line in text.splitlines() if "listen" in line]
    others = ["127.0.0.1:110", "127.0.0.1:993"]
    assert ports == ["7", "6", "5", *others, "4", "3", "2"]


def test_mistake_is_told_by_the_file_it_is_in(nginx: Site) -> None:
    lay_out(nginx)
    nginx.write("server { listen 993;\n}\n}", "servers/b.conf")
    file = nginx.directory / "servers" / "b.conf"
    assert nginx.refusal() == f'unexpected "}}" in {file}:3'
    nginx.write("server { listen 993;\n", "servers/b.conf")
    said = 'unexpected end of file, expecting "}"'
    assert nginx.refusal() == f"{said} in {file}:2"


def test_pattern_may_match_nothing_and_a_name_may_not(nginx: Site) -> None:
    nginx.write("events {} include none/*.conf; mail {}")
    assert nginx.refusal() == ""
    nginx.write("events {} include none/a.conf;")
    assert nginx.refusal().startswith(f'open() "{nginx.directory}/none/a.conf" failed')


def test_what_was_read_once_is_handed_down_with_all_its_files(nginx: Site) -> None:
    lay_out(nginx)
    files = Files()
    before = load(nginx.file, environment={}, files=files)
    for name in ("a", "b"):
        (nginx.directory / "servers" / f"{name}.conf").unlink()
    nginx.write("server { listen 127.0.0.1:25; }", "servers/new.conf")
    again = load(nginx.file, environment={}, files=Files(files.known, on_disk=False))
    assert again.servers == before.servers
    assert [server.protocol for server in again.servers] == ["pop3", "imap"]


def test_problem_in_a_file_is_told_by_the_include_of_the_main_one(nginx: Site) -> None:
    lay_out(nginx)
    nginx.write(
        "server { listen 127.0.0.1:110;\n ssl_certificate none.pem;"
        " ssl_certificate_key none.pem;\n starttls only; }\n",
        "servers/a.conf",
    )
    with pytest.raises(ConfigError) as caught:
        load(nginx.file, environment={})
    problem = caught.value.problems[0]
    assert (problem.file, problem.line) == (nginx.file, 6)
    assert problem.path == "mail.server[0].ssl_certificate"


def test_refusal_is_a_problem_of_the_file_it_is_in(nginx: Site) -> None:
    lay_out(nginx)
    file = nginx.write("server {\n lisen 110; }", "servers/a.conf")
    with pytest.raises(ConfigError) as caught:
        load(nginx.file, environment={})
    assert str(caught.value) == f'{file}:2: unknown directive "lisen"'


def test_toml_may_be_named_conf(nginx: Site) -> None:
    text = (
        '[mail]\nproxy_pass = "10.0.0.1"\n[[mail.server]]\nlisten = "127.0.0.1:143"\n'
    )
    files = Files({nginx.file: Content(text.encode())})
    assert load(nginx.file, environment={}, files=files).servers[0].protocol == "imap"


def test_configuration_without_mail_is_of_no_use(nginx: Site) -> None:
    nginx.write("events {} http {}")
    with pytest.raises(ConfigError, match='there is no "mail" block'):
        load(nginx.file, environment={})
