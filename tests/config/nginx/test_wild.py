"""Configurations as people have them can be served, and nginx would take them too."""

import re
from textwrap import dedent

import pytest

from mailssl_trio.config.load import load
from mailssl_trio.config.model import Config
from tests.config.nginx.oracle import MODULE, nginx_says
from tests.config.nginx.site import Site as NginxSite
from tests.config.nginx.wild import (
    CONTAINER_SUITE,
    DISTRIBUTION,
    DOCUMENTATION,
    GUIDE,
    SUITE_FILES,
    WILD,
)
from tests.config.site import Site

HERE = re.compile(r"(?m)^(load_module .*|.*include /etc/nginx.*|worker_rlimit.*)$")
"""What would need the machine that a configuration is from."""

USER = re.compile(r"(?m)^user .*;$")


def lay_out(nginx: NginxSite, document: str) -> None:
    for name, text in SUITE_FILES.items():
        nginx.write(text, name)
    nginx.write(USER.sub("user nobody;", document))


def served(nginx: NginxSite, site: Site, document: str) -> Config:
    """Return what serves in its place, from the text that import-nginx prints."""
    lay_out(nginx, document)
    return site.load(nginx.imported_file().text)


@pytest.mark.parametrize("name", WILD)
def test_configuration_is_imported_and_passes_the_check(
    nginx: NginxSite, site: Site, name: str
) -> None:
    config = served(nginx, site, WILD[name])
    in_memory = load(nginx.file, environment={})
    assert [server.listens for server in in_memory.servers] == [
        server.listens for server in config.servers
    ]
    assert len(config.servers) >= 2


@pytest.mark.interop
@pytest.mark.parametrize("name", WILD)
def test_nginx_takes_it(nginx: NginxSite, site: Site, name: str) -> None:
    document = HERE.sub("", WILD[name])
    lay_out(nginx, f"load_module {MODULE};\npid nginx.pid;\n{_without_pid(document)}")
    assert site.directory == nginx.directory
    said = nginx_says(nginx.file)
    assert [each for each in said if "deprecated" not in each] == []


def _without_pid(document: str) -> str:
    return re.sub(r"(?m)^(pid|user) .*;$", "", document)


def test_documentation_example_is_the_same_line_for_line(nginx: NginxSite) -> None:
    nginx.write(DOCUMENTATION)
    assert nginx.imported_file().text == dedent("""\
        worker_processes = "auto"

        error_log = "/var/log/error.log info"

        worker_connections = 1024

        [mail]
        server_name = "mail.example.com"
        auth_http = "http://localhost:9000/cgi-bin/nginxauth.cgi"

        imap_capabilities = ["IMAP4rev1", "UIDPLUS", "IDLE", "LITERAL+", "QUOTA"]

        pop3_auth = ["plain", "apop", "cram-md5"]
        pop3_capabilities = ["LAST", "TOP", "USER", "PIPELINING", "UIDL"]

        smtp_auth = ["login", "plain", "cram-md5"]
        smtp_capabilities = ["SIZE 10485760", "ENHANCEDSTATUSCODES", "8BITMIME", "DSN"]
        xclient = false

        # Where nothing is said, nginx has this:
        smtp_client_buffer = "4k"

        [[mail.server]]
        listen = "25"
        protocol = "smtp"

        [[mail.server]]
        listen = "110"
        protocol = "pop3"
        proxy_pass_error_message = true

        [[mail.server]]
        listen = "143"
        protocol = "imap"

        [[mail.server]]
        listen = "587"
        protocol = "smtp"
    """)


def test_tls_of_the_whole_server_stays_that(nginx: NginxSite, site: Site) -> None:
    config = served(nginx, site, GUIDE)
    assert all(listen.ssl for server in config.servers for listen in server.listens)
    tls = config.servers[0].tls
    assert tls is not None
    assert tls.protocols == ("TLSv1", "TLSv1.1", "TLSv1.2")
    assert tls.session_tickets


def test_what_is_not_of_mail_is_not_looked_at(nginx: NginxSite, site: Site) -> None:
    config = served(nginx, site, DISTRIBUTION)
    assert [str(server.listens[0]) for server in config.servers] == [
        "localhost:110",
        "localhost:143",
    ]


def test_lists_of_a_server_hide_those_of_mail(nginx: NginxSite, site: Site) -> None:
    config = served(nginx, site, CONTAINER_SUITE)
    assert [server.protocol for server in config.servers] == ["smtp", "smtp", "imap"]
    text = nginx.imported_file().text
    assert 'auth_http_header = ["Auth-Port 10025", "Client-Port $remote_port"]' in text
    assert (
        "# SMTP is always enabled, to avoid losing emails when TLS is failing" in text
    )
