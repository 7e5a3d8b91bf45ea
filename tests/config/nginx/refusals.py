"""Documents that nginx refuses, and its words for why.

Each stands below one line, so that its first is the second; HERE is the file.
"""

SYNTAX = {
    "foo bar;": 'unknown directive "foo" in HERE:2',
    "mail { foo; }": 'unknown directive "foo" in HERE:2',
    "mail { root /x; }": '"root" directive is not allowed here in HERE:2',
    "mail { listen 1; }": '"listen" directive is not allowed here in HERE:2',
    "mail { server { server {} } }": '"server" directive is not allowed here in HERE:2',
    "mail { events {} }": '"events" directive is not allowed here in HERE:2',
    "worker_connections 5;": '"worker_connections" directive is not allowed here'
    " in HERE:2",
    "mail { timeout; }": 'invalid number of arguments in "timeout" directive in HERE:2',
    "mail { timeout 1 2; }": 'invalid number of arguments in "timeout" directive'
    " in HERE:2",
    "mail x {}": 'invalid number of arguments in "mail" directive in HERE:2',
    "mail { ssl_conf_command A; }": 'invalid number of arguments in "ssl_conf_command"'
    " directive in HERE:2",
    "mail { ssl_protocols; }": 'invalid number of arguments in "ssl_protocols"'
    " directive in HERE:2",
    "user;": 'invalid number of arguments in "user" directive in HERE:2',
    "include a b;": 'invalid number of arguments in "include" directive in HERE:2',
    "mail { timeout 5 { } }": 'directive "timeout" is not terminated by ";" in HERE:2',
    "include x { }": 'directive "include" is not terminated by ";" in HERE:2',
    "mail;": 'directive "mail" has no opening "{" in HERE:2',
    "mail { server; }": 'directive "server" has no opening "{" in HERE:2',
    "mail {}\nmail {}": '"mail" directive is duplicate in HERE:3',
    "events {}": '"events" directive is duplicate in HERE:2',
    "mail {\n": 'unexpected end of file, expecting "}" in HERE:3',
    "mail {\nserver {\n": 'unexpected end of file, expecting "}" in HERE:4',
    "mail { }\n}\n": 'unexpected "}" in HERE:3',
    "mail {\n timeout 5": 'unexpected end of file, expecting ";" or "}" in HERE:3',
    "mail {\n timeout\n\n": 'unexpected end of file, expecting ";" or "}" in HERE:5',
    'mail { server_name "a\n;}\n': 'unexpected end of file, expecting ";" or "}"'
    " in HERE:4",
    "mail { server_name 'abc; }": 'unexpected end of file, expecting ";" or "}"'
    " in HERE:2",
    "mail { server_name abc\\": 'unexpected end of file, expecting ";" or "}"'
    " in HERE:2",
    'mail { server_name "abc"': 'unexpected end of file, expecting ";" or "}"'
    " in HERE:2",
    "mail { 'a'b; }": 'unexpected "b" in HERE:2',
    "mail { ; }": 'unexpected ";" in HERE:2',
    "{ }": 'unexpected "{" in HERE:2',
    "mail { timeout } ": 'unexpected "}" in HERE:2',
    'mail { timeout "5" } ': 'unexpected "}" in HERE:2',
    "mail { server_name a${b}c$d{ }": 'directive "server_name" is not terminated by'
    ' ";" in HERE:2',
    "mail { server_name 'a')b; }": 'invalid number of arguments in "server_name"'
    " directive in HERE:2",
    f"mail {{\n# {'x' * 5000}\n}}": 'too long parameter "# xxxxxxxx..." started'
    " in HERE:3",
    f"mail {{ server_name {'x' * 5000}; }}": 'too long parameter "xxxxxxxxxx..."'
    " started in HERE:2",
    f"mail {{\nserver_name '{'x' * 5000}'; }}": "too long parameter, probably missing"
    ' terminating "\'" character in HERE:3',
    "http { server {": 'unexpected end of file, expecting "}" in HERE:2',
    "include nowhere.conf;": 'open() "DIRECTORY/nowhere.conf" failed'
    " (2: No such file or directory) in HERE:2",
    "mail {\ninclude nowhere.conf;}": 'open() "DIRECTORY/nowhere.conf" failed'
    " (2: No such file or directory) in HERE:3",
}

