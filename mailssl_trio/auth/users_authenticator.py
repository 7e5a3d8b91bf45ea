"""Judging logins by a users file, in a way that tells strangers nothing."""

from attrs import evolve, frozen
from trio import CapacityLimiter, to_thread

from mailssl_trio.auth.route import Judgement, LoginAttempt, Route
from mailssl_trio.auth.users import User, Users
from mailssl_trio.protocol.credentials import (
    External,
    Password,
    Reason,
    Rejected,
)
from mailssl_trio.tls.certificates.persons import persons_in
from mailssl_trio.transport.address import EmbeddedAddress
from mailssl_trio.transport.upstream import Upstream

REFUSED = Rejected(Reason.AUTHENTICATIONFAILED)


@frozen
class UsersAuthenticator:
    """Judges by the users file; the backend is then given the same password.

    Every password costs exactly one verification, a stranger's too, and every refusal
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
        """Find out who it is, then ask whether the user may come this way."""
        match attempt.credentials:
            case Password() as credentials:
                user = await self._proved(credentials)
                return self._route(user, credentials.password, attempt)
            case External(authcid):
                return self._route(self._vouched_for(authcid, attempt), None, attempt)
            case _:  # neither an answer nor a token can be held against a hash
                return REFUSED

    async def _proved(self, credentials: Password) -> User | None:
        """Return the user whose password this is; nobody acts for somebody else here.

        That is the authzid of RFC 4616 section 2.
        """
        user = self.users.find(credentials.authcid)
        right = await self._verify(user, credentials)
        as_oneself = credentials.authzid in {b"", credentials.authcid}
        return user if right and as_oneself else None

    def _vouched_for(self, name: bytes, attempt: LoginAttempt) -> User | None:
        """Return the user whom the client's certificate names, if it names just one.

        Who asks to be somebody must be named by that name (RFC 4422 appendix A).
        """
        tls = attempt.tls
        if tls is None or tls.certificate is None or tls.verified != "SUCCESS":
            return None
        named = {person.encode() for person in persons_in(tls.certificate)}
        meant = named & {name} if name else named
        users = [user for user in map(self.users.find, meant) if user is not None]
        return users[0] if len(users) == 1 else None

    def _route(
        self, user: User | None, password: bytes | None, attempt: LoginAttempt
    ) -> Judgement:
        """Send a user on, with the password that the backend wants."""
        came = attempt.client.client
        if user is None or not user.may_use(attempt.protocol, came):
            return REFUSED
        upstream = self._upstream(user, attempt.protocol)
        if upstream is None:
            return Rejected(Reason.CONTACTADMIN)
        if user.upstream_password is not None:
            password = user.upstream_password
        elif password is None and isinstance(upstream.address, EmbeddedAddress):
            password = b""  # it believes whomever we let in
        if password is None:
            return Rejected(Reason.CONTACTADMIN)
        name = user.upstream_user or user.name.encode()
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
