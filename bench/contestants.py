"""Who is measured: the gateway, nginx's mail proxy, Dovecot's login processes.

One worker each, the same certificate, the same auth server where one is asked, the
same backends. Each is started in a directory of its own and stopped by us.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from attrs import field, frozen

DOORS = ("imaps", "imap", "pop3", "smtp", "plain")
"""TLS at once, STARTTLS in three protocols, and IMAP in the clear."""

DESCRIPTORS = 20_000
PATIENCE = 15.0


class AbsentError(Exception):
    """A contestant cannot be started here; the text says why."""


@frozen
class StandIn:
    """The ports of what stands behind them."""

    imap: int
    pop3: int
    smtp: int
    auth: int


@frozen
class Site:
    """Where a contestant lives, and what it is given."""

    directory: Path
    certificate: Path
    key: Path
    stand_in: StandIn
    workers: int
    ports: dict[str, int] = field(factory=lambda: {door: _free() for door in DOORS})


@frozen
class Contestant:
    """A server that runs."""

    name: str
    pid: int
    ports: dict[str, int]
    first_greeting: float
    """Seconds from its start to its first greeting."""


GATEWAY = """\
error_log = "error.log error"
worker_processes = {workers}
pid = "mail.pid"
state_directory = "state"

[mail]
server_name = "bench"
ssl_certificate = "{certificate}"
ssl_certificate_key = "{key}"
ssl_session_cache = "shared:SSL:10m"
auth_http = "127.0.0.1:{stand_in.auth}/"
proxy_smtp_auth = true

[[mail.server]]
listen = "127.0.0.1:{imaps} ssl"
protocol = "imap"
[[mail.server]]
listen = "127.0.0.1:{imap}"
protocol = "imap"
starttls = "only"
[[mail.server]]
listen = "127.0.0.1:{pop3}"
protocol = "pop3"
starttls = "only"
[[mail.server]]
listen = "127.0.0.1:{smtp}"
protocol = "smtp"
starttls = "only"
[[mail.server]]
listen = "127.0.0.1:{plain}"
protocol = "imap"
"""

NGINX = """\
load_module /usr/lib/nginx/modules/ngx_mail_module.so;
user root;
daemon off;
worker_processes {workers};
worker_rlimit_nofile {descriptors};
pid nginx.pid;
error_log error.log error;
events {{ worker_connections {descriptors}; }}
mail {{
    server_name bench;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:SSL:10m;
    ssl_session_tickets off;
    auth_http 127.0.0.1:{stand_in.auth}/;
    proxy_smtp_auth on;
    proxy_timeout 24h;
    server {{ listen 127.0.0.1:{imaps} ssl; protocol imap; }}
    server {{ listen 127.0.0.1:{imap}; protocol imap; starttls only; }}
    server {{ listen 127.0.0.1:{pop3}; protocol pop3; starttls only; }}
    server {{ listen 127.0.0.1:{smtp}; protocol smtp; starttls only; }}
    server {{ listen 127.0.0.1:{plain}; protocol imap; }}
}}
"""

DOVECOT = """\
base_dir = {directory}/run
state_dir = {directory}/state
log_path = {directory}/dovecot.log
protocols = imap pop3
listen = 127.0.0.1
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
ssl_min_protocol = TLSv1.2
disable_plaintext_auth = no
auth_mechanisms = plain
mail_location = maildir:{directory}/mail/%u
mail_max_userip_connections = 0
default_client_limit = 20000
default_process_limit = {workers}
passdb {{
  driver = static
  args = proxy=y host=127.0.0.1 nopassword=y port={stand_in.imap}
  override_fields = port=%{{if;%s;eq;pop3;{stand_in.pop3};{stand_in.imap}}}
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home={directory}/home
}}
service imap-login {{
  service_count = 0
  process_min_avail = {workers}
  process_limit = {workers}
  client_limit = 10000
  vsz_limit = 0
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
  inet_listener plain {{
    port = {plain}
  }}
}}
service pop3-login {{
  service_count = 0
  process_limit = {workers}
  client_limit = 10000
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service auth {{
  client_limit = 20000
}}
service anvil {{
  client_limit = 20000
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"""


@contextmanager
def gateway(site: Site) -> Iterator[Contestant]:
    """Run the gateway."""
    file = site.directory / "mail.toml"
    file.write_text(_filled(GATEWAY, site))
    command = [sys.executable, "-m", "mailssl_trio", "serve", str(file)]
    with _running("gateway", command, site) as contestant:
        yield contestant


@contextmanager
def nginx(site: Site) -> Iterator[Contestant]:
    """Run nginx."""
    file = site.directory / "nginx.conf"
    file.write_text(_filled(NGINX, site))
    command = [_program("nginx"), "-p", str(site.directory), "-c", str(file)]
    with _running("nginx", command, site) as contestant:
        yield contestant


@contextmanager
def dovecot(site: Site) -> Iterator[Contestant]:
    """Run Dovecot, as a proxy; of SMTP it has nothing that compares."""
    file = site.directory / "dovecot.conf"
    file.write_text(_filled(DOVECOT, site))
    command = [_program("dovecot"), "-F", "-c", str(file)]
    del site.ports["smtp"]
    with _running("dovecot", command, site) as contestant:
        yield contestant


CONTESTANTS = {"gateway": gateway, "nginx": nginx, "dovecot": dovecot}


@contextmanager
def standing_in() -> Iterator[StandIn]:
    """Run what stands behind them."""
    command = [sys.executable, "-m", "bench.stand_in"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield StandIn(*map(int, process.stdout.readline().split()))
        finally:
            process.stdin.close()
            process.terminate()


def _filled(template: str, site: Site) -> str:
    return template.format(
        directory=site.directory,
        certificate=site.certificate,
        key=site.key,
        stand_in=site.stand_in,
        workers=site.workers,
        descriptors=DESCRIPTORS,
        **site.ports,
    )


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        raise AbsentError(f"{name} is not installed")
    return found


@contextmanager
def _running(name: str, command: list[str], site: Site) -> Iterator[Contestant]:
    with ExitStack() as closing:
        output = closing.enter_context((site.directory / "output").open("wb"))
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=output, stderr=output)
        closing.callback(_stop, process)
        greeted = _await_greeting(process, site) - began
        yield Contestant(name, process.pid, site.ports, greeted)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        process.wait(5)


def _await_greeting(process: subprocess.Popen[bytes], site: Site) -> float:
    """Return when the first greeting was heard."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            address = ("127.0.0.1", site.ports["plain"])
            with socket.create_connection(address, timeout=1) as visitor:
                if visitor.recv(100).startswith(b"* OK"):
                    return time.monotonic()
        except OSError:
            time.sleep(0.01)
    said = (site.directory / "output").read_text(errors="replace").strip()
    raise AbsentError(said.splitlines()[-1] if said else "it does not answer")


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port
