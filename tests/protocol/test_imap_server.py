"""IMAP facing the mail client: RFC 9051, 2971, 4959, 5530 and 7888 as transcripts."""

import pytest

from mailssl_trio.protocol.events import Closed, Goodbye
from mailssl_trio.protocol.imap.server import ImapServer
from mailssl_trio.protocol.server_session import Policy, StartTlsMode
from tests.transcript import play

WORDS = "IMAP4rev1 UIDPLUS"
GREETING = (
    f"* OK [CAPABILITY {WORDS} AUTH=PLAIN AUTH=LOGIN SASL-IR LITERAL+ ID] IMAP4 ready"
)
ONLY_GREETING = (
    f"* OK [CAPABILITY {WORDS} STARTTLS LOGINDISABLED LITERAL+ ID] IMAP4 ready"
)
READY = "+ ready for literal"
INVALID = "BAD invalid command"
WRONG_STATE = "BAD command not valid in this state"
TLS_FIRST = "NO [PRIVACYREQUIRED] TLS is required"
TOO_BIG = "NO [TOOBIG] literal too large"


def server(
    starttls: StartTlsMode = StartTlsMode.OFF,
    *,
    mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN"),
    capabilities: tuple[str, ...] = tuple(WORDS.split()),
    implicit_tls: bool = False,
    max_errors: int = 5,
) -> ImapServer:
    policy = Policy("mx", starttls, mechanisms, capabilities, max_errors)
    return ImapServer(policy, implicit_tls=implicit_tls)


def off() -> ImapServer:
    return server()


def on() -> ImapServer:
    return server(StartTlsMode.ON)


def only() -> ImapServer:
    return server(StartTlsMode.ONLY)


def test_login_of_rfc_9051_section_6_2_3() -> None:
    play(
        off,
        f"""
        S: {GREETING}
        C: a001 LOGIN SMITH SESAME
        ? Authenticate(Password(b"SMITH", b"SESAME"))
        ! Accepted(b"OK LOGIN completed\\r\\n")
        S: a001 OK LOGIN completed
        ? LoggedIn(b"OK LOGIN completed\\r\\n")
        ? Closed(Goodbye.QUIT)
        """,
    )


def test_backend_words_are_passed_on_under_the_tag_of_the_client() -> None:
    play(
        off,
        f"""
        S: {GREETING}
        C: x.9 login joe pw
        ? Authenticate(Password(b"joe", b"pw"))
        ! Accepted(b"OK [CAPABILITY IMAP4rev1 IDLE] hi\\r\\n", b"* OK [ALERT] x\\r\\n")
        S: * OK [ALERT] x
        S: x.9 OK [CAPABILITY IMAP4rev1 IDLE] hi
        ? LoggedIn(b"OK [CAPABILITY IMAP4rev1 IDLE] hi\\r\\n", b"* OK [ALERT] x\\r\\n")
        """,
    )


@pytest.mark.parametrize(
    ("reason", "reply"),
    [
        ("Reason.AUTHENTICATIONFAILED",
         "NO [AUTHENTICATIONFAILED] authentication failed"),
        ("Reason.UNAVAILABLE", "NO [UNAVAILABLE] temporary authentication failure"),
        ("Reason.PRIVACYREQUIRED", "NO [PRIVACYREQUIRED] encryption required"),
        ("Reason.LIMIT, usual='ten already'", "NO [LIMIT] ten already"),
        ("Reason.CONTACTADMIN, 'paid?'", "NO paid?"),
        ("Reason.CONTACTADMIN, '[EXPIRED] paid?'", "NO [EXPIRED] paid?"),
    ],
)  # fmt: skip
def test_refused_login_is_told_why_and_may_try_again(reason: str, reply: str) -> None:
    play(
        off,
        f"""
        S: {GREETING}
        C: a LOGIN joe wrong
        ? Authenticate(Password(b"joe", b"wrong"))
        ! Rejected({reason})
        S: a {reply}
        C: b LOGIN joe right
        ? Authenticate(Password(b"joe", b"right"))
        """,
    )


