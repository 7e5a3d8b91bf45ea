"""What a peer may say: tables of mail clients, and of lying backends.

Each entry is one utterance, delivered in one piece, so that entries with octets behind
STARTTLS are what an attacker glues. ``""`` is a peer that leaves. Half lines and half
literals are completed by whatever follows them, as TCP would have it.

A client's first table is for long conversations; ``MORE`` joins it for shorter ones.
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import TypeAlias

Alphabet: TypeAlias = Mapping[str, bytes]

LEAVES = b""
CLIENT_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
"""The beginning of a TLS handshake, sent too early."""

PLAIN = b"AGpvZQBzZWNyZXQ="  # "\0joe\0secret", RFC 4616
PLAIN_INJECTION = b"AGpvZQBhDQpRVUlU"  # "\0joe\0a\r\nQUIT"
DIGEST = b64encode(b"joe c4c9334bac560ecc979e58001b3e22fb")
NAME = b64encode(b"joe")
NAME_INJECTION = b64encode(b"joe\r\nQUIT")
TOKEN = b64encode(b"user=joe\x01auth=Bearer t0ken\x01\x01")
RFC_TOKEN = b64encode(b"n,a=joe,\x01auth=Bearer t0ken\x01\x01")

MECHANISMS: Alphabet = {
    "CRAM-MD5": b"CRAM-MD5",
    "EXTERNAL at once": b"EXTERNAL " + NAME,
    "EXTERNAL with a line end inside": b"EXTERNAL " + NAME_INJECTION,
    "XOAUTH2 at once": b"XOAUTH2 " + TOKEN,
    "OAUTHBEARER": b"OAUTHBEARER",
}
"""What stands behind the verb of an attempt."""
MECHANISM_ANSWERS: Alphabet = {
    "an answer to a challenge": DIGEST + b"\r\n",
    "a token": RFC_TOKEN + b"\r\n",
}


def by(verb: bytes) -> Alphabet:
    """Return every attempt by one verb, and what may follow it."""
    attempts = {
        f"{verb.decode()} {name}": verb + b" " + octets + b"\r\n"
        for name, octets in MECHANISMS.items()
    }
    return {**attempts, **MECHANISM_ANSWERS}


POP3_MECHANISMS = SMTP_MECHANISMS = by(b"AUTH")
IMAP_MECHANISMS = by(b"d1 AUTHENTICATE")

POP3_CLIENT: Alphabet = {
    "QUIT": b"quit\r\n",
    "USER": b"USER joe\r\n",
    "PASS": b"PASS secret\r\n",
    "USER and PASS at once": b"USER ann\r\nPASS secret\r\n",
    "APOP": b"APOP joe c4c9334bac560ecc979e58001b3e22fb\r\n",
    "AUTH PLAIN": b"AUTH PLAIN\r\n",
    "AUTH PLAIN at once": b"AUTH PLAIN " + PLAIN + b"\r\n",
    "AUTH PLAIN with a line end inside": b"AUTH PLAIN " + PLAIN_INJECTION + b"\r\n",
    "AUTH LOGIN": b"AUTH LOGIN\r\n",
    "a SASL answer": PLAIN + b"\r\n",
    "a SASL cancellation": b"*\r\n",
    "no command": b"STAT\r\n",
    "an empty line": b"\r\n",
    "half a line": b"NO",
    "STLS": b"STLS\r\n",
    "STLS with an argument": b"STLS now\r\n",
    "STLS and CAPA glued": b"STLS\r\nCAPA\r\n",
    "STLS and a login glued": b"STLS\r\nUSER joe\r\nPASS secret\r\n",
    "leaves": LEAVES,
}

POP3_CLIENT_MORE: Alphabet = {
    "CAPA": b"CAPA\r\n",
    "NOOP": b"NOOP\r\n",
    "USER without a name": b"USER\r\n",
    "PASS with a NUL": b"PASS a\0b\r\n",
    "AUTH": b"AUTH\r\n",
    "AUTH PLAIN, empty": b"auth plain =\r\n",
    "AUTH of no mechanism": b"AUTH XYZZY\r\n",
    **POP3_MECHANISMS,
    "an HTTP request": b"POST / HTTP/1.1\r\n",
    "STLS and half a ClientHello": b"STLS\r\n" + CLIENT_HELLO,
}

SMTP_CLIENT: Alphabet = {
    "HELO": b"HELO client.example\r\n",
    "EHLO": b"EHLO client.example\r\n",
    "QUIT": b"QUIT\r\n",
    "AUTH PLAIN": b"AUTH PLAIN\r\n",
    "AUTH PLAIN at once": b"AUTH PLAIN " + PLAIN + b"\r\n",
    "AUTH PLAIN with a line end inside": b"AUTH PLAIN " + PLAIN_INJECTION + b"\r\n",
    "AUTH LOGIN": b"AUTH LOGIN\r\n",
    "a SASL answer": PLAIN + b"\r\n",
    "a SASL cancellation": b"*\r\n",
    "MAIL": b"MAIL FROM:<joe@client.example>\r\n",
    "RCPT": b"RCPT TO:<ann@host.example>\r\n",
    "XCLIENT": b"XCLIENT LOGIN=joe\r\n",
    "an empty line": b"\r\n",
    "half a line": b"NO",
    "STARTTLS": b"STARTTLS\r\n",
    "STARTTLS with an argument": b"STARTTLS now\r\n",
    "STARTTLS and EHLO glued": b"STARTTLS\r\nEHLO client.example\r\n",
    "STARTTLS and a login glued": b"STARTTLS\r\nAUTH PLAIN " + PLAIN + b"\r\n",
    "leaves": LEAVES,
}

SMTP_CLIENT_MORE: Alphabet = {
    "EHLO without a name": b"EHLO\r\n",
    "NOOP": b"NOOP\r\n",
    "RSET": b"rset\r\n",
    "VRFY": b"VRFY joe\r\n",
    "AUTH": b"AUTH\r\n",
    "AUTH PLAIN, empty": b"auth plain =\r\n",
    "AUTH of no mechanism": b"AUTH XYZZY\r\n",
    **SMTP_MECHANISMS,
    "BURL": b"BURL imap://joe@host/INBOX LAST\r\n",
    "RCPT without a name": b"RCPT\r\n",
    "an HTTP request": b"POST / HTTP/1.1\r\n",
    "STARTTLS and half a ClientHello": b"STARTTLS\r\n" + CLIENT_HELLO,
}

IMAP_CLIENT: Alphabet = {
    "CAPABILITY": b"a1 CAPABILITY\r\n",
    "NOOP with an argument": b"a3 NOOP x\r\n",
    "LOGOUT": b"a4 LOGOUT\r\n",
    "LOGIN": b"a5 LOGIN joe secret\r\n",
    "LOGIN with a literal": b"a8 LOGIN {3}\r\n",
    "LOGIN with literals at once": b"a9 LOGIN {3+}\r\njoe {6+}\r\nsecret\r\n",
    "LOGIN with lines in a literal": b"b1 LOGIN {13+}\r\nx\r\nb2 LOGOUT\r\n x\r\n",
    "the rest of a literal": b"joe {6}\r\n",
    "AUTHENTICATE PLAIN": b"b5 AUTHENTICATE PLAIN\r\n",
    "AUTHENTICATE PLAIN at once": b"b6 AUTHENTICATE PLAIN " + PLAIN + b"\r\n",
    "a SASL answer": PLAIN + b"\r\n",
    "a SASL cancellation": b"*\r\n",
    "SELECT": b"b9 SELECT INBOX\r\n",
    "an empty line": b"\r\n",
    "half a line": b"c1 NO",
    "STARTTLS": b"c2 STARTTLS\r\n",
    "STARTTLS with an argument": b"c3 STARTTLS now\r\n",
    "STARTTLS and NOOP glued": b"c2 STARTTLS\r\nc4 NOOP\r\n",
    "STARTTLS and a login glued": b"c2 STARTTLS\r\nc5 LOGIN joe secret\r\n",
    "leaves": LEAVES,
}

IMAP_CLIENT_MORE: Alphabet = {
    "NOOP": b"a2 noop\r\n",
    "LOGIN, quoted": b'a6 LOGIN "jo\\"e" "sec ret"\r\n',
    "LOGIN without a password": b"a7 LOGIN joe\r\n",
    "LOGIN with a huge literal": b"b3 LOGIN {4294967296}\r\n",
    "AUTHENTICATE": b"b4 AUTHENTICATE\r\n",
    "AUTHENTICATE LOGIN": b"b7 authenticate login\r\n",
    "AUTHENTICATE of no mechanism": b"b8 AUTHENTICATE XYZZY\r\n",
    **IMAP_MECHANISMS,
    "an HTTP request": b"POST / HTTP/1.1\r\n",
    "STARTTLS and half a ClientHello": b"c2 STARTTLS\r\n" + CLIENT_HELLO,
}

TAG, NEXT_TAG = b"<tag>", b"<next>"
"""Stand for the tag that the session used last, and the one that it will use."""

SERVER_HELLO = b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03"
ECHOED = b"am9zw6kAam9zw6kAdGFuIHN0YWFm"  # what AUTH PLAIN sent

POP3_BACKEND: Alphabet = {
    "yes": b"+OK ready\r\n",
    "no": b"-ERR [AUTH] no\r\n",
    "the password echoed": b"-ERR no such command: PASS tan staaf\r\n",
    "go on": b"+ \r\n",
    "a list with PLAIN": b"+OK\r\nUSER\r\nSASL LOGIN PLAIN\r\n.\r\n",
    "a list with PIPELINING": b"+OK\r\nUSER\r\nPIPELINING\r\n.\r\n",
    "one line of a list": b"SASL PLAIN\r\n",
    "the end of a list": b".\r\n",
    "greeting and go-ahead glued": b"+OK ready\r\n+OK go\r\n",
    "go-ahead and a list glued": b"+OK go\r\n+OK\r\nSASL PLAIN\r\n.\r\n",
    "go-ahead and half a ServerHello": b"+OK go\r\n" + SERVER_HELLO,
    "three times yes": b"+OK\r\n+OK\r\n+OK\r\n",
    "lower case": b"+ok\r\n",
    "yes without a space": b"+OKAY\r\n",
    "yes with a NUL": b"+OK \0\r\n",
    "another protocol": b"220 mx ESMTP\r\n",
    "an empty line": b"\r\n",
    "half a line": b"+O",
    "the end of a line": b"K\n",
    "leaves": LEAVES,
}

SMTP_BACKEND: Alphabet = {
    "220": b"220 mx\r\n",
    "220 begun": b"220-mx\r\n",
    "250": b"250 mx\r\n",
    "250 with STARTTLS": b"250-mx\r\n250 STARTTLS\r\n",
    "250 with AUTH PLAIN": b"250-mx\r\n250-STARTTLS\r\n250 AUTH LOGIN PLAIN\r\n",
    "250 with AUTH LOGIN": b"250-mx\r\n250-STARTTLS\r\n250 AUTH LOGIN\r\n",
    "235": b"235 2.7.0 in\r\n",
    "334": b"334 \r\n",
    "334 without base64": b"334 Password:\r\n",
    "421": b"421 4.3.2 bye\r\n",
    "535": b"535 5.7.8 no\r\n",
    "the password echoed": b"500 no such command: " + ECHOED + b"\r\n",
    "codes that differ": b"250-mx\r\n220 go\r\n",
    "greeting and 250 glued": b"220 mx\r\n250-mx\r\n250 STARTTLS\r\n",
    "go-ahead and 250 glued": b"220 go\r\n250-mx\r\n250 AUTH PLAIN\r\n",
    "go-ahead and half a ServerHello": b"220 go\r\n" + SERVER_HELLO,
    "another protocol": b"+OK ready\r\n",
    "an empty line": b"\r\n",
    "half a line": b"22",
    "the end of a line": b"0 go\n",
    "leaves": LEAVES,
}

IMAP_BACKEND: Alphabet = {
    "greeting": b"* OK ready\r\n",
    "greeting with capabilities": b"* OK [CAPABILITY AUTH=PLAIN SASL-IR] ready\r\n",
    "PREAUTH": b"* PREAUTH ready\r\n",
    "BYE": b"* BYE\r\n",
    "CAPABILITY": b"* CAPABILITY IMAP4rev1 STARTTLS\r\n",
    "CAPABILITY with AUTH=PLAIN": b"* CAPABILITY LOGINDISABLED AUTH=PLAIN\r\n",
    "CAPABILITY and OK": b"* CAPABILITY LITERAL+\r\n<tag> OK\r\n",
    "OK": b"<tag> OK go\r\n",
    "OK with capabilities": b"<tag> OK [CAPABILITY AUTH=PLAIN SASL-IR] go\r\n",
    "NO": b"<tag> NO [AUTHENTICATIONFAILED] no\r\n",
    "the password echoed": b"<tag> BAD no such command: tan staaf\r\n",
    "OK for another command": b"G0 OK go\r\n",
    "go on": b"+ go on\r\n",
    "a literal begun": b"* LIST {5}\r\n",
    "greeting and go-ahead glued": b"* OK ready\r\n<next> OK go\r\n",
    "go-ahead and capabilities glued": b"<tag> OK\r\n* CAPABILITY X\r\n<next> OK\r\n",
    "go-ahead and half a ServerHello": b"<tag> OK go\r\n" + SERVER_HELLO,
    "another protocol": b"+OK ready\r\n",
    "an empty line": b"\r\n",
    "half a line": b"* O",
    "leaves": LEAVES,
}

FAILURE = b64encode(b'{"status":"invalid_token"}')

POP3_TOKEN_BACKEND: Alphabet = {
    "yes": b"+OK ready\r\n",
    "no": b"-ERR [AUTH] no\r\n",
    "go on": b"+ \r\n",
    "what is wrong": b"+ " + FAILURE + b"\r\n",
    "no base64": b"+ what\r\n",
    "what is wrong and yes glued": b"+ " + FAILURE + b"\r\n+OK in\r\n",
    "a list with XOAUTH2": b"+OK\r\nSASL PLAIN XOAUTH2\r\n.\r\n",
    "a list without": b"+OK\r\nUSER\r\nSASL PLAIN OAUTHBEARER\r\n.\r\n",
    "the token echoed": b"-ERR no such token: t0ken\r\n",
    "half a line": b"+O",
    "leaves": LEAVES,
}

SMTP_TOKEN_BACKEND: Alphabet = {
    "220": b"220 mx\r\n",
    "250 with XOAUTH2": b"250-mx\r\n250 AUTH PLAIN XOAUTH2\r\n",
    "250 without": b"250-mx\r\n250 AUTH PLAIN OAUTHBEARER\r\n",
    "235": b"235 2.7.0 in\r\n",
    "334": b"334 \r\n",
    "what is wrong": b"334 " + FAILURE + b"\r\n",
    "334 without base64": b"334 what?\r\n",
    "what is wrong and 235 glued": b"334 " + FAILURE + b"\r\n235 2.7.0 in\r\n",
    "535": b"535 5.7.8 no\r\n",
    "the token echoed": b"535 5.7.8 no such token: t0ken\r\n",
    "half a line": b"23",
    "leaves": LEAVES,
}

IMAP_TOKEN_BACKEND: Alphabet = {
    "greeting": b"* OK ready\r\n",
    "greeting with XOAUTH2": b"* OK [CAPABILITY AUTH=XOAUTH2 SASL-IR] ready\r\n",
    "CAPABILITY with XOAUTH2": b"* CAPABILITY AUTH=PLAIN AUTH=XOAUTH2\r\n",
    "CAPABILITY without": b"* CAPABILITY AUTH=PLAIN AUTH=OAUTHBEARER\r\n",
    "OK": b"<tag> OK go\r\n",
    "OK with capabilities": b"<tag> OK [CAPABILITY X] go\r\n",
    "NO": b"<tag> NO [AUTHENTICATIONFAILED] no\r\n",
    "go on": b"+ \r\n",
    "what is wrong": b"+ " + FAILURE + b"\r\n",
    "no base64": b"+ what?\r\n",
    "what is wrong and OK glued": b"+ " + FAILURE + b"\r\n<tag> OK in\r\n",
    "the token echoed": b"<tag> BAD no such command: t0ken\r\n",
    "half a line": b"* O",
    "leaves": LEAVES,
}

POP3_TOLD_BACKEND: Alphabet = {
    "yes": b"+OK ready\r\n",
    "no": b"-ERR [AUTH] no\r\n",
    "the password echoed": b"-ERR no such command: PASS tan staaf\r\n",
    "a list with XCLIENT": b"+OK\r\nXCLIENT\r\nSASL PLAIN\r\n.\r\n",
    "a list without": b"+OK\r\nUSER\r\n.\r\n",
    "greeting with XCLIENT": b"+OK [XCLIENT] ready\r\n",
    "twice yes": b"+OK\r\n+OK\r\n",
    "another protocol": b"220 mx ESMTP\r\n",
    "half a line": b"+O",
    "leaves": LEAVES,
}

SMTP_TOLD_BACKEND: Alphabet = {
    "220": b"220 mx\r\n",
    "250": b"250 mx\r\n",
    "250 with AUTH": b"250-mx\r\n250-XCLIENT ADDR NAME\r\n250 AUTH PLAIN LOGIN\r\n",
    "250 with AUTH LOGIN": b"250-mx\r\n250 AUTH LOGIN\r\n",
    "235": b"235 2.7.0 in\r\n",
    "334": b"334 \r\n",
    "503": b"503 5.5.1 no XCLIENT for you\r\n",
    "the password echoed": b"500 no such command: " + ECHOED + b"\r\n",
    "220 and 250 glued": b"220 mx\r\n250-mx\r\n250 AUTH PLAIN\r\n",
    "half a line": b"22",
    "leaves": LEAVES,
}

IMAP_TOLD_BACKEND: Alphabet = {
    "greeting": b"* OK ready\r\n",
    "greeting with ID": b"* OK [CAPABILITY ID AUTH=PLAIN SASL-IR] ready\r\n",
    "CAPABILITY with ID": b"* CAPABILITY ID AUTH=PLAIN\r\n",
    "who it is": b'* ID ("name" "Dovecot")\r\n',
    "OK": b"<tag> OK go\r\n",
    "OK with capabilities": b"<tag> OK [CAPABILITY X] go\r\n",
    "NO": b"<tag> NO [AUTHENTICATIONFAILED] no\r\n",
    "the password echoed": b"<tag> BAD no such command: tan staaf\r\n",
    "go on": b"+ go on\r\n",
    "two answers glued": b"<tag> OK\r\n<next> OK\r\n",
    "half a line": b"* O",
    "leaves": LEAVES,
}
