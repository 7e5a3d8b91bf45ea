"""What is said in every conversation: greetings, the way to TLS, and what must work."""

from collections.abc import Mapping

from tests.hostile.script import read_script

GREETING: Mapping[str, bytes] = {
    "imap": rb"\* OK \[CAPABILITY [^]]*\] IMAP4 ready",
    "pop3": rb"\+OK POP3 ready <[0-9]+\.[0-9]+@localhost>",
    "smtp": rb"220 localhost ESMTP ready",
}

PROBE: Mapping[str, tuple[bytes, bytes]] = {
    "imap": (b"zz NOOP\r\n", b"zz OK completed\r\n"),
    "pop3": (b"NOOP\r\n", b"+OK\r\n"),
    "smtp": (b"NOOP\r\n", b"250 2.0.0 OK\r\n"),
}
"""What a session says and hears that is not out of step."""

UPGRADE: Mapping[str, tuple[bytes, bytes]] = {
    "imap": (b"up STARTTLS\r\n", b"up OK begin TLS negotiation\r\n"),
    "pop3": (b"STLS\r\n", b"+OK begin TLS negotiation\r\n"),
    "smtp": (b"STARTTLS\r\n", b"220 2.0.0 Ready to start TLS\r\n"),
}

WELL_MEANT: Mapping[str, str] = {
    "imap": """
        C: a LOGIN joe secret
        S: a OK [CAPABILITY IMAP4rev1] in
        J: joe secret
        C: b NOOP
        B~ b NOOP\\r\\n
        """,
    "pop3": """
        C: USER joe
        S: +OK send PASS
        C: PASS secret
        S: +OK in
        J: joe secret
        C: STAT
        B~ STAT\\r\\n
        """,
    "smtp": """
        C: AUTH PLAIN base64(\\0joe\\0secret)
        S: 235 2.7.0 in
        J: joe secret
        C: QUIT
        B~ QUIT\\r\\n
        """,
}
"""What must work after every case."""

FRESH = {protocol: read_script(script) for protocol, script in WELL_MEANT.items()}