def test_commands_of_any_state() -> None:
    play(
        off,
        f"""
        S: {GREETING}
        C: a CAPABILITY
        S: * CAPABILITY {WORDS} AUTH=PLAIN AUTH=LOGIN SASL-IR LITERAL+ ID
        S: a OK completed
        C: b nOOp
        S: b OK completed
        C: c logout
        S: * BYE logging out
        S: c OK completed
        ? Closed(Goodbye.QUIT)
        """,
    )


def test_own_words_are_said_when_they_are_true_and_only_then() -> None:
    play(
        lambda: server(
            mechanisms=(),
            capabilities=("IMAP4rev1", "AUTH=X", "sasl-ir", "LITERAL-", "ID", "IDLE"),
        ),
        "S: * OK [CAPABILITY IMAP4rev1 IDLE LITERAL+ ID] IMAP4 ready",
    )


@pytest.mark.parametrize(
    "tag", ["1", "a:1", "A]x", "#", "}", "!~^_`|", "OK", "x" * 4000, "-.,/<=>?@[&'$"]
)
def test_every_legal_tag_comes_back_as_it_was(tag: str) -> None:
    play(off, f"S: {GREETING}\nC: {tag} NOOP\nS: {tag} OK completed")


@pytest.mark.parametrize(
    "line",
    ["", " ", " a NOOP", "+ NOOP", "a+b NOOP", "* NOOP", "a(b NOOP", "a{b NOOP",
     'a"b NOOP', "a\\\\b NOOP", "a%b NOOP", "\\xe9 NOOP", "\\0 NOOP", "\\x7f NOOP",
     "\\r NOOP"],
)  # fmt: skip
def test_illegal_or_missing_tag_is_answered_without_one(line: str) -> None:
    play(
        off,
        f"""
        S: {GREETING}
        C~ {line}\\r\\n
        S: * {INVALID}
        C: b NOOP
        S: b OK completed
        """,
    )


@pytest.mark.parametrize(
    "rest",
    ["", " ", " XYZZY", " NO\\0OP", " NOOP \\0", " NOOP\\r", " NOOP {x", " LOGOUT {3}",
     " STARTTLS", " LOGIN", " LOGIN joe", " LOGIN joe a b", ' LOGIN joe "pw',
     ' LOGIN joe "a"b', ' LOGIN joe "a""b"', ' LOGIN joe "a\\', ' LOGIN joe "a\\\\\\0"',
     ' LOGIN joe "a\\0b"', ' LOGIN joe "a\\rb"', " LOGIN joe a\\0b", " LOGIN joe a\\rb",
     " LOGIN joe {pw}", ' LOGIN "" pw', " AUTHENTICATE", " AUTHENTICATE PLAIN a b",
     ' AUTHENTICATE "PLAIN"', " ID", " ID x", ' ID "x"', ' ID ("x")', " ID (NIL NIL)",
     ' ID ("x" "y"', ' ID (("x" "y"))', " ID NIL NIL", ' ID ("a" b)', " DONE",
     " X LOGIN joe pw", " " + "(" * 7000, " SEARCH" + "x" * 8192,
     " ID (" + '"a" NIL ' * 31 + ")"],
)  # fmt: skip
def test_bad_syntax_is_refused_and_the_dialogue_goes_on(rest: str) -> None:
    play(
        off,
        f"""
        S: {GREETING}
        C~ a{rest}\\r\\n
        S: a {INVALID}
        C: b NOOP
        S: b OK completed
        """,
        cuts=(1 << 20, 7),
    )


@pytest.mark.parametrize("words", ["", " now", " (a) b{3} c", ' "please" at]once'])
def test_what_follows_a_command_without_arguments_is_passed_over(words: str) -> None:
    play(
        off,
        f"""
        S: {GREETING}
        C: a NOOP{words}
        S: a OK completed
        C: b CAPABILITY{words}
        S: * CAPABILITY {WORDS} AUTH=PLAIN AUTH=LOGIN SASL-IR LITERAL+ ID
        S: b OK completed
        C: c LOGOUT{words}
        S: * BYE logging out
        S: c OK completed
        ? Closed(Goodbye.QUIT)
        """,
    )