VALUES = {
    "mail { xclient maybe; }": 'invalid value "maybe" in "xclient" directive,'
    ' it must be "on" or "off" in HERE:2',
    "mail { ssl_session_tickets 1; }": 'invalid value "1" in "ssl_session_tickets"'
    ' directive, it must be "on" or "off" in HERE:2',
    "mail { starttls x; }": 'invalid value "x" in HERE:2',
    "mail { ssl_verify_client sure; }": 'invalid value "sure" in HERE:2',
    "mail { imap_auth plain apop; }": 'invalid value "apop" in HERE:2',
    "mail { pop3_auth login; }": 'invalid value "login" in HERE:2',
    "mail { ssl_protocols TLSv9; }": 'invalid value "TLSv9" in HERE:2',
    "mail { max_errors x; max_errors 2; }": '"max_errors" directive invalid number'
    " in HERE:2",
    "mail { max_errors 1; max_errors x; }": '"max_errors" directive is duplicate'
    " in HERE:2",
    "mail { ssl_verify_depth -1; }": '"ssl_verify_depth" directive invalid number'
    " in HERE:2",
    "mail { server_name a; server_name a; }": '"server_name" directive is duplicate'
    " in HERE:2",
    "pid a; pid b;": '"pid" directive is duplicate in HERE:2',
    "worker_processes 1; worker_processes 1;": '"worker_processes" directive is'
    " duplicate in HERE:2",
    "worker_processes few;": '"worker_processes" directive invalid value in HERE:2',
    "mail { proxy_buffer 1g; }": '"proxy_buffer" directive invalid value in HERE:2',
    "mail { proxy_buffer k; }": '"proxy_buffer" directive invalid value in HERE:2',
    "mail { error_log x foo; }": 'invalid log level "foo" in HERE:2',
    "mail { error_log stderr info info; }": 'duplicate log level "info" in HERE:2',
    "mail { error_log stderr info warn; }": 'duplicate log level "warn" in HERE:2',
    "mail { resolver off; resolver off; }": '"resolver" directive is duplicate'
    " in HERE:2",
    "mail { resolver 127.0.0.1 valid=x; }": "invalid parameter: valid=x in HERE:2",
    "mail { resolver 127.0.0.1 ipv6=x; }": "invalid parameter: ipv6=x in HERE:2",
    "mail { ssl_session_cache x; }": 'invalid session cache "x" in HERE:2',
    "mail { ssl_session_cache builtin:x; }": 'invalid session cache "builtin:x"'
    " in HERE:2",
    "mail { ssl_session_cache shared::1m; }": 'invalid session cache "shared::1m"'
    " in HERE:2",
    "mail { ssl_session_cache shared:a; }": 'invalid session cache "shared:a"'
    " in HERE:2",
    "mail { ssl_session_cache shared:a:1k; }": 'session cache "shared:a:1k" is too'
    " small in HERE:2",
    "mail { ssl_session_cache shared:a:1m; server { ssl_session_cache shared:a:2m;": (
        'the size 2097152 of shared memory zone "a" conflicts with already declared'
        " size 1048576 in HERE:2"
    ),
    "mail { server { protocol IMAP; } }": 'unknown protocol "IMAP" in HERE:2',
    "mail { auth_http https://127.0.0.1/x; }": "invalid port in auth_http"
    ' "https://127.0.0.1/x" in HERE:2',
    "mail { auth_http http://:80/; }": 'no host in auth_http ":80/" in HERE:2',
    "mail { auth_http http://; }": 'no host in auth_http "" in HERE:2',
    "mail { auth_http unix:; }": "no path in the unix domain socket in auth_http"
    ' "unix:" in HERE:2',
    "mail { auth_http [::1; }": 'invalid host in auth_http "[::1" in HERE:2',
    "mail { auth_http []:80; }": 'no host in auth_http "[]:80" in HERE:2',
    "mail { auth_http 127.0.0.1:x/; }": 'invalid port in auth_http "127.0.0.1:x/"'
    " in HERE:2",
}

TIMES = {
    f"mail {{ {name} '{time}'; }}": f'"{name}" directive invalid value in HERE:2'
    for name, times in {
        "timeout": ("1y", "1M", "30m1h", "", "1 s", "1x", "5 5ms", "s", "1.5s"),
        "ssl_session_timeout": ("1ms", "1s1ms", "30m1h", "1h1h", "5 5s", "1m1x"),
    }.items()
    for time in times
}

