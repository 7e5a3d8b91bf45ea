"""What mail clients really say, utterance by utterance; what is sent comes of these."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from tests.interop.people import ALICE, WRONG

Utterances: TypeAlias = tuple[bytes, ...]

PLAIN = ALICE.sasl_plain.encode()
WRONG_PLAIN = b64encode(b"\0%b\0%b" % (ALICE.octets[0], WRONG.encode()))
NAME, PASSWORD = map(b64encode, ALICE.octets)
TOKEN = b64encode(b"user=alice@example.org\x01auth=Bearer t0ken\x01\x01")
MAIL = b"From: <alice@example.org>\r\nSubject: x\r\n\r\n..dots\r\n.\r\n"

STARTTLS: Mapping[str, bytes] = {
    "imap": b"s STARTTLS\r\n",
    "pop3": b"STLS\r\n",
    "smtp": b"STARTTLS\r\n",
}
INJECTED: Mapping[str, bytes] = {
    "imap": b"INJ NOOP\r\n",
    "pop3": b"CAPA\r\n",
    "smtp": b"EHLO injected\r\n",
}

DIALOGUES: Mapping[str, Sequence[Utterances]] = {
    "imap": (
        (
            b"a1 CAPABILITY\r\n",
            b'a2 ID ("name" "x" "version" NIL)\r\n',
            b"a3 LOGIN alice@example.org wonderland\r\n",
            b"a4 SELECT INBOX\r\n",
            b"a5 FETCH 1:* (FLAGS BODY.PEEK[])\r\n",
            b"a6 LOGOUT\r\n",
        ),
        (
            b"b1 LOGIN {17}\r\n",
            b"alice@example.org {10}\r\n",
            b"wonderland\r\n",
            b"b2 IDLE\r\n",
            b"DONE\r\n",
            b"b3 LOGOUT\r\n",
        ),
        (
            b"c1 NOOP\r\n",
            b"c2 LOGIN {17+}\r\nalice@example.org {10+}\r\nwonderland\r\n",
            b'c3 STATUS "INBOX" (MESSAGES UIDNEXT)\r\n',
            b"c4 SEARCH OR FROM alice SUBJECT {1+}\r\nx\r\n",
            b"c5 LOGOUT\r\n",
        ),
        (
            b"d1 AUTHENTICATE PLAIN\r\n",
            PLAIN + b"\r\n",
            b'd2 LIST "" "*"\r\n',
            b"d3 UID SEARCH ALL\r\n",
            b"d4 LOGOUT\r\n",
        ),
        (
            b"e1 AUTHENTICATE PLAIN " + WRONG_PLAIN + b"\r\n",
            b"e2 AUTHENTICATE LOGIN\r\n",
            NAME + b"\r\n",
            PASSWORD + b"\r\n",
            b"e3 APPEND INBOX (\\Seen) {9+}\r\nA: b\r\n\r\nc\r\n",
            b"e4 LOGOUT\r\n",
        ),
        (
            b"f1 AUTHENTICATE XOAUTH2 " + TOKEN + b"\r\n",
            b"f2 AUTHENTICATE CRAM-MD5\r\n",
            b"*\r\n",
            b"f3 SELECT INBOX\r\n",
            b"f4 LOGOUT\r\n",
        ),
    ),
    "pop3": (
        (
            b"CAPA\r\n",
            b"USER alice@example.org\r\n",
            b"PASS wonderland\r\n",
            b"STAT\r\n",
            b"LIST\r\n",
            b"UIDL\r\n",
            b"RETR 1\r\n",
            b"TOP 1 3\r\n",
            b"QUIT\r\n",
        ),
        (
            b"AUTH\r\n",
            b"AUTH PLAIN " + PLAIN + b"\r\n",
            b"NOOP\r\n",
            b"DELE 1\r\n",
            b"RSET\r\n",
            b"QUIT\r\n",
        ),
        (
            b"AUTH LOGIN\r\n",
            NAME + b"\r\n",
            PASSWORD + b"\r\n",
            b"STAT\r\n",
            b"QUIT\r\n",
        ),
        (
            b"APOP alice@example.org c4c9334bac560ecc979e58001b3e22fb\r\n",
            b"AUTH PLAIN\r\n",
            WRONG_PLAIN + b"\r\n",
            b"AUTH XOAUTH2 " + TOKEN + b"\r\n",
            b"NOOP\r\n",
            b"QUIT\r\n",
        ),
    ),
    "smtp": (
        (
            b"EHLO client.example.org\r\n",
            b"AUTH PLAIN " + PLAIN + b"\r\n",
            b"MAIL FROM:<alice@example.org> SIZE=60\r\n",
            b"RCPT TO:<bob@example.org>\r\n",
            b"DATA\r\n",
            MAIL,
            b"QUIT\r\n",
        ),
        (
            b"HELO client\r\n",
            b"NOOP x\r\n",
            b"RSET\r\n",
            b"VRFY bob\r\n",
            b"HELP\r\n",
            b"MAIL FROM:<a@b>\r\n",
            b"RCPT TO:<c@d>\r\n",
            b"DATA\r\n",
            b"QUIT\r\n",
        ),
        (
            b"EHLO [192.0.2.1]\r\n",
            b"AUTH LOGIN\r\n",
            NAME + b"\r\n",
            PASSWORD + b"\r\n",
            b"MAIL FROM:<>\r\n",
            b"RSET\r\n",
            b"QUIT\r\n",
        ),
        (
            b"EHLO x\r\n",
            b"AUTH PLAIN\r\n",
            WRONG_PLAIN + b"\r\n",
            b"AUTH XOAUTH2 " + TOKEN + b"\r\n",
            b"AUTH CRAM-MD5\r\n",
            b"*\r\n",
            b"QUIT\r\n",
        ),
    ),
}

CLIENT_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"

STRANGE = (
    CLIENT_HELLO,
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
    b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c",
    b"{4294967296}\r\n",
    b"{5+}\r\n",
    b"x" * 13_000,
    b"(" * 7_000,
    b"*\r\n",
)

WORDS: Mapping[str, tuple[bytes, ...]] = {
    protocol: (
        *STRANGE,
        STARTTLS[protocol],
        STARTTLS[protocol] + INJECTED[protocol],
        *{line for dialogue in dialogues for line in dialogue},
    )
    for protocol, dialogues in DIALOGUES.items()
}
"""What may stand where something else is expected."""
