"""What nginx's own tests of its mail proxy ask, asked of us, with their nginx.conf.

They start the program, wait for its pid file, connect at once, send HUP and
QUIT to it, and read its logs; and what they read of a reply is its beginning.
"""

import re
import signal
import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from attrs import define, field, frozen

from tests.interop.background import Background, background
from tests.interop.certificates import issue
from tests.interop.gateway import serve_command
from tests.interop.machine import PATIENCE, free_port, until
from tests.interop.nginx_daemons import NAME, Daemons, daemons

pytestmark = pytest.mark.interop

SERVERS = {
    "imap": "protocol imap; imap_auth plain cram-md5 external;",
    "pop3": "protocol pop3; pop3_auth plain apop cram-md5 external;",
    "smtp": "protocol smtp; smtp_auth login plain cram-md5 external; xclient off;",
    "smtp none": "protocol smtp; smtp_auth login plain none; xclient off;",
    "smtp xclient": "protocol smtp; smtp_auth plain none;",
    "smtp auth": "protocol smtp; proxy_smtp_auth on; xclient off;",
    "smtp resolver": "protocol smtp; resolver 127.0.0.1:(dns);",
    "smtp delay": "protocol smtp; smtp_greeting_delay 300ms;",
    "imap errors": "protocol imap; max_errors 2;",
    "pop3 errors": "protocol pop3; max_errors 2;",
    "smtp errors": "protocol smtp; max_errors 2;",
    "imap starttls": "protocol imap; starttls on;",
    "imap only": "protocol imap; starttls only;",
    "pop3 only": "protocol pop3; starttls only;",
    "smtp only": "protocol smtp; starttls only;",
    "imap capable": 'protocol imap; imap_capabilities IMAP4rev1 SASL-IR "X Y";',
    "smtp capable": 'protocol smtp; smtp_capabilities "SIZE 10485760" 8BITMIME;',
    "smtp proxied": "protocol smtp; smtp_auth none; proxy_protocol on; xclient off;",
}
DOORS = {
    "imap tls": "listen 127.0.0.1:{} ssl; protocol imap;",
    "smtp behind": "listen 127.0.0.1:{} proxy_protocol; protocol smtp; smtp_auth none;"
    " set_real_ip_from localhost; xclient on;",
}
"""Those whose ``listen`` has parameters."""


def plain(*words: str) -> str:
    """Return words parted by NUL, in base64."""
    return b64encode("\0".join(words).encode()).decode()


GOOD = plain("", "test@example.com", "secret")
BAD = plain("", "test@example.com", "bad")
TEST, SECRET = plain("test@example.com"), plain("secret")
CRAM = plain("test@example.com " + "0" * 32)


@define
class Talk:
    """A connection, as nginx's tests hold it."""

    protocol: str
    stream: socket.socket
    received: bytes = field(default=b"", repr=False)

    def say(self, line: str) -> None:
        """Send a line, or several."""
        self.stream.sendall(line.replace("\n", "\r\n").encode() + b"\r\n")

    def hear(self) -> str:
        """Return a line, or the last of a reply in SMTP; nothing at the end."""
        line = self._line()
        while self.protocol == "smtp" and re.match(r"\d{3}-", line):
            line = self._line()
        return line

    def _line(self) -> str:
        while b"\n" not in self.received:
            if not (octets := self.stream.recv(4096)):
                break
            self.received += octets
        line, _, self.received = self.received.partition(b"\n")
        return line.decode().removesuffix("\r")

    def close(self) -> None:
        """Leave."""
        self.stream.close()

    def secure(self) -> None:
        """Handshake, whoever the server is."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.stream = context.wrap_socket(self.stream)


@frozen
class House:
    """A program that serves, and who is around it."""

    program: Background
    directory: Path
    ports: dict[str, int]
    around: Daemons

    def talk(self, server: str) -> Talk:
        """Connect at once; the greeting is not read."""
        stream = socket.create_connection(("127.0.0.1", self.ports[server]), PATIENCE)
        return Talk(server.partition(" ")[0], stream)


@contextmanager
def started(directory: Path, conf: str) -> Iterator[Background]:
    """Start the program as nginx's tests do, and see that it ends by QUIT."""
    file, pid = directory / "nginx.conf", directory / "nginx.pid"
    file.write_text(
        f"pid {pid};\nerror_log {directory}/error.log debug;\n"
        f"daemon off;\nevents {{\n}}\n{conf}"
    )
    with background("gateway", serve_command(file), directory) as program:
        until(lambda: pid.exists() or program.process.poll() is not None, "pid file")
        assert program.process.poll() is None, program.logged()
        yield program
        assert int(pid.read_text()) == program.process.pid
        program.signal(signal.SIGQUIT)
        assert program.wait() == 0, program.logged()
    assert not pid.exists()
    log = (directory / "error.log").read_text()
    assert not re.findall(r".*\[(?:alert|crit|emerg)\].*", log)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """All servers of nginx's tests in one configuration."""
    directory = tmp_path_factory.mktemp("suite")
    pair = issue(directory / "tls", "localhost")
    ports = {name: free_port() for name in (*SERVERS, *DOORS)}
    doors = {name: f"listen 127.0.0.1:{{}}; {said}" for name, said in SERVERS.items()}
    with daemons() as around:
        blocks = "".join(
            f"    server {{ {said.format(ports[name])} }}\n"
            for name, said in (doors | DOORS).items()
        ).replace("(dns)", str(around.dns))
        conf = (
            "mail {\n proxy_pass_error_message on;\n timeout 15s;\n"
            " proxy_timeout 15s;\n"
            f" auth_http http://127.0.0.1:{around.auth}/mail/auth;"
            f"\n ssl_certificate {pair.certificate};\n"
            f" ssl_certificate_key {pair.key};\n"
            f"{blocks}}}\n"
        )
        with started(directory, conf) as program:
            yield House(program, directory, ports, around)