@pytest.mark.parametrize(
    "command",
    ["SELECT INBOX", 'LIST "" *', "IDLE", "uid fetch 1:* (FLAGS)", "ENABLE CONDSTORE",
     "APPEND INBOX (\\Seen) {310}", "STATUS {5}", "SEARCH " + "(" * 7000],
)  # fmt: skip
def test_commands_that_need_a_login_are_refused_in_those_words(command: str) -> None:
    play(
        off,
        f"""
        S: {GREETING}
        C: a {command}
        S: a {WRONG_STATE}
        C: b NOOP
        S: b OK completed
        """,
        cuts=(1 << 20, 7),
    )


def test_longest_command_and_one_octet_more() -> None:
    longest = "a LOGIN joe " + "x" * (8192 - len("a LOGIN joe \r\n"))
    password = longest.removeprefix("a LOGIN joe ")
    play(
        off,
        f"""
        S: {GREETING}
        C: {longest}x
        S: a {INVALID}
        C: {longest}
        ? Authenticate(Password(b"joe", b"{password}"))
        """,
        cuts=(1 << 20, 7),
    )


def test_endless_line_is_cut_off() -> None:
    play(
        off,
        f"""
        S: {GREETING}
        C~ {"x" * 12_288}
        S: * BYE command too long
        ? Closed(Goodbye.LINE_TOO_LONG)
        """,
        cuts=(1 << 20, 7),
    )


# Strings.


@pytest.mark.parametrize(
    ("arguments", "user", "password"),
    [
        ("joe pw", b"joe", b"pw"),
        ('"joe" "two  words"', b"joe", b"two  words"),
        ('joe ""', b"joe", b""),
        (r'"a\"b" "c\\\\"', b'a"b', b"c\\"),
        (r'joe "%n{5}(*"', b"joe", b"%n{5}(*"),
        ('joe "pässwörd"', b"joe", "pässwörd".encode()),
        ("jürgen p%ss*", "jürgen".encode(), b"p%ss*"),
        ("joe]+ [x]=", b"joe]+", b"[x]="),
        ("nil NIL", b"nil", b"NIL"),
        ("  joe   pw  ", b"joe", b"pw"),
        ("joe se{cret", b"joe", b"se{cret"),
        ("joe se[c]r(e)t", b"joe", b"se[c]r(e)t"),
        (r"joe sec\ret", b"joe", rb"sec\ret"),
        ('joe se"cret"', b"joe", b'se"cret"'),
        ("(joe) ({5}", b"(joe)", b"({5}"),
        ("joe x{5}", b"joe", b"x{5}"),
        ("joe \x01\t5", b"joe", b"\x01\t5"),
        (r'"joe""s\ecret"', b"joe", b"secret"),
        (r'"joe"se\"cret', b"joe", rb"se\"cret"),
    ],
)
def test_strings_mean_what_they_say(
    arguments: str, user: bytes, password: bytes
) -> None:
    arguments = arguments.replace("\\\\\\\\", "\\\\")
    play(
        off,
        f"""
        S: {GREETING}
        C: a LOGIN {arguments}
        ? Authenticate(Password({user!r}, {password!r}))
        """,
    )


def test_raw_eight_bit_octets_may_be_quoted() -> None:
    play(
        off,
        f"""
        S: {GREETING}
        C~ a LOGIN joe "\\xe9\\xff"\\r\\n
        ? Authenticate(Password(b"joe", b"\\xe9\\xff"))
        """,
    )


def test_synchronising_literals_are_invited_and_exact() -> None:
    play(
        off,
        f"""
        S: {GREETING}
        C: A001 LOGIN {{11}}
        S: {READY}
        C: FRED FOOBAR {{7}}
        S: {READY}
        C: fat man
        ? Authenticate(Password(b"FRED FOOBAR", b"fat man"))
        ! Accepted(b"OK LOGIN completed\\r\\n")
        S: A001 OK LOGIN completed
        """,
    )


