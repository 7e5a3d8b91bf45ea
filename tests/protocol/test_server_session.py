"""The policy of STARTTLS, the login and SASL, before any protocol words them."""

import pytest

from mailssl_trio.protocol import sasl
from mailssl_trio.protocol.credentials import (
    Accepted,
    Password,
    Reason,
    Rejected,
)
from mailssl_trio.protocol.events import (
    Authenticate,
    Closed,
    Dialogue,
    Goodbye,
    LoggedIn,
    TlsInfo,
)
from mailssl_trio.protocol.server_session import (
    Policy,
    ServerSession,
    StartTlsMode,
)
from tests.transcript import play

TLS = TlsInfo("TLSv1.3")


class Toy(ServerSession):
    """A protocol of four words: LOGIN, AUTH, TLS and anything else."""

    BEFORE_TLS = frozenset({b"TLS"})
    OWN_CAPABILITIES = frozenset({"AUTH", "SIZE"})

    def greet(self) -> None:
        self.send(b"hello\r\n")

    def until_tls_or_login(self) -> Dialogue[Goodbye | None]:
        while True:
            verb, *words = (yield from self.read_command_line()).split(b" ")
            match verb, words:
                case b"TLS", []:
                    yield from self.start_tls(b"go\r\n")
                    return None
                case b"LOGIN", [user, password]:
                    logged_in = yield from self.log_in(Password(user, password), b"t")
                case b"AUTH", [mechanism, *initial]:
                    logged_in = yield from self.authenticate(
                        mechanism, initial[0] if initial else None, b"t"
                    )
                case _:
                    self.send(b"what?\r\n")
                    self.count_error()
                    continue
            if logged_in:
                return Goodbye.QUIT

    def accept(self, accepted: Accepted, tag: bytes) -> None:
        self.send(tag + b" yes: " + accepted.reply)

    def reject(self, rejected: Rejected, tag: bytes) -> None:
        self.send(tag + f" no: {rejected.reason.name}\r\n".encode())

    def refuse_sasl(self, refusal: sasl.SaslError, tag: bytes) -> None:
        self.send(tag + f" no: {refusal.text}\r\n".encode())

    def farewell(self, reason: Goodbye) -> bytes:
        return f"bye: {reason.name}\r\n".encode()


def toy(
    starttls: StartTlsMode = StartTlsMode.OFF,
    *,
    tls: bool = False,
    capabilities: tuple[str, ...] = (),
    max_errors: int = 5,
) -> Toy:
    policy = Policy("mx", starttls, ("PLAIN", "LOGIN"), capabilities, max_errors)
    session = Toy(policy)
    session.tls = TLS if tls else None
    return session


@pytest.mark.parametrize(
    ("mode", "tls", "may_start_tls", "may_log_in"),
    [
        (StartTlsMode.OFF, False, False, True),
        (StartTlsMode.ON, False, True, True),
        (StartTlsMode.ONLY, False, True, False),
        (StartTlsMode.OFF, True, False, True),
        (StartTlsMode.ON, True, False, True),
        (StartTlsMode.ONLY, True, False, True),
    ],
)
def test_the_mode_decides_what_may_be_done_before_tls_and_nothing_after_it(
    mode: StartTlsMode, *, tls: bool, may_start_tls: bool, may_log_in: bool
) -> None:
    session = toy(mode, tls=tls)
    assert session.may_start_tls is may_start_tls
    assert session.may_log_in is may_log_in
    assert session.permits(b"LOGIN") is may_log_in
    assert session.permits(b"TLS")
    assert session.mechanisms == (("PLAIN", "LOGIN") if may_log_in else ())


def test_configured_words_do_not_speak_for_the_session() -> None:
    configured = ("TOP", "auth=PLAIN", "AUTH PLAIN", "Size 1", "SIZEABLE", "AUTHOR=x")
    session = toy(capabilities=configured)
    assert session.configured_capabilities == ("TOP", "SIZEABLE", "AUTHOR=x")


def test_a_login_goes_to_the_judge_and_ends_the_dialogue() -> None:
    play(
        toy,
        """
        S: hello
        C: LOGIN joe tanstaaf
        ? Authenticate(Password(b"joe", b"tanstaaf"))
        ! Accepted(b"welcome\\r\\n", b"* untagged\\r\\n")
        S: t yes: welcome
        ? LoggedIn(b"welcome\\r\\n", b"* untagged\\r\\n")
        ? Closed(Goodbye.QUIT)
        """,
    )


def test_a_refused_login_is_worded_counted_and_may_be_repeated() -> None:
    play(
        lambda: toy(max_errors=2),
        """
        S: hello
        C: LOGIN joe x
        ? Authenticate(Password(b"joe", b"x"))
        ! Rejected(Reason.AUTHENTICATIONFAILED)
        S: t no: AUTHENTICATIONFAILED
        C: LOGIN joe y
        ? Authenticate(Password(b"joe", b"y"))
        ! Rejected(Reason.UNAVAILABLE)
        S: t no: UNAVAILABLE
        S: bye: TOO_MANY_ERRORS
        ? Closed(Goodbye.TOO_MANY_ERRORS)
        """,
    )


@pytest.mark.parametrize("max_errors", [0, 1])
def test_the_first_error_may_be_the_last(max_errors: int) -> None:
    play(
        lambda: toy(max_errors=max_errors),
        """
        S: hello
        C: XYZZY
        S: what?
        S: bye: TOO_MANY_ERRORS
        ? Closed(Goodbye.TOO_MANY_ERRORS)
        """,
    )