LISTENS = {
    f"mail {{ server {{ listen {arguments}; }} }}": f"{said} in HERE:2"
    for arguments, said in {
        **{
            text: f'{wrong} in "{text}" of the "listen" directive'
            for text, wrong in {
                "localhost:": "invalid port",
                ":143": "no host",
                "a/b": "invalid host",
                "0": "invalid port",
                "70000": "invalid port",
                "127.0.0.1:0": "invalid port",
                "127.0.0.1:x": "invalid port",
                "2-1": "invalid port range",
                "127.0.0.1:5-4": "invalid port range",
                "127.0.0.1:1-70000": "invalid port",
                "1-70000": "invalid port",
                "unix:": "no path in the unix domain socket",
                "[::1": "invalid host",
                "[::1]143": "invalid host",
                "[zz]:143": "invalid IPv6 address",
                "[::]:x": "invalid port",
                "[]:1": "no host",
            }.items()
        },
        "143 backlog=0": 'invalid backlog "backlog=0"',
        "143 backlog=x": 'invalid backlog "backlog=x"',
        "143 rcvbuf=x": 'invalid rcvbuf "rcvbuf=x"',
        "143 sndbuf=1g": 'invalid sndbuf "sndbuf=1g"',
        "143 ipv6only=offf": 'invalid ipv6only flags "offf"',
        "143 so_keepalive=x": 'invalid so_keepalive value: "x"',
        "143 so_keepalive=::": 'invalid so_keepalive value: "::"',
        "143 so_keepalive=": 'invalid so_keepalive value: ""',
        "143; listen 143": 'duplicate "0.0.0.0:143" address and port pair',
        "*:143; listen 0.0.0.0:143": 'duplicate "0.0.0.0:143" address and port pair',
        "1-4; listen 3": 'duplicate "0.0.0.0:3" address and port pair',
        "[::1]:143; listen [0:0::1]:143": 'duplicate "[::1]:143" address and port pair',
        "unix:/a; listen unix:/a": 'duplicate "unix:/a" address and port pair',
    }.items()
}

PARAMETERS = {
    f"mail {{ server {{ listen 143 {word}; }} }}": (
        f'invalid parameter "{word}" in HERE:2'
    )
    for word in ("reuseport", "ipv6only=maybe", "SSL", "default_server", "backlog")
}

OLD_WORDS = {
    **{
        document: said.replace("invalid parameter", "the invalid").replace(
            " in HERE", " parameter in HERE"
        )
        for document, said in PARAMETERS.items()
    },
    "mail { proxy_protocol v2; }": 'invalid value "v2" in "proxy_protocol" directive,'
    ' it must be "on" or "off" in HERE:2',
}
"""What nginx 1.22 says in other words."""

COMPLETE = {
    "mail { server {} }": 'no "listen" is defined for server in HERE:2',
    "mail {\nserver {\nlisten 1043; } }": "unknown mail protocol for server in HERE:3",
    "mail {\nserver {\nlisten 143; } }": (
        'no "auth_http" is defined for server in HERE:3'
    ),
    "mail { auth_http 127.0.0.1;\nserver {\nlisten 143 ssl; } }": (
        'no "ssl_certificate" is defined for the "listen ... ssl" directive in HERE:4'
    ),
    "mail { auth_http 127.0.0.1;\nstarttls on;\nserver {\nlisten 143; } }": (
        'no "ssl_certificate" is defined for the "starttls" directive in HERE:3'
    ),
    "mail { auth_http 127.0.0.1; ssl_certificate a; server {\nlisten 143 ssl; } }": (
        'no "ssl_certificate_key" is defined for the "listen ... ssl" directive'
        " in HERE:3"
    ),
    "mail { ssl_certificate a; ssl_certificate b; ssl_certificate_key c; server {\n"
    "listen 143 ssl; } }": (
        'no "ssl_certificate_key" is defined for certificate "b" and the'
        ' "listen ... ssl" directive in HERE:3'
    ),
    # The order of nginx's modules: protocols, TLS, auth servers.
    "mail { server { listen 143 ssl; } server {\nlisten 1043; } }": (
        "unknown mail protocol for server in HERE:2"
    ),
    "mail { server { listen 143; } server {\nlisten 110 ssl; } }": (
        'no "ssl_certificate" is defined for the "listen ... ssl" directive in HERE:3'
    ),
    # What is wrong first is said first, be it the syntax or the sense.
    "mail { foo; server { listen 143;": 'unknown directive "foo" in HERE:2',
    "mail { } }": 'unexpected "}" in HERE:2',
}

OF_1_22 = {
    "mail { auth_http 127.0.0.1; server {\nlisten 143; ssl on; } }": (
        'no "ssl_certificate" is defined for the "ssl" directive in HERE:3'
    ),
    "mail { ssl on; starttls on; }": '"ssl" directive conflicts with "starttls"'
    " in HERE:2",
    "mail { starttls only; ssl on; }": '"starttls" directive conflicts with "ssl on"'
    " in HERE:2",
    "mail { ssl_certificate_compression on; }": "unknown directive"
    ' "ssl_certificate_compression" in HERE:2',
}

REFUSED = {**SYNTAX, **VALUES, **TIMES, **LISTENS, **COMPLETE}
