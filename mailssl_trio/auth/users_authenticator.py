"""Judging logins by a users file, in a way that tells strangers nothing."""

from attrs import evolve, frozen
from trio import CapacityLimiter, to_thread

from mailssl_trio.auth.route import Judgement, LoginAttempt, Route
from mailssl_trio.auth.users import User, Users
from mailssl_trio.protocol.credentials import Password, Reason, Rejected
from mailssl_trio.transport.address import EmbeddedAddress
from mailssl_trio.transport.upstream import Upstream

REFUSED = Rejected(Reason.AUTHENTICATIONFAILED)


@frozen
class UsersAuthenticator:
    """Judges by the users file; the backend is then given the same password.

    Every attempt costs exactly one verification, a stranger's too, and every refusal
    is the same: neither words nor time say whether the user exists, or whether the
    password was right but came from the wrong network or by the wrong protocol.
    (Where a file mixes schemes, strangers take the time of its most common one.)
    """

    users: Users
    default: Upstream | None
    """The server's own, for users who have none; also how TLS begins to theirs."""
    limiter: CapacityLimiter
    """How many verifications may run at once."""

    async def judge(self, attempt: LoginAttempt) -> Judgement:
        """Verify the password, then ask whether the user may come this way."""
        credentials = attempt.credentials
        if not isinstance(credentials, Password):
            return REFUSED  # only a password can be held against a hash
        user = self.users.find(credentials.authcid)
        right = await self._verify(user, credentials)
        if user is None or not right or not _may_pass(user, credentials, attempt):
            return REFUSED
        upstream = self._upstream(user, attempt.protocol)
        if upstream is None:
            return Rejected(Reason.CONTACTADMIN)
        name, password = credentials.authcid, credentials.password
        return Route(upstream, Password(name, password), judged=True)

    async def _verify(self, user: User | None, credentials: Password) -> bool:
        """Hash in a thread, for a hash takes longer than the loop may stand still.

        A client that leaves is not waited for. Its thread cannot be stopped, but
        holds its place in the limiter to the end: leaving early buys nobody more
        than their share of the processor.
        """
        known = self.users.decoy if user is None else user.password
        return await to_thread.run_sync(
            known.verify,
            credentials.password,
            abandon_on_cancel=True,
            limiter=self.limiter,
        )

    def _upstream(self, user: User, protocol: str) -> Upstream | None:
        """Put the user's own address in place of the server's, if there is one."""
        match user.upstreams.get(protocol):
            case None:
                return self.default
            case EmbeddedAddress() as within:  # no wire, hence no TLS
                return Upstream(within)
            case address if self.default:
                return evolve(self.default, address=address)
            case address:
                return Upstream(address)


def _may_pass(user: User, credentials: Password, attempt: LoginAttempt) -> bool:
    """Nobody acts for somebody else here (RFC 4616 section 2, authzid)."""
    as_oneself = credentials.authzid in {b"", credentials.authcid}
    return as_oneself and user.may_use(attempt.protocol, attempt.client.client)
