"""Every mechanism that Python's mail clients know, judged by an auth server."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from imaplib import IMAP4, IMAP4_SSL
from pathlib import Path
from poplib import error_proto
from smtplib import SMTP, SMTPResponseException

import pytest
import trustme
from attrs import define

from tests.interop.auth_servers import REFUSAL, serving_wsgi
from tests.interop.clients import imap, pop3, smtp
from tests.interop.fake_backend import FakeBackend, fake_backend
from tests.interop.gateway import Doors, mail_table, serving
from tests.interop.machine import PATIENCE, free_port
from tests.interop.mechanism_auth import FAILURE, TOKEN, judging
from tests.interop.people import ALICE, AWKWARD, BOB, WRONG

pytestmark = pytest.mark.interop

ALL = "plain login cram-md5 external xoauth2 oauthbearer"
XOAUTH2 = f"user={ALICE.name}\x01auth=Bearer {TOKEN}\x01\x01".encode()
HASH = "$scrypt$ln=1,r=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA"
OAUTHBEARER = f"n,a={ALICE.name},\x01auth=Bearer {TOKEN}\x01\x01".encode()


@define
class Site:
    """A gateway that offers everything, and a backend for each protocol."""

    doors: Doors
    open_port: int
    """Where submission needs no TLS."""
    backends: dict[str, FakeBackend]

    def told(self, protocol: str) -> str:
        """Return all that a backend has heard."""
        return b"".join(self.backends[protocol].lines).decode()


@pytest.fixture(scope="module")
def site(premises: Path) -> Iterator[Site]:
    """Run all of them."""
    directory = premises / "mechanisms"
    directory.mkdir()
    doors = Doors.anywhere(directory / "var/tls/ca.pem")
    open_port = free_port()
    with ExitStack() as running:
        backends = {
            protocol: running.enter_context(fake_backend(protocol))
            for protocol in ("imap", "pop3", "smtp")
        }
        ports = {protocol: backend.port for protocol, backend in backends.items()}
        table = mail_table(
            *doors.servers,
            {"listen": f"127.0.0.1:{open_port}", "protocol": "smtp"},
            auth_http=running.enter_context(serving_wsgi(judging(ports))),
            imap_auth=ALL,
            pop3_auth=f"apop {ALL.replace('login ', '')}",
            smtp_auth=f"{ALL} none",
            proxy_smtp_auth=True,
            smtp_greeting_delay="100ms",
        )
        running.enter_context(serving(directory, table))
        yield Site(doors, open_port, backends)


def test_cram_md5_lets_everybody_in_who_knows_the_password(site: Site) -> None:
    """Carol's ends in a space, which no header brings back from the auth server."""
    for person in (ALICE, *AWKWARD[1:3]):
        with imap(site.doors, "tls") as client:
            assert client.login_cram_md5(person.name, person.password)[0] == "OK"
        assert person.sasl_plain in site.told("imap")
    submission = smtp(site.doors, "starttls")
    code, _ = submission.login(ALICE.name, ALICE.password)  # by CRAM-MD5, the best
    assert code == 235
    submission.close()
    assert ALICE.sasl_plain in site.told("smtp")


def test_cram_md5_with_a_wrong_password_is_refused_in_the_judges_words(
    site: Site,
) -> None:
    with (
        imap(site.doors, "tls") as client,
        pytest.raises(IMAP4.error, match=f"^{REFUSAL}"),
    ):
        client.login_cram_md5(ALICE.name, WRONG)


def test_apop_answers_the_greeting(site: Site) -> None:
    for person in (ALICE, BOB, *AWKWARD[1:3]):
        client = pop3(site.doors, "starttls")
        assert client.apop(person.name, person.password).startswith(b"+OK")
        assert person.sasl_plain in site.told("pop3")
        client.quit()
    refused = pop3(site.doors, "tls")
    with pytest.raises(error_proto, match=REFUSAL):
        refused.apop(ALICE.name, WRONG)
    refused.quit()