def test_literals_of_rfc_7888_need_no_invitation() -> None:
    play(
        off,
        f"""
        S: {GREETING}
        C: A001 LOGIN {{11+}}
        C: FRED FOOBAR {{0007+}}
        C: fat man
        ? Authenticate(Password(b"FRED FOOBAR", b"fat man"))
        """,
    )


def test_literals_hold_what_looks_like_something_else() -> None:
    play(
        off,
        f"""
        S: {GREETING}
        C~ a LOGIN {{4+}}\\r\\n\\xff {{9 {{0}}\\r\\n
        S: {READY}
        C~ \\r\\n
        ? Authenticate(Password(b"\\xff {{9", b""))
        ! Rejected(Reason.UNAVAILABLE)
        S: a NO [UNAVAILABLE] temporary authentication failure
        C~ b LOGIN joe {{3+}}\\r\\n"\\\\*\\r\\n
        ? Authenticate(Password(b"joe", b'"\\\\*'))
        """,
    )


@pytest.mark.parametrize(
    ("literal", "reply"),
    [
        ("{13+}\\r\\nx\\r\\nb LOGOUT\\r\\n", "BAD invalid user name or password"),
        ("{3+}\\r\\na\\nb", "BAD invalid user name or password"),
        ("{3+}\\r\\na\\0b", INVALID),
        ("{3+}\\r\\na\\0b {3+}\\r\\nxyz", INVALID),
        ("{3+}\\r\\nabcd", INVALID),
        ('{3+}\\r\\nabc"d"', INVALID),
        ("{3+}\\r\\nabc d", INVALID),
        ("{3+}\\r\\nabc {3+}\\r\\nabc {3+}\\r\\nabc x", INVALID),
        ('"{3+}\\r\\nabc', INVALID),
        ("~{3+}\\r\\nabc", INVALID),
        ("x{3+}\\r\\nabc", INVALID),
    ],
)
def test_no_credential_may_hold_line_ends_or_nul(literal: str, reply: str) -> None:
    play(
        off,
        f"""
        S: {GREETING}
        C~ a LOGIN joe {literal}\\r\\n
        S: a {reply}
        C: b NOOP
        S: b OK completed
        """,
    )


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("a NOOP {5}", f"a {INVALID}"),
        ("a LOGOUT {5}", f"a {INVALID}"),
        ("a AUTHENTICATE PLAIN {5}", f"a {INVALID}"),
        ("a AUTHENTICATE {5}", f"a {INVALID}"),
        ("a LOGIN{5}", f"a {INVALID}"),
        ("a LOGIN joe pw {5}", f"a {INVALID}"),
        ("a LOGIN joe pw ({5}", f"a {INVALID}"),
        ("a LOGIN joe {5-}", f"a {INVALID}"),
        ("a LOGIN joe {-5}", f"a {INVALID}"),
        ("a LOGIN joe {}", f"a {INVALID}"),
        ("a LOGIN joe {5} ", f"a {INVALID}"),
        ("a ID {5}", f"a {INVALID}"),
        ('a ID ("x"{5}', f"a {INVALID}"),
        ("a ID (NIL {5}", f"a {INVALID}"),
        ("a {5}", f"a {INVALID}"),
        ("{5}", f"* {INVALID}"),
        ("a XYZZY {5}", f"a {INVALID}"),
        ("a LOGIN {8193}", f"a {TOO_BIG}"),
        ("a LOGIN {4294967296}", f"a {TOO_BIG}"),
        ("a LOGIN joe {18446744073709551616}", f"a {TOO_BIG}"),
        ("a ID ({1000000000}", f"a {TOO_BIG}"),
        ("a LOGIN {" + "9" * 6000 + "}", f"a {TOO_BIG}"),
        ("a LOGIN " + "x" * 8192 + " {1}", f"a {INVALID}"),
    ],
)
def test_unwelcome_literal_is_refused_uninvited(command: str, reply: str) -> None:
    play(
        off,
        f"""
        S: {GREETING}
        C~ {command}\\r\\n
        S: {reply}
        C: b NOOP
        S: b OK completed
        """,
        cuts=(1 << 20, 7),
    )


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("a APPEND INBOX {12+}\\r\\nb LOGOUT\\r\\n\\r\\n", f"a {WRONG_STATE}"),
        ("a XYZZY {12+}\\r\\nb LOGOUT\\r\\n\\r\\n", f"a {INVALID}"),
        ("a NOOP{12+}\\r\\nb LOGOUT\\r\\n\\r\\n", f"a {INVALID}"),
        ("{12+}\\r\\nb LOGOUT\\r\\n\\r\\n", f"* {INVALID}"),
        ("a STORE {1+}\\r\\nx {2+}\\r\\nyz {0+}\\r\\n q", f"a {WRONG_STATE}"),
        ("a STORE {1+}\\r\\nx {5}", f"a {WRONG_STATE}"),
        ("a STORE {8192+}\\r\\n" + "x" * 8192, f"a {WRONG_STATE}"),
        ("a LOGIN {5000+}\\r\\n" + "x" * 5000 + " {3193}", f"a {TOO_BIG}"),
        ("a X " + "x" * 9000 + " {3+}\\r\\nabc", f"a {INVALID}"),
    ],
)
def test_refused_literal_that_comes_unasked_is_read_past(
    command: str, reply: str
) -> None:
    play(
        off,
        f"""
        S: {GREETING}
        C~ {command}\\r\\n
        S: {reply}
        C: b NOOP
        S: b OK completed
        """,
        cuts=(1 << 20, 7),
    )