TALKS = {
    "imap: login without a password": f"""imap
        S: ^\\* OK
        C: a01 LOGIN test@example.com
        S: ^a01 BAD
        C: a02 AUTHENTICATE PLAIN {BAD}
        S: ^a02 NO
        C: a03 AUTHENTICATE PLAIN {GOOD}
        S: ^a03 OK""",
    "imap: login": """imap
        S: ^\\* OK
        C: a01 LOGIN test@example.com secret\\na02 LOGOUT
        S: ^a01 OK
        S: ^a02 OK""",
    "imap: quoted": """imap
        S: ^\\* OK
        C: a01 LOGIN "test@example.com" "secret"
        S: ^a01 OK""",
    "imap: literals": """imap
        S: ^\\* OK
        C: a01 LOGIN {16}
        S: ^\\+
        C: test@example.com {6}
        S: ^\\+
        C: secret
        S: ^a01 OK""",
    "imap: literals that do not wait": """imap
        S: ^\\* OK
        C: a01 LOGIN {16+}\\ntest@example.com {6+}\\nsecret
        S: ^a01 OK""",
    "imap: plain in two steps": f"""imap
        S: ^\\* OK
        C: a01 AUTHENTICATE PLAIN
        S: ^\\+
        C: {GOOD}
        S: ^a01 OK""",
    "imap: login in two steps": f"""imap
        S: ^\\* OK
        C: a01 AUTHENTICATE LOGIN
        S: ^\\+ VXNlcm5hbWU6
        C: {TEST}
        S: ^\\+ UGFzc3dvcmQ6
        C: {SECRET}
        S: ^a01 OK""",
    "imap: login with the name at once": f"""imap
        S: ^\\* OK
        C: a01 AUTHENTICATE LOGIN {TEST}
        S: ^\\+ UGFzc3dvcmQ6
        C: {SECRET}
        S: ^a01 OK""",
    "imap: cram-md5": f"""imap
        S: ^\\* OK
        C: a01 AUTHENTICATE CRAM-MD5
        S: ^\\+
        C: {CRAM}
        S: ^a01 OK""",
    "imap: external": f"""imap
        S: ^\\* OK
        C: a01 AUTHENTICATE EXTERNAL
        S: ^\\+
        C: {TEST}
        S: ^a01 OK""",
    "imap: external at once": f"""imap
        S: ^\\* OK
        C: a01 AUTHENTICATE EXTERNAL {TEST}
        S: ^a01 OK""",
    "pop3: user and pass": """pop3
        S: ^\\+OK
        C: USER test@example.com
        S: ^\\+OK
        C: PASS secret
        S: ^\\+OK
        C: QUIT
        S: ^\\+OK""",
    "pop3: a wrong password": f"""pop3
        S: ^\\+OK
        C: AUTH PLAIN {BAD}
        S: ^-ERR
        C: AUTH PLAIN
        S: ^\\+
        C: {GOOD}
        S: ^\\+OK""",
    "pop3: login": f"""pop3
        S: ^\\+OK
        C: AUTH LOGIN
        S: ^\\+ VXNlcm5hbWU6
        C: {TEST}
        S: ^\\+ UGFzc3dvcmQ6
        C: {SECRET}
        S: ^\\+OK""",
    "pop3: cram-md5": f"""pop3
        S: ^\\+OK .*<.*@.*>
        C: AUTH CRAM-MD5
        S: ^\\+
        C: {CRAM}
        S: ^\\+OK""",
    "pop3: apop": f"""pop3
        S: ^\\+OK .*<.*@.*>
        C: APOP test@example.com {"0" * 32}
        S: ^\\+OK""",
    "pop3: external": f"""pop3
        S: ^\\+OK
        C: AUTH EXTERNAL {TEST}
        S: ^\\+OK""",
    "pop3: capabilities": """pop3
        S: ^\\+OK
        C: CAPA
        S: ^\\+OK
        S: ^TOP
        S: ^USER
        S: ^UIDL
        S: ^SASL PLAIN LOGIN CRAM-MD5 EXTERNAL$""",
    "smtp: hello": """smtp
        S: ^220
        C: EHLO example.com
        S: ^250 AUTH PLAIN LOGIN CRAM-MD5 EXTERNAL$
        C: HELO example.com
        S: ^250""",
    "smtp: a wrong password": f"""smtp
        S: ^220
        C: EHLO example.com
        S: ^250
        C: AUTH PLAIN {BAD}
        S: ^5..
        C: AUTH PLAIN {GOOD}
        S: ^235""",
    "smtp: login": f"""smtp
        S: ^220
        C: EHLO example.com
        S: ^250
        C: AUTH LOGIN
        S: ^334 VXNlcm5hbWU6
        C: {TEST}
        S: ^334 UGFzc3dvcmQ6
        C: {SECRET}
        S: ^235""",
    "smtp: cram-md5": f"""smtp
        S: ^220
        C: EHLO example.com
        S: ^250
        C: AUTH CRAM-MD5
        S: ^334
        C: {CRAM}
        S: ^235""",
    "smtp: external": f"""smtp
        S: ^220
        C: EHLO example.com
        S: ^250
        C: AUTH EXTERNAL {TEST}
        S: ^235""",
    "smtp: mail without a login": """smtp
        S: ^220
        C: EHLO example.com
        S: ^250
        C: MAIL FROM:<test@example.com> SIZE=100
        S: ^5..""",
    "smtp none: pipelined mail": """smtp none
        S: ^220
        C: EHLO example.com
        S: ^250
        C: MAIL FROM:<test@example.com> SIZE=100\\nRCPT TO:<test@example.com>\\nRSET
        S: ^250
        S: ^250 rcpt to ok
        S: ^250 rset ok""",
    "smtp none: a recipient that nobody wants": """smtp none
        S: ^220
        C: HELO example.com
        S: ^250
        C: RCPT TO:<test@example.com>
        S: ^5..
        C: MAIL FROM:<test@example.com>
        S: ^250
        C: RCPT TO:<test@example.org>
        S: ^5..
        C: RCPT TO:<test@example.com>
        S: ^250
        C: MAIL FROM:<error>
        S: ^500 mail from error""",
    "smtp auth: the backend's own word": f"""smtp auth
        S: ^220
        C: EHLO example.com
        S: ^250
        C: AUTH PLAIN {GOOD}
        S: ^235 auth ok$
        C: MAIL FROM:<test@example.com>
        S: ^250 mail from ok""",
    "smtp delay: who cannot wait": """smtp delay
        C: HELO example.com
        S: ^5..
        S: ^$""",
    "smtp delay: who can": """smtp delay
        S: ^220""",
    "imap errors: one by one": """imap errors
        S: ^\\* OK
        C: a01 FOO
        S: ^a01 BAD
        C: a02 BAR
        S: ^a02 BAD
        S: ^$""",
    "imap errors: in one segment": """imap errors
        S: ^\\* OK
        C: a01 FOO\\na02 BAR\\na03 BAZZ
        S: ^a01 BAD
        S: ^a02 BAD
        S: ^$""",
    "pop3 errors: one by one": """pop3 errors
        S: ^\\+OK
        C: FOO
        S: ^-ERR
        C: BAR
        S: ^-ERR
        S: ^$""",
    "pop3 errors: in one segment": """pop3 errors
        S: ^\\+OK
        C: FOO\\nBAR\\nBAZZ
        S: ^-ERR
        S: ^-ERR
        S: ^$""",
    "smtp errors: one by one": """smtp errors
        S: ^220
        C: RCPT
        S: ^5..
        C: FOO
        S: ^5..
        S: ^$""",
    "smtp errors: in one segment": """smtp errors
        S: ^220
        C: FOO\\nBAR\\nBAZZ
        S: ^5..
        S: ^5..
        S: ^$""",
    "imap starttls: offered": """imap starttls
        S: ^\\* OK
        C: 1 CAPABILITY
        S: ^\\* CAPABILITY IMAP4 IMAP4rev1 UIDPLUS AUTH=PLAIN STARTTLS
        S: ^1 OK
        C: 1 STARTTLS
        S: ^1 OK
        TLS
        C: 1 CAPABILITY
        S: ^\\* CAPABILITY IMAP4 IMAP4rev1 UIDPLUS AUTH=PLAIN(?!.*STARTTLS)
        S: ^1 OK
        C: 1 LOGIN test@example.com secret
        S: ^1 OK""",
    "imap only: before TLS": f"""imap only
        S: ^\\* OK
        C: 1 CAPABILITY
        S: ^\\* CAPABILITY IMAP4 IMAP4rev1 UIDPLUS STARTTLS LOGINDISABLED
        S: ^1 OK
        C: 1 AUTHENTICATE PLAIN {GOOD}
        S: ^1 (?:BAD|NO \\[PRIVACYREQUIRED\\])
        C: 1 STARTTLS
        S: ^1 OK
        TLS
        C: 1 AUTHENTICATE PLAIN {GOOD}
        S: ^1 OK""",
    "pop3 only: before TLS": f"""pop3 only
        S: ^\\+OK
        C: CAPA
        S: ^\\+OK
        S: ^TOP
        S: ^UIDL
        S: ^STLS
        S: ^RESP-CODES
        S: ^AUTH-RESP-CODE
        S: ^\\.
        C: AUTH PLAIN {GOOD}
        S: ^-ERR
        C: STLS
        S: ^\\+OK
        TLS
        C: AUTH PLAIN {GOOD}
        S: ^\\+OK""",
    "smtp only: before TLS": f"""smtp only
        S: ^220
        C: EHLO example.com
        S: ^250 STARTTLS$
        C: AUTH PLAIN {GOOD}
        S: ^5..
        C: STARTTLS
        S: ^220
        TLS
        C: EHLO example.com
        S: ^250 AUTH PLAIN LOGIN$
        C: AUTH PLAIN {GOOD}
        S: ^235""",
    "imap tls: from the first octet": """imap tls
        TLS
        S: ^\\* OK
        C: 1 LOGIN test@example.com secret
        S: ^1 OK""",
    "imap capable: words as they are": """imap capable
        S: ^\\* OK
        C: 1 CAPABILITY
        S: ^\\* CAPABILITY IMAP4rev1 .*X Y AUTH=PLAIN
        S: ^1 OK""",
    "smtp capable: one in a line": """smtp capable
        S: ^220
        C: EHLO example.com
        S: ^250 AUTH PLAIN LOGIN$""",
}


