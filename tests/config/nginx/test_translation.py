"""What each directive becomes, by nginx's own rules for it."""

from textwrap import dedent, indent

import pytest

from tests.config.nginx.site import Site

AUTH = "auth_http 127.0.0.1;"
IMAP = "server { listen 143; }"


def in_mail(nginx: Site, directives: str) -> str:
    """Return what directives of ``mail`` become."""
    text = f"mail {{\n{directives}\n{AUTH}\n{IMAP}\n}}"
    mail = nginx.toml(text).split("[mail]\n")[1].split("\n\n[[mail.server]]")[0]
    return mail.replace('auth_http = "http://127.0.0.1"', "").strip()


def in_server(nginx: Site, directives: str, mail: str = "") -> str:
    """Return what directives of a server become."""
    text = nginx.toml(f"mail {{ {AUTH} {mail}\nserver {{\n{directives}\n}} }}")
    return text.partition("[[mail.server]]\n")[2].strip()


SAME = {
    # Flags, words and bit masks, in any case.
    "xclient off;": "xclient = false",
    "proxy_pass_error_message ON;": "proxy_pass_error_message = true",
    "proxy_protocol on;": 'proxy_protocol = "on"',
    "imap_auth LOGIN plain;": 'imap_auth = ["login", "plain"]',
    "imap_auth plain; imap_auth login plain;": 'imap_auth = ["plain", "login"]',
    "smtp_auth plain;": 'smtp_auth = "plain"',
    "pop3_auth plain apop;": 'pop3_auth = ["plain", "apop"]',
    # Times, numbers and sizes.
    "timeout 90;": 'timeout = "90s"',
    "timeout '1h 30m';": 'timeout = "1h30m"',
    "proxy_timeout 500ms;": 'proxy_timeout = "500ms"',
    "max_errors 10;": "max_errors = 10",
    "proxy_buffer 8K;": 'proxy_buffer = "8k"',
    "smtp_greeting_delay 2s;": 'smtp_greeting_delay = "2s"',
    "smtp_greeting_delay 0;": 'smtp_greeting_delay = "0"',
    # Lists grow.
    "imap_capabilities IMAP4rev1 UIDPLUS;": (
        'imap_capabilities = ["IMAP4rev1", "UIDPLUS"]'
    ),
    "smtp_capabilities 'SIZE 100';": 'smtp_capabilities = ["SIZE 100"]',
    "pop3_capabilities TOP; pop3_capabilities USER 'EXPIRE 3';": (
        'pop3_capabilities = ["TOP", "USER", "EXPIRE 3"]'
    ),
    "auth_http_header X-A 'b c'; auth_http_header X-B $d;": (
        'auth_http_header = ["X-A b c", "X-B $d"]'
    ),
    "set_real_ip_from 10.0.0.0/8; set_real_ip_from unix:;": (
        'set_real_ip_from = ["10.0.0.0/8", "unix:"]'
    ),
    # Words stay what they are: there are no variables.
    "server_name $hostname;": 'server_name = "$hostname"',
    "ssl_ciphers 'HIGH:!aNULL';": 'ssl_ciphers = "HIGH:!aNULL"',
    # File names of certificates begin at the configuration file.
    "ssl_certificate a.pem;": 'ssl_certificate = "a.pem"',
    "ssl_session_ticket_key /a; ssl_session_ticket_key /b;": (
        'ssl_session_ticket_key = ["/a", "/b"]'
    ),
    "ssl_session_ticket_key a.key;": 'ssl_session_ticket_key = "a.key"',
    "ssl_conf_command VerifyCAFile ca.pem;": (
        'ssl_conf_command = "VerifyCAFile ca.pem"'
    ),
    "ssl_conf_command Ciphersuites A; ssl_conf_command Options B;": (
        'ssl_conf_command = ["Ciphersuites A", "Options B"]'
    ),
    # The session cache of the last directive, and the zone of any.
    "ssl_session_cache builtin:1000 shared:SSL:10m;": (
        'ssl_session_cache = "builtin:1000 shared:SSL:10m"'
    ),
    "ssl_session_cache off; ssl_session_cache shared:SSL:10m;": (
        'ssl_session_cache = "off"'
    ),
    "ssl_session_cache shared:SSL:10m; ssl_session_cache builtin;": (
        'ssl_session_cache = "builtin shared:SSL:10m"'
    ),
    "ssl_session_cache shared:SSL:10m; ssl_session_cache none;": (
        'ssl_session_cache = "none"'
    ),
}