def test_errors_in_the_clear_are_not_held_against_tls() -> None:
    play(
        lambda: toy(StartTlsMode.ON, max_errors=2),
        """
        S: hello
        C: XYZZY
        S: what?
        C: TLS
        S: go
        ? StartTls()
        ! TlsInfo("TLSv1.3")
        C: XYZZY
        S: what?
        C: XYZZY
        S: what?
        S: bye: TOO_MANY_ERRORS
        ? Closed(Goodbye.TOO_MANY_ERRORS)
        """,
    )


@pytest.mark.parametrize("words", ["LOGIN joe x", "AUTH PLAIN AGpvZQB4"])
def test_a_protocol_that_forgets_the_policy_is_stopped_by_it(words: str) -> None:
    """Toy asks nobody before it logs in; under ``only`` that is our bug."""
    session = toy(StartTlsMode.ONLY)
    session.next_event()
    session.receive_data(f"{words}\r\n".encode())
    with pytest.raises(RuntimeError, match="before TLS under starttls only") as bug:
        session.next_event()
    assert "x" not in str(bug.value)


def test_sasl_with_and_without_an_initial_response() -> None:
    play(
        toy,
        """
        S: hello
        C: AUTH plain AGpvZQB4
        ? Authenticate(Password(b"joe", b"x"))
        ! Rejected(Reason.CONTACTADMIN)
        S: t no: CONTACTADMIN
        C: AUTH PLAIN
        S~ + \\r\\n
        C: AGpvZQB4
        ? Authenticate(Password(b"joe", b"x"))
        ! Rejected(Reason.PRIVACYREQUIRED)
        S: t no: PRIVACYREQUIRED
        C: AUTH LOGIN am9l
        S: + UGFzc3dvcmQ6
        C: eA==
        ? Authenticate(Password(b"joe", b"x"))
        ! Accepted(b"welcome\\r\\n")
        S: t yes: welcome
        ? LoggedIn(b"welcome\\r\\n")
        ? Closed(Goodbye.QUIT)
        """,
    )


def test_sasl_that_comes_to_nothing_is_refused_and_counted() -> None:
    play(
        lambda: toy(max_errors=4),
        """
        S: hello
        C: AUTH XYZZY
        S: t no: unsupported authentication mechanism
        C: AUTH PLAIN !
        S: t no: malformed authentication response
        C: AUTH LOGIN
        S: + VXNlcm5hbWU6
        C: *
        S: t no: authentication cancelled
        C: AUTH PLAIN
        S~ + \\r\\n
        C: AGpvZQB4DQp5
        S: t no: malformed authentication response
        S: bye: TOO_MANY_ERRORS
        ? Closed(Goodbye.TOO_MANY_ERRORS)
        """,
    )


def test_a_star_as_initial_response_cancels_nothing_and_is_no_base64() -> None:
    play(
        toy,
        """
        S: hello
        C: AUTH PLAIN *
        S: t no: malformed authentication response
        """,
    )


def test_the_longest_line_is_read_and_a_longer_one_ends_it() -> None:
    """RFC 4954 section 4: 12,288 octets with the line end."""
    longest = "x" * (sasl.MAX_LINE - 2)
    play(
        toy,
        f"""
        S: hello
        C: {longest}
        S: what?
        C: {longest}x
        S: bye: LINE_TOO_LONG
        ? Closed(Goodbye.LINE_TOO_LONG)
        """,
        cuts=(1 << 20, 7),
    )


@pytest.mark.parametrize(
    "line",
    [
        "GET / HTTP/1.1",
        "POST /login?a=b HTTP/1.0",
        "PRI * HTTP/2.0",
        "CONNECT mx:25 HTTP/1.1",
    ],
)
def test_http_ends_it_in_place_of_a_command_and_of_a_sasl_response(line: str) -> None:
    for before in ("", "C: AUTH PLAIN\nS~ + \\r\\n"):
        play(
            toy,
            f"""
            S: hello
            {before}
            C: {line}
            S: bye: HTTP_REQUEST
            ? Closed(Goodbye.HTTP_REQUEST)
            """,
        )


@pytest.mark.parametrize(
    "line", ["GET", "POST x", "get / HTTP/1.1", "A GET / HTTP/1.1"]
)
def test_what_only_resembles_http_is_a_command_like_others(line: str) -> None:
    play(toy, f"S: hello\nC: {line}\nS: what?")


def test_octets_behind_a_login_are_left_for_the_relay() -> None:
    session = toy()
    session.next_event()
    session.receive_data(b"LOGIN joe x\r\nSTAT\r\nRET")
    asked = session.next_event()
    assert isinstance(asked, Authenticate)
    session.answer(asked, Accepted())
    assert session.next_event() == LoggedIn()
    assert session.next_event() == Closed(Goodbye.QUIT)
    assert session.trailing_data == b"STAT\r\nRET"


def test_what_every_protocol_must_say_itself() -> None:
    session = ServerSession(Policy())
    refusal = sasl.CancelledError()
    for unsaid in (
        session.greet,
        lambda: next(session.until_tls_or_login()),
        lambda: session.accept(Accepted(), b""),
        lambda: session.reject(Rejected(Reason.UNAVAILABLE), b""),
        lambda: session.refuse_sasl(refusal, b""),
    ):
        with pytest.raises(NotImplementedError):
            unsaid()