@pytest.mark.parametrize("name", TALKS)
def test_reply_begins_as_with_nginx(name: str, house: House) -> None:
    server, *steps = TALKS[name].splitlines()
    with closing(house.talk(server)) as talk:
        for step in steps:
            kind, _, text = step.lstrip().partition(": ")
            match kind:
                case "C":
                    talk.say(text.replace("\\n", "\n"))
                case "S":
                    said = talk.hear()
                    assert re.search(text, said), (step, said)
                case _:
                    talk.secure()


def heard_of(house: House, server: str, *lines: str) -> list[str]:
    """Say the lines; return what the backend has heard meanwhile."""
    house.around.heard.clear()
    with closing(house.talk(server)) as talk:
        if not lines[0].startswith("PROXY"):
            talk.hear()
        for line in lines:
            talk.say(line)
            assert re.match(r"2", talk.hear()), line
    return list(house.around.heard)


def test_backend_is_told_of_the_client_by_xclient(house: House) -> None:
    heard = heard_of(
        house,
        "smtp xclient",
        "HELO example.com",
        "MAIL FROM:<test@example.com>",
        "RCPT TO:<test@example.com>",
    )
    assert heard[0].startswith("EHLO ")
    assert heard[1:] == [
        "XCLIENT ADDR=127.0.0.1 NAME=[UNAVAILABLE]",
        "HELO example.com",
        "MAIL FROM:<test@example.com>",
        "RCPT TO:<test@example.com>",
    ]


