"""A Postfix of our own: submission by STARTTLS and by TLS, delivery to maildirs."""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM

from attrs import frozen

from tests.interop.background import background
from tests.interop.certificates import Pair
from tests.interop.dovecot import NOBODY, NOGROUP, Dovecot
from tests.interop.machine import find_program, free_port, need_root

LARGEST_MESSAGE = 64 * 1024 * 1024

MAIN = """\
compatibility_level = 3.6
queue_directory = {directory}/queue
data_directory = {directory}/data
maillog_file = {directory}/postfix.log
maillog_file_prefixes = {directory}
myhostname = backend.example.net
mydestination =
alias_maps =
alias_database =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks =
biff = no
message_size_limit = {size}
virtual_mailbox_limit = 0
virtual_mailbox_domains = example.org
virtual_mailbox_maps = inline:{{ alice@example.org=alice@example.org/, \
bob@example.org=bob@example.org/ }}
virtual_mailbox_base = {mail}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {sasl}
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions =
smtpd_tls_security_level = may
smtpd_tls_cert_file = {pair.certificate}
smtpd_tls_key_file = {pair.key}
"""

MASTER = """\
127.0.0.1:{smtp} inet n - n - - smtpd
127.0.0.1:{smtps} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
showq unix n - n - - showq
postlog unix-dgram n - n - 1 postlogd
"""


@frozen
class Postfix:
    """Where it is to be reached."""

    smtp: int
    smtps: int


@contextmanager
def postfix(
    directory: Path, pair: Pair, accounts: Dovecot, more: str = ""
) -> Iterator[Postfix]:
    """Run a Postfix that asks Dovecot who is who, and delivers to its maildirs.

    ``more`` is for the end of its settings.
    """
    need_root("postfix")
    program = find_program("postfix")
    here = Postfix(free_port(), free_port())
    for name in ("queue", "data"):
        (directory / name).mkdir()
    owner = pwd.getpwnam("postfix")
    os.chown(directory / "data", owner.pw_uid, owner.pw_gid)
    (directory / "main.cf").write_text(
        MAIN.format(
            directory=directory,
            size=LARGEST_MESSAGE,
            mail=accounts.mail,
            uid=NOBODY,
            gid=NOGROUP,
            sasl=accounts.sasl_socket,
            pair=pair,
        )
        + more
    )
    (directory / "master.cf").write_text(
        MASTER.format(smtp=here.smtp, smtps=here.smtps)
    )
    command: list[str | Path] = [program, "-c", directory, "start-fg"]
    log = directory / "postfix.log"
    with background("postfix", command, directory, log=log) as server:
        server.await_ports(here.smtp, here.smtps)
        try:
            yield here
        finally:  # it has a session of its own, out of the reach of whoever began it
            os.kill(int((directory / "queue/pid/master.pid").read_text()), SIGTERM)
            server.wait()