@pytest.mark.parametrize(("nginx_says", "we_say"), SAME.items())
def test_directive_becomes_the_same_in_our_words(
    nginx: Site, nginx_says: str, we_say: str
) -> None:
    assert in_mail(nginx, nginx_says) == we_say


MAIN = {
    "worker_processes auto;": 'worker_processes = "auto"',
    "worker_processes 4;": "worker_processes = 4",
    "worker_rlimit_nofile 10240;": "worker_rlimit_nofile = 10240",
    "user www-data;": 'user = "www-data"',
    "user www-data adm;": 'user = ["www-data", "adm"]',
    "pid run/nginx.pid;": 'pid = "/prefix/run/nginx.pid"',
    "pid /run/nginx.pid;": 'pid = "/run/nginx.pid"',
    "error_log stderr debug_core debug_alloc debug_mutex debug_http;": (
        'error_log = "stderr debug"'
    ),
    "error_log logs/error.log;": 'error_log = "/prefix/logs/error.log error"',
    "error_log stderr info;": 'error_log = "stderr info"',
    "error_log stderr debug_mail debug_event;": 'error_log = "stderr debug"',
    "worker_shutdown_timeout 10s;": 'worker_shutdown_timeout = "10s"',
}


@pytest.mark.parametrize(("nginx_says", "we_say"), MAIN.items())
def test_directive_beside_mail_stands_at_the_top(
    nginx: Site, nginx_says: str, we_say: str
) -> None:
    text = nginx.toml(f"mail {{}}\n{nginx_says}")
    assert text == f"{we_say}\n\n[mail]\n"


AUTH_SERVERS = {
    "localhost": "http://localhost",
    "localhost:9000/auth.php?a=b": "http://localhost:9000/auth.php?a=b",
    "http://127.0.0.1/x": "http://127.0.0.1/x",
    "[::1]:80/x": "http://[::1]:80/x",
    "unix:/run/auth.sock:/x": "unix:/run/auth.sock:/x",
}


@pytest.mark.parametrize(("nginx_says", "we_say"), AUTH_SERVERS.items())
def test_auth_server_has_its_scheme(nginx: Site, nginx_says: str, we_say: str) -> None:
    text = nginx.toml(f"mail {{ auth_http {nginx_says}; {IMAP} }}")
    assert f'auth_http = "{we_say}"\n' in text


LISTENS = {
    "listen 143;": 'listen = "143"',
    "listen 143 ssl;": 'listen = "143 ssl"',
    "listen *:143; listen [::]:143 ipv6only=on;": (
        'listen = ["*:143", "[::]:143 ipv6only=on"]'
    ),
    "listen 143 backlog=9 so_keepalive=1m::3;": (
        'listen = "143 backlog=9 so_keepalive=1m::3"'
    ),
    "listen unix:/run/imap.sock;": 'listen = "unix:/run/imap.sock"',
    "listen unix:run/imap.sock ssl;": 'listen = "unix:/prefix/run/imap.sock ssl"',
    "listen localhost:143 bind;": 'listen = "localhost:143 bind"',
    "listen 143 ssl proxy_protocol;": 'listen = "143 ssl proxy_protocol"',
}


@pytest.mark.parametrize(("nginx_says", "we_say"), LISTENS.items())
def test_address_and_its_parameters_become_one_string(
    nginx: Site, nginx_says: str, we_say: str
) -> None:
    tls = "ssl_certificate a; ssl_certificate_key b; ssl_session_tickets off;"
    text = in_server(nginx, f"{nginx_says} protocol imap;", tls)
    assert text == f'{we_say}\nprotocol = "imap"'


def test_range_of_ports_is_as_many_addresses(nginx: Site) -> None:
    text = in_server(nginx, "listen [::1]:1100-1102; protocol pop3;")
    assert '"[::1]:1100", "[::1]:1101", "[::1]:1102"' in text or "1100-1102" in text


def test_the_last_auth_server_and_protocol_win(nginx: Site) -> None:
    text = nginx.toml("""
        mail {
            auth_http a.example.org;
            auth_http b.example.org;
            server { protocol smtp; listen 25; protocol imap; }
        }
    """)
    assert text == dedent("""\
        [mail]
        # auth_http a.example.org;
        #   nginx takes the last one
        auth_http = "http://b.example.org"

        [[mail.server]]
        # protocol smtp;
        #   nginx takes the last one
        protocol = "imap"
        listen = "25"
    """)


