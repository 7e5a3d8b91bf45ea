"""A Dovecot of our own: IMAP and POP3, in the clear, by STARTTLS and by TLS."""

import os
import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from tests.interop.background import background
from tests.interop.certificates import Pair
from tests.interop.machine import free_port, need_root
from tests.interop.people import EVERYBODY, Person

NOBODY, NOGROUP = 65534, 65534

CONFIGURATION = """\
base_dir = {directory}/run
state_dir = {directory}/state
instance_name = mailssl-tests
log_path = {directory}/dovecot.log
protocols = imap pop3
listen = 127.0.0.1
ssl = yes
ssl_cert = <{pair.certificate}
ssl_key = <{pair.key}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_username_chars =
auth_username_format = %u
auth_failure_delay = 0
first_valid_uid = 1
mail_location = maildir:{directory}/mail/%u
mail_max_userip_connections = 0
namespace inbox {{
  inbox = yes
}}
passdb {{
  driver = passwd-file
  args = username_format=%u {directory}/passwd
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={directory}/home/%u
}}
service imap-login {{
  process_min_avail = 1
  service_count = 0
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
service pop3-login {{
  service_count = 0
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  unix_listener {directory}/sasl {{
    mode = 0666
  }}
}}
"""


@frozen
class Dovecot:
    """Where it is to be reached, and where it keeps what."""

    directory: Path
    imap: int
    imaps: int
    pop3: int
    pop3s: int

    @property
    def sasl_socket(self) -> Path:
        """Where a Postfix may ask who is who."""
        return self.directory / "sasl"

    @property
    def mail(self) -> Path:
        """Where the maildirs are, each by its user's name."""
        return self.directory / "mail"


@contextmanager
def dovecot(directory: Path, pair: Pair, more: str = "") -> Iterator[Dovecot]:
    """Run a Dovecot that knows EVERYBODY; ``more`` is for the end of its settings."""
    need_root("dovecot")
    here = Dovecot(directory, *(free_port() for _ in range(4)))
    for name in ("mail", "home"):
        (directory / name).mkdir()
        os.chown(directory / name, NOBODY, NOGROUP)
    (directory / "passwd").write_text("".join(map(_entry, EVERYBODY)))
    configuration = directory / "dovecot.conf"
    configuration.write_text(
        CONFIGURATION.format(
            directory=directory,
            pair=pair,
            uid=NOBODY,
            gid=NOGROUP,
            imap=here.imap,
            imaps=here.imaps,
            pop3=here.pop3,
            pop3s=here.pop3s,
        )
        + more
    )
    log = directory / "dovecot.log"
    command: list[str | Path] = ["dovecot", "-F", "-c", configuration]
    with background("dovecot", command, directory, log=log) as server:
        server.await_ports(here.imap, here.imaps, here.pop3, here.pop3s)
        yield here


def _entry(person: Person) -> str:
    """Write a line of the passwd-file, in which Dovecot looks up escaped names."""
    name = re.sub(r"""["'\\]""", r"\\\g<0>", person.name)
    password = b64encode(person.password.encode()).decode()
    return f"{name}:{{PLAIN.b64}}{password}\n"