@pytest.mark.parametrize(
    "command",
    [
        "a LOGIN {8193+}",
        "a LOGIN {1000000000+}",
        "a XYZZY {18446744073709551616+}",
        "a APPEND INBOX {8193+}",
        "a APPEND x " + "{0+}\\r\\n" * 2051,
        "a LOGIN {5000+}\\r\\n" + "x" * 5000 + " {3193+}",
    ],
)
def test_literal_too_large_to_read_past_ends_it(command: str) -> None:
    play(
        off,
        f"""
        S: {GREETING}
        C~ {command}\\r\\n
        S: * BYE command too long
        ? Closed(Goodbye.LINE_TOO_LONG)
        """,
        cuts=(1 << 20, 7),
    )


def test_literals_of_one_command_fill_their_limit() -> None:
    half = "x" * 4096
    play(
        off,
        f"""
        S: {GREETING}
        C: a LOGIN {{4096}}
        S: {READY}
        C: {half} {{4096+}}
        C: {half}
        ? Authenticate(Password(b"{half}", b"{half}"))
        """,
        cuts=(1 << 20, 7),
    )


def test_lines_between_literals_count_together() -> None:
    blank = " " * 4096
    play(
        off,
        f"""
        S: {GREETING}
        C~ a LOGIN{blank}{{1+}}\\r\\nx{blank}{{1+}}\\r\\ny\\r\\n
        S: a {INVALID}
        C: b NOOP
        S: b OK completed
        """,
        cuts=(1 << 20, 7),
    )


# ID, RFC 2971.


def test_id_is_answered() -> None:
    play(
        off,
        f"""
        S: {GREETING}
        C: a023 ID ("name" "sodr" "version" "19.34" "vendor" NIL)
        S: * ID ("name" "mailssl_trio")
        S: a023 OK completed
        C: a042 ID NIL
        S: * ID ("name" "mailssl_trio")
        S: a042 OK completed
        C: a043 id ()
        S: * ID ("name" "mailssl_trio")
        S: a043 OK completed
        C: a044 ID ({{4}}
        S: {READY}
        C: name {{4+}}
        C~ a\\r\\nb "os" nil )\\r\\n
        S: * ID ("name" "mailssl_trio")
        S: a044 OK completed
        """,
    )


# AUTHENTICATE, RFC 9051 section 6.2.2, and SASL-IR, RFC 4959.