def test_zone_is_inherited_beside_the_builtin_cache(nginx: Site) -> None:
    mail = "ssl_session_cache shared:SSL:10m;"
    for own, said in {
        "builtin": "builtin shared:SSL:10m",
        "builtin:5 shared:B:1m": "builtin:5 shared:B:1m",
        "none": "none",
        "off": "off",
    }.items():
        text = in_server(nginx, f"listen 143; ssl_session_cache {own};", mail)
        assert text == f'listen = "143"\nssl_session_cache = "{said}"'


def test_tls_at_once_wins_over_starttls_of_the_server(nginx: Site) -> None:
    tls = "ssl on; ssl_certificate a; ssl_certificate_key b; ssl_session_tickets off;"
    text = in_server(nginx, "listen 143;\nstarttls on;", tls)
    assert text.splitlines()[1:] == [
        "# starttls on;",
        "#   nginx never offers it here, since `ssl on` holds",
    ]


def test_starttls_is_a_word_in_any_case(nginx: Site) -> None:
    tls = "ssl_certificate a; ssl_certificate_key b; ssl_session_tickets off;"
    text = in_server(nginx, "listen 143; starttls Only;", tls)
    assert text == 'listen = "143"\nstarttls = "only"'


def test_key_without_a_certificate_is_left_out(nginx: Site) -> None:
    keys = "ssl_certificate a; ssl_certificate_key b; ssl_certificate_key c;"
    assert in_mail(nginx, keys).splitlines() == [
        'ssl_certificate = "a"',
        "# ssl_certificate_key c;",
        "#   there is no certificate for it",
        'ssl_certificate_key = "b"',
    ]


def test_certificate_that_is_named_twice_is_one_with_its_key(nginx: Site) -> None:
    pair = "ssl_certificate /a; ssl_certificate_key /b;"
    text = in_mail(nginx, pair + pair)
    assert 'ssl_certificate = "/a"\n' in text
    assert text.endswith('ssl_certificate_key = "/b"')


def test_key_in_the_file_itself_is_carried_over_and_never_in_a_comment(
    nginx: Site, pem: tuple[str, str]
) -> None:
    certificate, key = pem
    quoted = f"ssl_certificate 'data:{certificate}'; ssl_certificate_key 'data:{key}';"
    text = in_mail(nginx, quoted)
    assert f'ssl_certificate = """\ndata:{certificate}"""' in text
    assert f'ssl_certificate_key = """\ndata:{key}"""' in text
    broken = in_mail(nginx, "ssl_certificate_key data:secret;")
    assert "secret" not in broken
    assert "# ssl_certificate_key data:…;" in broken
    assert "secret" not in "".join(
        nginx.warnings(f"mail {{ ssl_certificate_key data:secret; {AUTH} {IMAP} }}")
    )


def test_directive_that_is_not_here_is_a_comment_and_a_warning(nginx: Site) -> None:
    document = """
        worker_priority -5;
        mail {
            # as OpenSSL likes it
            ssl_certificate_compression on;
            timeout 0;
        }
    """
    remedy = "let systemd do it (Nice=), or nice"
    zero = '"0" is no deadline; it must be more than 0, within a century'
    assert nginx.toml(document) == dedent(f"""\
        # worker_priority -5;
        #   not carried over: {remedy}

        [mail]
        # as OpenSSL likes it
        # ssl_certificate_compression on;
        #   not carried over: certificates are not compressed
        # timeout 0;
        #   not carried over: {zero}
    """)
    assert nginx.warnings(document) == [
        f"1: worker_priority: not carried over: {remedy}",
        "4: ssl_certificate_compression: not carried over: certificates are not"
        " compressed",
        f"5: timeout: not carried over: {zero}",
    ]


def test_word_that_is_not_here_is_left_out_of_its_list(nginx: Site) -> None:
    document = f"mail {{ {AUTH} {IMAP}\nimap_capabilities A 'B\x01' C; }}"
    assert 'imap_capabilities = ["A", "C"]\n' in nginx.toml(document)
    assert nginx.warnings(document)[0].startswith(
        "2: imap_capabilities: not carried over: "
    )


def test_what_nobody_will_miss_is_not_warned_about(nginx: Site) -> None:
    document = f"""
        daemon on; master_process on; pcre_jit on; thread_pool a threads=2;
        load_module modules/ngx_http_perl_module.so; stream {{ server {{}} }}
        mail {{ proxy on; ssl_certificate_compression off; {AUTH} {IMAP} }}
    """
    assert nginx.warnings(document.replace("daemon on", "daemon off")) == []


