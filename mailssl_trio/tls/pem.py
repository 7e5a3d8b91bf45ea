"""Certificates and keys as files: read them, and say what is wrong with them.

Python's ssl module loads files by name and reports OpenSSL's words. An operator
deserves better ones, so each file is looked at before OpenSSL sees it.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from ssl import PROTOCOL_TLS_CLIENT, SSLContext, SSLError
from stat import S_IMODE, S_IRWXO, S_ISDIR, S_ISREG

from mailssl_trio.tls.policy import Inline, Pair
from mailssl_trio.tls.problems import TlsProblem

CERTIFICATE = "ssl_certificate"
CERTIFICATE_KEY = "ssl_certificate_key"
TRUSTED_CERTIFICATE = "proxy_ssl_trusted_certificate"

BOUNDARY = re.compile(rb"^-----BEGIN ([A-Z0-9 ]+)-----", re.MULTILINE)  # RFC 7468
CERTIFICATE_LABELS = {b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE"}
ENCRYPTED = re.compile(rb"^(-----BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED)", re.MULTILINE)

MISMATCHES = (
    "KEY_VALUES_MISMATCH",
    "KEY_TYPE_MISMATCH",
    "NO_CERTIFICATE_ASSIGNED",  # none of the key's type
)
WEAKNESSES = ("EE_KEY_TOO_SMALL", "CA_KEY_TOO_SMALL", "CA_MD_TOO_WEAK")


def load_pair(context: SSLContext, pair: Pair) -> Iterator[TlsProblem]:
    """Give a context its certificate and key; yield what is wrong with either."""
    certificate, key = pair.certificate, pair.key
    if isinstance(certificate, Inline) or isinstance(key, Inline):
        raise TypeError("PEM in the configuration itself is not loaded yet")
    problems = (
        *certificate_problems(CERTIFICATE, certificate),
        *key_problems(CERTIFICATE_KEY, key),
    )
    yield from problems
    if problems:
        return
    try:
        # A password, although none is needed: OpenSSL must never ask the terminal.
        context.load_cert_chain(certificate, key, password="")
    except SSLError as error:
        yield _explain(error, certificate, key)


def load_trusted(context: SSLContext, path: Path) -> Iterator[TlsProblem]:
    """Have a context believe the CAs in a file; yield what is wrong with it."""
    problems = tuple(certificate_problems(TRUSTED_CERTIFICATE, path))
    yield from problems
    if problems:
        return
    try:
        context.load_verify_locations(path)
    except SSLError as error:
        yield _damaged(TRUSTED_CERTIFICATE, path, error)


def certificate_problems(directive: str, path: Path) -> Iterator[TlsProblem]:
    """Yield why a file cannot be one of certificates."""
    match _read(directive, path):
        case TlsProblem() as problem:
            yield problem
        case pem:
            labels = BOUNDARY.findall(pem)
            if not labels:
                yield _not_pem(directive, path, "x509")
            elif CERTIFICATE_LABELS.isdisjoint(labels):
                yield TlsProblem(
                    directive,
                    f"{path} holds no certificate, but {_list(labels)}",
                    "name the file with the certificate and its chain",
                )


def key_problems(directive: str, path: Path) -> Iterator[TlsProblem]:
    """Yield why a file cannot be that of a private key, or must not be."""
    match _read(directive, path):
        case TlsProblem() as problem:
            yield problem
            return
        case pem:
            labels = BOUNDARY.findall(pem)
    if labels and not any(label.endswith(b"PRIVATE KEY") for label in labels):
        yield TlsProblem(
            directive,
            f"{path} holds no private key, but {_list(labels)}",
            "name the file with the private key",
        )
        return
    yield from _exposure(directive, path)
    if not labels:
        yield _not_pem(directive, path, "pkey")
    elif ENCRYPTED.search(pem):
        yield TlsProblem(
            directive,
            f"the key in {path} is encrypted, and passphrases are not supported yet",
            f"decrypt it: (umask 077; openssl pkey -in {path} -out NEW)",
        )


def _read(directive: str, path: Path) -> bytes | TlsProblem:
    """Read a file that may be missing, forbidden, or no file at all."""
    remedy = "give the name of a PEM file"
    try:
        if S_ISDIR(mode := path.stat().st_mode):
            return TlsProblem(directive, f"{path} is a directory", remedy)
        if not S_ISREG(mode):  # a FIFO would keep us waiting
            return TlsProblem(directive, f"{path} is not a regular file", remedy)
        return path.read_bytes()
    except PermissionError:
        remedy = "let this user read it, and enter the directories above it"
        return TlsProblem(directive, f"{path} may not be read", remedy, denied=True)
    except FileNotFoundError:
        return TlsProblem(directive, f"{path} does not exist", remedy)
    except OSError as error:
        text = f"{path} cannot be read: {error.strerror}"
        return TlsProblem(directive, text, remedy)
    except ValueError:  # NUL
        return TlsProblem(directive, f"{str(path)!r} is no file name", remedy)


def _exposure(directive: str, path: Path) -> Iterator[TlsProblem]:
    """Yield whether strangers can take the key, or put another in its place."""
    mode = S_IMODE(path.stat().st_mode)
    if mode & S_IRWXO:
        yield TlsProblem(
            directive,
            f"the key in {path} is open to every user (mode {mode:04o})",
            f"chmod o-rwx {path}",
        )


def _not_pem(directive: str, path: Path, command: str) -> TlsProblem:
    return TlsProblem(
        directive,
        f"{path} is not PEM",
        f"if it is DER: openssl {command} -inform DER -in {path} -out NEW",
    )


def _explain(error: SSLError, certificate: Path, key: Path) -> TlsProblem:
    """Put OpenSSL's reason for refusing a pair into words."""
    if error.reason in MISMATCHES:
        return TlsProblem(
            CERTIFICATE_KEY,
            f"the key in {key} belongs to another certificate than {certificate}",
            "name the key that the certificate was made for, and the leaf first",
        )
    if error.reason in WEAKNESSES:
        return TlsProblem(
            CERTIFICATE,
            f"{certificate} is too weak for OpenSSL ({_words(error)})",
            "have it issued anew, with a key of RSA 2048, P-256 or better",
        )
    return _damaged(*_broken(certificate, key), error)


def _damaged(directive: str, path: Path, error: SSLError) -> TlsProblem:
    text = f"{path} is damaged ({_words(error)})"
    return TlsProblem(directive, text, "restore or replace the file")


def _broken(certificate: Path, key: Path) -> tuple[str, Path]:
    """Find out which of two files OpenSSL could not read."""
    try:
        SSLContext(PROTOCOL_TLS_CLIENT).load_verify_locations(certificate)
    except SSLError:
        return CERTIFICATE, certificate
    return CERTIFICATE_KEY, key


def _words(error: SSLError) -> str:
    return (error.reason or "no reason given").lower().replace("_", " ")


def _list(labels: list[bytes]) -> str:
    return ", ".join(sorted({label.decode() for label in labels}))