def test_authenticate_plain_with_and_without_an_initial_response() -> None:
    play(
        off,
        f"""
        S: {GREETING}
        C: C01 AUTHENTICATE PLAIN dGVzdAB0ZXN0AHRlc3Q=
        ? Authenticate(Password(b"test", b"test", b"test"))
        ! Rejected(Reason.AUTHENTICATIONFAILED)
        S: C01 NO [AUTHENTICATIONFAILED] authentication failed
        C: C02 authenticate plain
        S~ + \\r\\n
        C: dGVzdAB0ZXN0AHRlc3Q=
        ? Authenticate(Password(b"test", b"test", b"test"))
        ! Accepted(b"OK Success (tls protection)\\r\\n")
        S: C02 OK Success (tls protection)
        ? LoggedIn(b"OK Success (tls protection)\\r\\n")
        ? Closed(Goodbye.QUIT)
        """,
    )


def test_authenticate_login() -> None:
    play(
        off,
        f"""
        S: {GREETING}
        C: a AUTHENTICATE LOGIN
        S: + VXNlcm5hbWU6
        C: dGlt
        S: + UGFzc3dvcmQ6
        C: dGFuc3RhYWY=
        ? Authenticate(Password(b"tim", b"tanstaaf"))
        ! Accepted(b"OK\\r\\n")
        S: a OK
        """,
    )


def test_sasl_refusals() -> None:
    play(
        lambda: server(max_errors=50),
        f"""
        S: {GREETING}
        C: a AUTHENTICATE KERBEROS_V4
        S: a NO unsupported authentication mechanism
        C: b AUTHENTICATE CRAM-MD5 x
        S: b NO unsupported authentication mechanism
        C: c AUTHENTICATE PLAIN x
        S: c BAD malformed authentication response
        C: d AUTHENTICATE PLAIN AGpvZQBhDQpi
        S: d BAD malformed authentication response
        C: e AUTHENTICATE PLAIN =
        S: e BAD malformed authentication response
        C: f AUTHENTICATE PLAIN
        S~ + \\r\\n
        C: *
        S: f BAD authentication cancelled
        C: g AUTHENTICATE PLAIN
        S~ + \\r\\n
        C: h LOGIN joe {{3}}
        S: g BAD malformed authentication response
        """,
    )


def test_sasl_responses_may_be_longer_than_commands() -> None:
    response = "AGEA" + "eHh4" * 2500
    password = "xxx" * 2500
    play(
        off,
        f"""
        S: {GREETING}
        C: a AUTHENTICATE PLAIN {response}
        ? Authenticate(Password(b"a", b"{password}"))
        ! Rejected(Reason.UNAVAILABLE)
        S: a NO [UNAVAILABLE] temporary authentication failure
        C: b AUTHENTICATE PLAIN
        S~ + \\r\\n
        C: {response}
        ? Authenticate(Password(b"a", b"{password}"))
        """,
        cuts=(1 << 20, 7),
    )


# STARTTLS, RFC 9051 section 6.2.1, and the policy.


def test_starttls_changes_what_is_true() -> None:
    play(
        only,
        f"""
        S: {ONLY_GREETING}
        C: a002 STARTTLS
        S: a002 OK begin TLS negotiation
        ? StartTls()
        ! TlsInfo("TLSv1.3")
        C: a003 CAPABILITY
        S: * CAPABILITY {WORDS} AUTH=PLAIN AUTH=LOGIN SASL-IR LITERAL+ ID
        S: a003 OK completed
        C: a STARTTLS
        S: a {INVALID}
        C: a004 AUTHENTICATE PLAIN dGVzdAB0ZXN0AHRlc3Q=
        ? Authenticate(Password(b"test", b"test", b"test"))
        ! Accepted(b"OK Success\\r\\n")
        S: a004 OK Success
        ? LoggedIn(b"OK Success\\r\\n")
        ? Closed(Goodbye.QUIT)
        """,
    )


def test_starttls_is_offered_beside_cleartext_logins() -> None:
    play(
        on,
        f"""
        S: * OK [CAPABILITY {WORDS} AUTH=PLAIN AUTH=LOGIN STARTTLS SASL-IR LITERAL+ ID] IMAP4 ready
        C: a STARTTLS now
        S: a {INVALID}
        C: b LOGIN joe pw
        ? Authenticate(Password(b"joe", b"pw"))
        """,  # noqa: E501 - a line of the dialogue
    )