def test_backend_is_told_of_the_user_by_xclient(house: House) -> None:
    heard = heard_of(house, "smtp xclient", f"AUTH PLAIN {GOOD}")
    told = "XCLIENT ADDR=127.0.0.1 LOGIN=test@example.com NAME=[UNAVAILABLE]"
    assert heard[1:] == [told]


def test_backend_is_told_the_name_that_the_resolver_knows(house: House) -> None:
    heard = heard_of(house, "smtp resolver", "EHLO me", f"AUTH PLAIN {GOOD}")
    told = f"XCLIENT ADDR=127.0.0.1 LOGIN=test@example.com NAME={NAME}"
    assert heard[1:] == [told, "EHLO me"]


def test_backend_gets_a_proxy_header(house: House) -> None:
    heard = heard_of(
        house,
        "smtp proxied",
        "MAIL FROM:<test@example.com>",
        "RCPT TO:<test@example.com>",
    )
    port = house.ports["smtp proxied"]
    assert re.fullmatch(rf"PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ {port}", heard[0])


def test_client_is_whom_a_proxy_names_that_is_named_itself(house: House) -> None:
    heard = heard_of(
        house,
        "smtp behind",
        "PROXY TCP4 192.0.2.1 192.0.2.2 123 5678",
        "MAIL FROM:<test@example.com>",
        "RCPT TO:<test@example.com>",
    )
    assert heard[1] == "XCLIENT ADDR=192.0.2.1 NAME=[UNAVAILABLE]"


