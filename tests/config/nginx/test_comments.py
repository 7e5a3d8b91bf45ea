"""Comments stay with what they are about, wherever that goes."""

from textwrap import dedent

from tests.config.nginx.site import Site

DOCUMENT = """
    # who serves
    worker_processes 2;  # a pair
    mail {                      # the gateway
        # IMAP, for all
        server {  # one
            # the port
            listen 143;     # in the clear
            # nothing below
        }

        # who may log in
        #
        #   (a script)
        auth_http 127.0.0.1:9000;
        ssl_certificate /rsa.pem;        # until May
        ssl_certificate_key /rsa.key;
        # and for the young
        ssl_certificate /ecdsa.pem;
        ssl_certificate_key /ecdsa.key;
        timeout # in
                # minutes
                1m;
        ssl_certificate_compression on; # small
        # the end of mail
    } # closed
    # the end of all
"""


def test_comments_stay_above_and_behind_what_they_are_about(nginx: Site) -> None:
    assert nginx.toml(DOCUMENT) == dedent("""\
        # who serves
        worker_processes = 2  # a pair

        [mail]  # the gateway
        # who may log in
        #
        #   (a script)
        auth_http = "http://127.0.0.1:9000"
        ssl_certificate = [
            "/rsa.pem",
            # and for the young
            "/ecdsa.pem",
        ]  # until May
        ssl_certificate_key = ["/rsa.key", "/ecdsa.key"]
        # in
        # minutes
        timeout = "1m"
        # ssl_certificate_compression on;
        #   not carried over: certificates are not compressed
        #   small
        # the end of mail
        # closed

        # IMAP, for all
        [[mail.server]]  # one
        # the port
        listen = "143"  # in the clear
        # nothing below

        # the end of all
    """)


def test_what_is_skipped_leaves_a_line_for_the_comments_above_it(nginx: Site) -> None:
    assert nginx.toml("""
        # web
        http { # here
            # lost
            server { listen 80; }
        }
        mail {}
    """) == dedent("""\
        # web
        # http { … }
        #   not of the mail proxy
        #   here

        [mail]
    """)


def test_events_become_what_there_is_of_them_and_comments(nginx: Site) -> None:
    nginx.write("""
        # how
        events {
            # many
            worker_connections 768;
            # multi_accept on;
        }
        mail {}
    """)
    directory = nginx.directory
    text = nginx.imported_file().text.replace(f"{directory}/", "")
    assert text == dedent("""\
        # how
        # many
        worker_connections = 768
        # multi_accept on;

        [mail]
    """)