@pytest.mark.parametrize(
    "command",
    ["LOGIN joe pw", "login joe pw", "LOGIN {3}", "LOGIN joe {2}", "LOGIN x {99999}",
     "AUTHENTICATE PLAIN", "AUTHENTICATE PLAIN AGpvZQBwdw==", "AUTHENTICATE XYZ",
     "SELECT INBOX", "APPEND INBOX {3}", "ENABLE X", "XYZZY"],
)  # fmt: skip
def test_only_refuses_everything_that_logs_in_or_reads_mail(command: str) -> None:
    play(
        only,
        f"""
        S: {ONLY_GREETING}
        C: a {command}
        S: a {TLS_FIRST}
        C: b NOOP
        S: b OK completed
        """,
    )


def test_only_reads_past_a_password_that_came_unasked() -> None:
    play(
        only,
        f"""
        S: {ONLY_GREETING}
        C: a LOGIN {{3+}}
        C: joe {{8+}}
        C: b LOGOUT
        S: a {TLS_FIRST}
        C: c ID ({{4}}
        S: {READY}
        C: name NIL)
        S: * ID ("name" "mailssl_trio")
        S: c OK completed
        C: +
        S: * {INVALID}
        """,
    )


def test_implicit_tls_says_nothing_in_the_clear() -> None:
    play(
        lambda: server(StartTlsMode.ONLY, implicit_tls=True),
        f"""
        ? StartTls()
        ! TlsInfo("TLSv1.3")
        S: {GREETING}
        C: a STARTTLS
        S: a {INVALID}
        """,
    )


CERTIFICATE_REFUSALS = pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("BAD_CERTIFICATE", "* BYE SSL certificate error"),
        ("CERTIFICATE_REQUIRED", "* BYE No required SSL certificate"),
    ],
)


@CERTIFICATE_REFUSALS
def test_refused_certificate_is_told_in_place_of_the_greeting(
    reason: str, words: str
) -> None:
    play(
        lambda: server(implicit_tls=True),
        f"""
        ? StartTls()
        ! TlsInfo("TLSv1.3", refused=Goodbye.{reason})
        S: {words}
        ? Closed(Goodbye.{reason})
        """,
    )


@CERTIFICATE_REFUSALS
def test_refused_certificate_ends_it_right_behind_starttls(
    reason: str, words: str
) -> None:
    play(
        only,
        f"""
        S: {ONLY_GREETING}
        C: a STARTTLS
        S: a OK begin TLS negotiation
        ? StartTls()
        ! TlsInfo("TLSv1.3", refused=Goodbye.{reason})
        S: {words}
        ? Closed(Goodbye.{reason})
        """,
    )


@pytest.mark.parametrize("behind", ["b NOOP\\r\\n", "\\x16\\x03\\x01", "\\0", "\\r\\n"])
def test_plaintext_behind_starttls_ends_it_without_the_go_ahead(behind: str) -> None:
    play(
        on,
        f"""
        S: * OK [CAPABILITY {WORDS} AUTH=PLAIN AUTH=LOGIN STARTTLS SASL-IR LITERAL+ ID] IMAP4 ready
        C~ a STARTTLS\\r\\n{behind}
        S: * BYE nothing may follow STARTTLS in the clear
        ? Closed(Goodbye.PIPELINED_STARTTLS)
        """,  # noqa: E501 - a line of the dialogue
        cuts=(1 << 20,),
    )


def test_literal_ahead_of_starttls_smuggles_nothing() -> None:
    play(
        on,
        f"""
        S: * OK [CAPABILITY {WORDS} AUTH=PLAIN AUTH=LOGIN STARTTLS SASL-IR LITERAL+ ID] IMAP4 ready
        C~ a STARTTLS {{12+}}\\r\\nb STARTTLS\\r\\n\\r\\n
        S: a {INVALID}
        C: c STARTTLS
        S: c OK begin TLS negotiation
        ? StartTls()
        """,  # noqa: E501 - a line of the dialogue
    )


# Endings.