# What stands in the logs, and what signals do.


def parsed(datagram: str) -> re.Match[str]:
    """Read a message of syslog as nginx's tests do."""
    found = re.match(
        r"<(?P<pri>\d{1,3})>[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} (?P<host>\S*) "
        r"(?P<tag>\w{1,32}): (?P<text>.+)",
        datagram,
    )
    assert found is not None, datagram
    return found


def test_each_target_of_error_log_hears_what_its_level_lets_through(
    tmp_path: Path,
) -> None:
    port, other = free_port(), free_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.settimeout(PATIENCE)
        daemon.bind(("127.0.0.1", 0))
        syslog = f"syslog:server=127.0.0.1:{daemon.getsockname()[1]}"
        logs = "".join(
            f" error_log {tmp_path}/e_{level}.log {level};\n"
            for level in ("debug", "info", "notice", "warn", "error")
        )
        conf = (
            f"mail {{\n auth_http http://127.0.0.1:1;\n"
            f" server {{ listen 127.0.0.1:{port}; protocol imap;\n{logs}"
            f" error_log stderr info;\n error_log {syslog},tag=SEETHIS info; }}\n"
            f" server {{ listen 127.0.0.1:{other}; protocol imap; }}\n}}\n"
        )
        with started(tmp_path, conf) as program:
            with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
                assert client.recv(100).startswith(b"* OK")
                said = parsed(daemon.recv(4096).decode())
                assert int(said["pri"]) == 23 * 8 + 6
                assert said["tag"] == "SEETHIS"
                connected = f"connected to 127.0.0.1:{port}"
                assert said["text"].endswith(connected)
            until(lambda: connected in program.logged(), "stderr")
            for level in ("debug", "info"):
                written = (tmp_path / f"e_{level}.log").read_text()
                line = r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[info\] \d+#\d+: \*\d+ client "
                assert re.match(line, written), written
            for level in ("notice", "warn", "error"):
                assert not (tmp_path / f"e_{level}.log").read_text()
            with socket.create_connection(("127.0.0.1", other), PATIENCE) as client:
                client.recv(100)
    assert f"127.0.0.1:{other}" in (tmp_path / "error.log").read_text()
    assert f"127.0.0.1:{port}" not in (tmp_path / "error.log").read_text()


def test_hangup_lets_new_words_in_and_quit_ends_it(tmp_path: Path) -> None:
    port = free_port()
    conf = (
        "mail {\n auth_http http://127.0.0.1:1;\n imap_capabilities (word);\n"
        f" server {{ listen 127.0.0.1:{port}; protocol imap; }}\n}}\n"
    )

    def told() -> bytes:
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
            return client.recv(200)

    with started(tmp_path, conf.replace("(word)", "BEFORE")) as program:
        assert b"BEFORE" in told()
        file = tmp_path / "nginx.conf"
        file.write_text(file.read_text().replace("BEFORE", "AFTER"))
        program.signal(signal.SIGHUP)
        until(lambda: b"AFTER" in told(), "the new configuration")
