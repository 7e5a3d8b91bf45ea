"""Certificates with their keys: tried alone first, then given to a context."""

from collections.abc import Iterator
from ssl import PROTOCOL_TLS_SERVER, SSLContext, SSLError

from attrs import field, frozen

from mailssl_trio.files import Files
from mailssl_trio.tls.certificates.certificate import certificate_of
from mailssl_trio.tls.certificates.memory_file import lend
from mailssl_trio.tls.certificates.passphrases import passphrase_problems, passphrases
from mailssl_trio.tls.certificates.pem import (
    ENCRYPTED,
    certificate_problems,
    damaged,
    data_of,
    is_readable,
    key_problems,
    words,
)
from mailssl_trio.tls.policy import Pair, TlsPolicy
from mailssl_trio.tls.problems import TlsProblem

MISMATCHES = (
    "KEY_VALUES_MISMATCH",
    "KEY_TYPE_MISMATCH",
    "NO_CERTIFICATE_ASSIGNED",  # none of the key's type
)
WEAKNESSES = ("EE_KEY_TOO_SMALL", "CA_KEY_TOO_SMALL", "CA_MD_TOO_WEAK")


@frozen
class Pairs:
    """How pairs are read and called."""

    files: Files
    certificate: str = "ssl_certificate"
    """The directive that names certificates."""
    key: str = "ssl_certificate_key"
    no_passphrases: str = "there is no ssl_password_file"
    """Why there are none, for the operator who needs them."""
    passphrases: tuple[bytes, ...] | None = field(default=None, repr=False)
    """None if nobody has said where they are; () if they could not be read."""

    def problems(self, pair: Pair, like: SSLContext) -> Iterator[TlsProblem]:
        """Yield what is wrong with a pair, for a context as strict as another."""
        problems = [
            *certificate_problems(self.certificate, pair.certificate, self.files)
        ]
        if not problems or pair.key != pair.certificate:  # once for what is one file
            problems += key_problems(self.key, pair.key, self.files)
        yield from problems or self._problems_together(pair, like)

    def load(self, context: SSLContext, pair: Pair) -> None:
        """Show a pair to clients. Raises SSLError, of which problems() says more."""
        with (
            lend(data_of(pair.certificate, self.files)) as certificate,
            lend(data_of(pair.key, self.files)) as key,
        ):
            for passphrase in self.passphrases or ():
                try:
                    context.load_cert_chain(certificate, key, passphrase)
                except SSLError as error:
                    if _has_opened_the_key(error):
                        raise
                else:
                    return
            # A passphrase, although none fits: OpenSSL must never ask the terminal.
            context.load_cert_chain(certificate, key, password="")

    def _problems_together(self, pair: Pair, like: SSLContext) -> Iterator[TlsProblem]:
        """Yield why OpenSSL refuses a pair that looks well."""
        is_encrypted = self._is_encrypted(pair)
        if is_encrypted and not self.passphrases:
            if self.passphrases is None:
                yield self._closed(pair, self.no_passphrases)
            return
        try:
            self.load(_alone(like), pair)
        except SSLError as error:
            yield self._explain(error, pair, is_encrypted)
        else:
            if certificate_of(pair, self.files) is None:
                yield self._unreadable(pair)

    def _is_encrypted(self, pair: Pair) -> bool:
        return ENCRYPTED.search(data_of(pair.key, self.files)) is not None

    def _explain(self, error: SSLError, pair: Pair, is_encrypted: bool) -> TlsProblem:
        """Put OpenSSL's reason for refusing a pair into words."""
        if error.reason in MISMATCHES:
            return TlsProblem(
                self.key,
                f"the key in {pair.key} belongs to another certificate than"
                f" {pair.certificate}",
                "name the key that the certificate was made for, and the leaf first",
            )
        if error.reason in WEAKNESSES:
            return TlsProblem(
                self.certificate,
                f"{pair.certificate} is too weak for OpenSSL ({words(error)})",
                "have it issued anew, with a key of RSA 2048, P-256 or better",
            )
        if not is_readable(pair.certificate, self.files):
            return damaged(self.certificate, pair.certificate, words(error))
        if certificate_of(pair, self.files) is None:
            return self._unreadable(pair)
        if is_encrypted:
            return self._closed(pair, "no passphrase of ssl_password_file fits")
        return damaged(self.key, pair.key, words(error))

    def _closed(self, pair: Pair, because: str) -> TlsProblem:
        return TlsProblem(
            self.key,
            f"the key in {pair.key} is encrypted, and {because}",
            f"give its passphrase, or decrypt it: (umask 077; openssl pkey -in"
            f" {pair.key} -out NEW)",
        )

    def _unreadable(self, pair: Pair) -> TlsProblem:
        return TlsProblem(
            self.certificate,
            f"{pair.certificate} holds names or dates that cannot be read",
            "have it issued anew",
        )


def pairs_of(policy: TlsPolicy, files: Files) -> tuple[Pairs, tuple[TlsProblem, ...]]:
    """Return how a virtual server's pairs are read, and what prevents it."""
    if policy.password_file is None:
        return Pairs(files), ()
    problems = tuple(passphrase_problems(policy.password_file, files))
    opened = () if problems else passphrases(policy.password_file, files)
    return Pairs(files, passphrases=opened), problems


def _alone(like: SSLContext) -> SSLContext:
    """Return a context that has no pair yet.

    In one that has, the key of an earlier pair would pass for that of a later one.
    """
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.set_ciphers(f"ALL:@SECLEVEL={like.security_level}")
    return context


def _has_opened_the_key(error: SSLError) -> bool:
    return error.reason in MISMATCHES + WEAKNESSES