def test_commands_in_one_segment_are_answered_in_order() -> None:
    play(
        off,
        f"""
        S: {GREETING}
        C: a NOOP
        C: b XYZZY
        C: c ID NIL
        S: a OK completed
        S: b {INVALID}
        S: * ID ("name" "mailssl_trio")
        S: c OK completed
        """,
        cuts=(1 << 20,),
    )


def test_what_stands_behind_the_login_is_left_to_the_relay() -> None:
    session = off()
    session.receive_data(b"a LOGIN {3+}\r\njoe pw\r\nb SELECT INBOX\r\n")
    session.next_event()
    session.data_to_send()
    assert session.trailing_data == b"b SELECT INBOX\r\n"


@pytest.mark.parametrize(
    "command", ["XYZZY", "SELECT x", "LOGIN {9999}", "AUTHENTICATE X"]
)
def test_the_last_allowed_error_is_answered_and_ends_it(command: str) -> None:
    session = server(max_errors=2)
    session.next_event()
    session.receive_data(f"a {command}\r\nb {command}\r\nc NOOP\r\n".encode())
    assert session.next_event() == Closed(Goodbye.TOO_MANY_ERRORS)
    *_, last = session.data_to_send().splitlines()
    assert last.startswith(b"b ")


def test_every_kind_of_failed_login_counts() -> None:
    play(
        lambda: server(max_errors=3),
        f"""
        S: {GREETING}
        C: a LOGIN joe x
        ? Authenticate(Password(b"joe", b"x"))
        ! Rejected(Reason.AUTHENTICATIONFAILED)
        S: a NO [AUTHENTICATIONFAILED] authentication failed
        C~ b LOGIN joe {{1+}}\\r\\n\\n\\r\\n
        S: b BAD invalid user name or password
        C: c AUTHENTICATE PLAIN x
        S: c BAD malformed authentication response
        ? Closed(Goodbye.TOO_MANY_ERRORS)
        """,
    )


@pytest.mark.parametrize("line", ["POST / HTTP/1.1", "GET /x?a=LOGIN HTTP/1.0"])
def test_http_request_ends_it_at_once(line: str) -> None:
    play(
        off,
        f"""
        S: {GREETING}
        C: {line}
        S: * BYE this is an IMAP server
        ? Closed(Goodbye.HTTP_REQUEST)
        """,
    )


@pytest.mark.parametrize("start", ["a NOO", "a LOGIN {5+}\\r\\njo", "a X {5+}\\r\\njo"])
def test_client_that_leaves_gets_no_last_word(start: str) -> None:
    play(
        off,
        f"""
        S: {GREETING}
        C~ {start}
        C! EOF
        ? Closed(Goodbye.PEER_GONE)
        """,
    )


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (Goodbye.BUSY, b"* BYE [UNAVAILABLE] too many connections\r\n"),
        (
            Goodbye.ADDRESS_LIMIT,
            b"* BYE [LIMIT] too many connections from your address\r\n",
        ),
        (Goodbye.CROWDED_OUT, b"* BYE [UNAVAILABLE] too many connections\r\n"),
        (
            Goodbye.BANNED,
            b"* BYE [UNAVAILABLE] your address is banned for a time\r\n",
        ),
        (Goodbye.DENIED, b"* BYE [NOPERM] access denied\r\n"),
        (Goodbye.KICKED, b"* BYE [UNAVAILABLE] ended by an administrator\r\n"),
        (Goodbye.TIMED_OUT, b"* BYE Autologout; idle for too long\r\n"),
        (Goodbye.SHUTTING_DOWN, b"* BYE server is shutting down\r\n"),
        (Goodbye.INTERNAL_ERROR, b"* BYE [SERVERBUG] internal server error\r\n"),
        (Goodbye.PEER_GONE, b""),
    ],
)
def test_farewell_in_place_of_the_greeting(reason: Goodbye, words: bytes) -> None:
    session = off()
    session.hang_up(reason)
    assert session.next_event() == Closed(reason)
    assert session.data_to_send() == words


def test_bare_line_feeds_end_lines_too() -> None:
    play(
        off,
        f"S: {GREETING}\nC~ a NOOP\\nb LOGOUT\\n\n"
        "S: a OK completed\nS: * BYE logging out\nS: b OK completed",
    )