def test_repeated_word_is_warned_about_as_nginx_does(nginx: Site) -> None:
    document = f"mail {{ {AUTH} {IMAP}\nsmtp_auth plain PLAIN; }}"
    assert nginx.warnings(document) == ['2: : duplicate value "PLAIN"']


def test_include_loop_ends_as_it_does_in_nginx(nginx: Site) -> None:
    nginx.write("events {} include more.conf;")
    nginx.write("mail {}\n include nginx.conf;", "more.conf")
    assert nginx.refusal() == (
        f'open() "{nginx.file}" failed (24: Too many open files)'
        f" in {nginx.directory}/more.conf:2"
    )


def test_document_is_toml_whatever_its_bytes(nginx: Site) -> None:
    document = f"mail {{ # caf\udce9 \x07\n server_name \udce9; {AUTH} {IMAP} }}"
    text = nginx.toml(indent(document, ""))
    assert text.splitlines()[0] == "[mail]  # caf\N{REPLACEMENT CHARACTER} \ufffd"
    assert "server_name = " not in text


def test_server_with_fewer_certificates_than_inherited_keys_takes_the_first(
    nginx: Site,
) -> None:
    pairs = (
        "ssl_certificate /a; ssl_certificate /b;"
        "ssl_certificate_key /a.key; ssl_certificate_key /b.key;"
        "ssl_session_tickets off;"
    )
    text = in_server(nginx, "listen 993 ssl;\nssl_certificate /c;", pairs)
    assert text.splitlines()[1:] == [
        'ssl_certificate = "/c"',
        "# nginx takes the first of the keys in mail",
        'ssl_certificate_key = "/a.key"',
    ]


def test_file_names_are_written_in_full(nginx: Site) -> None:
    text = nginx.imported(f"""
        error_log logs/mail.log;
        mail {{
            ssl_certificate tls/a.pem; ssl_conf_command VerifyCAPath ca;
            {AUTH} {IMAP}
        }}
    """).text
    assert f'ssl_certificate = "{nginx.directory}/tls/a.pem"\n' in text
    assert f'ssl_conf_command = "VerifyCAPath {nginx.directory}/ca"\n' in text
    assert 'error_log = "/prefix/logs/mail.log error"\n' in text


def test_lua_in_a_skipped_block_is_not_taken_for_nginx(nginx: Site) -> None:
    lua = """
        content_by_lua_block {
            -- it's a "{" in a comment
            local quoted = '}' .. "{" .. [[ }} ' ]]
            if quoted then return { 1, 2 } end
        }
    """
    document = f"http {{ server {{ {lua} }} }} mail {{ {AUTH} {IMAP} }}"
    assert nginx.toml(document).startswith("# http { … }\n")


def test_words_of_a_module_that_we_do_not_know_are_left_to_it(nginx: Site) -> None:
    document = """
        load_module modules/ngx_rtmp_module.so;
        rtmp { server { listen 1935; } }
        rtmp_auto_push on;
        mail {}
    """
    assert nginx.toml(document) == dedent("""\
        # load_module modules/ngx_rtmp_module.so;
        #   a matter of nginx itself
        # rtmp { … }
        #   not carried over: not known here
        # rtmp_auto_push on;
        #   not carried over: not known here

        [mail]
    """)
    assert len(nginx.warnings(document)) == 2
    nginx.write("load_module modules/ngx_mail_module.so;\nrtmp {}")
    assert nginx.refusal() == f'unknown directive "rtmp" in {nginx.file}:2'


def test_logs_stand_where_they_stood(nginx: Site) -> None:
    mail = f"""
        error_log logs/error.log;
        mail {{
            {AUTH}
            # who comes and goes
            error_log logs/mail.log info;
            error_log syslog:server=unix:/dev/log warn;
            server {{
                listen 143;
                error_log stderr;
            }}
        }}
    """
    assert nginx.toml(mail) == dedent("""\
        error_log = "/prefix/logs/error.log error"

        [mail]
        auth_http = "http://127.0.0.1"
        # who comes and goes
        error_log = ["/prefix/logs/mail.log info", "syslog:server=unix:/dev/log warn"]

        [[mail.server]]
        listen = "143"
        error_log = "stderr error"
    """)