def test_a_token_goes_on_as_it_came_where_nothing_takes_its_place(site: Site) -> None:
    with imap(site.doors, "tls") as client:
        assert client.authenticate("XOAUTH2", lambda _challenge: XOAUTH2)[0] == "OK"
    assert "AUTHENTICATE XOAUTH2 " in site.told("imap")
    with imap(site.doors, "tls") as client:
        assert client.authenticate("OAUTHBEARER", lambda _: OAUTHBEARER)[0] == "OK"
    assert ALICE.sasl_plain in site.told("imap")
    submission = smtp(site.doors, "tls")
    submission.ehlo()
    oauthbearer = OAUTHBEARER.decode()
    code, _ = submission.auth("OAUTHBEARER", lambda _challenge=None: oauthbearer)
    assert code == 235
    submission.close()


def test_a_wrong_token_is_told_why(site: Site) -> None:
    """RFC 7628 section 3.2.2."""
    said: list[bytes] = []

    def answer(challenge: bytes) -> bytes:
        said.append(challenge)
        return XOAUTH2.replace(b"token", b"other") if len(said) == 1 else b"\x01"

    with (
        imap(site.doors, "starttls") as client,
        pytest.raises(IMAP4.error, match=REFUSAL),
    ):
        client.authenticate("XOAUTH2", answer)
    assert said == [b"", FAILURE]


def test_external_is_the_auth_servers_to_believe(site: Site) -> None:
    with imap(site.doors, "tls") as client:
        name = ALICE.octets[0]
        assert client.authenticate("EXTERNAL", lambda _challenge: name)[0] == "OK"
    assert ALICE.sasl_plain in site.told("imap")


def test_a_certificate_opens_the_mailbox_of_whom_it_names(tmp_path: Path) -> None:
    """RFC 4422 appendix A: who it is, it need not say; whoever else it may not be."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    door = Doors.anywhere(tmp_path / "var/tls/ca.pem").only("imap", "tls")
    hashes = (f"[{json.dumps(p.name)}]\npassword = '{HASH}'\n" for p in (ALICE, BOB))
    (tmp_path / "users.toml").write_text("".join(hashes))
    table = mail_table(
        *door.servers,
        users=str(tmp_path / "users.toml"),
        proxy_pass="embedded",
        imap_auth="plain external",
        ssl_verify_client="optional",
        ssl_client_certificate=str(tmp_path / "ca.pem"),
    )
    with serving(tmp_path, table):
        trust = door.trust()
        port = door.port("imap", "tls")
        with (
            IMAP4_SSL("localhost", port, ssl_context=trust, timeout=PATIENCE) as nobody,
            pytest.raises(IMAP4.error, match="AUTHENTICATIONFAILED"),
        ):
            nobody.authenticate("EXTERNAL", lambda _challenge: ALICE.octets[0])
        ca.issue_cert(ALICE.name).configure_cert(trust)
        with IMAP4_SSL("localhost", port, ssl_context=trust, timeout=PATIENCE) as alice:
            with pytest.raises(IMAP4.error, match="AUTHENTICATIONFAILED"):
                alice.authenticate("EXTERNAL", lambda _challenge: BOB.octets[0])
            assert alice.authenticate("EXTERNAL", lambda _challenge: b"")[0] == "OK"
            assert alice.select()[0] == "OK"


def test_mail_without_a_login_goes_where_its_recipient_may_have_it(site: Site) -> None:
    client = SMTP("127.0.0.1", site.open_port, "pc.example", PATIENCE)
    client.ehlo()
    assert client.mail(ALICE.name)[0] == 250
    code, text = client.rcpt("stranger@example.net")
    assert (code, text) == (550, b"5.7.1 not through here")
    assert client.rcpt(BOB.name) == (250, b"did RCPT")
    assert client.rcpt("stranger@example.net") == (250, b"did RCPT")
    client.close()
    told = site.told("smtp")
    assert f"MAIL FROM:<{ALICE.name}>\r\nRCPT TO:<{BOB.name}>\r\n".lower() in (
        told.lower()
    )


def test_whoever_talks_before_the_greeting_is_sent_away(site: Site) -> None:
    class Hasty(SMTP):
        def getreply(self) -> tuple[int, bytes]:
            self.putcmd("EHLO", "pc.example")
            return super().getreply()

    with pytest.raises(SMTPResponseException, match="pipelining") as refused:
        Hasty("127.0.0.1", site.open_port, "pc.example", PATIENCE)
    assert refused.value.smtp_code == 503
