"""PEM (RFC 7468): which of its parts are there, and what is wrong with a file of it.

Python's ssl module reports OpenSSL's words. An operator deserves better ones, so
each file is looked at before OpenSSL sees it.
"""

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Iterator
from ssl import PROTOCOL_TLS_CLIENT, SSLContext, SSLError

from mailssl_trio.files import Files
from mailssl_trio.tls.certificates.memory_file import lend
from mailssl_trio.tls.certificates.sources import exposure, read
from mailssl_trio.tls.policy import Source
from mailssl_trio.tls.problems import TlsProblem

BOUNDARY = re.compile(rb"^-----BEGIN ([A-Z0-9. ]+)-----", re.MULTILINE)
PART = re.compile(
    rb"^-----BEGIN ([A-Z0-9. ]+)-----\r?\n(.*?)^-----END \1-----",
    re.MULTILINE | re.DOTALL,
)
CERTIFICATES = frozenset({b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE"})
ENCRYPTED = re.compile(rb"^(-----BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED)", re.MULTILINE)


def parts(pem: bytes, labels: frozenset[bytes]) -> Iterator[bytes]:
    """Yield the DER of each part that has one of these labels.

    Raises ValueError for what is not base64.
    """
    for label, base64 in PART.findall(pem):
        if label in labels:
            try:
                yield a2b_base64(b"".join(base64.split()), strict_mode=True)
            except Base64Error as error:
                raise ValueError(f"bad base64: {error}") from None


def problems_of(
    directive: str,
    source: Source,
    files: Files,
    labels: frozenset[bytes],
    wanted: str,
    command: str,
) -> Iterator[TlsProblem]:
    """Yield why a file is not PEM, or holds nothing of what is wanted."""
    match read(directive, source, files):
        case TlsProblem() as problem:
            yield problem
            return
        case content:
            found = BOUNDARY.findall(content.data)
    if not found:
        yield TlsProblem(
            directive,
            f"{source} is not PEM",
            f"if it is DER: openssl {command} -inform DER -in {source} -out NEW",
        )
    elif labels.isdisjoint(found):
        yield TlsProblem(
            directive,
            f"{source} holds no {wanted}, but {_list(found)}",
            f"name the file with the {wanted}",
        )


def certificate_problems(
    directive: str, source: Source, files: Files
) -> Iterator[TlsProblem]:
    """Yield why a file cannot be one of certificates."""
    yield from problems_of(
        directive, source, files, CERTIFICATES, "certificate", "x509"
    )


def key_problems(directive: str, source: Source, files: Files) -> Iterator[TlsProblem]:
    """Yield why a file cannot be that of a private key, or must not be."""
    match read(directive, source, files):
        case TlsProblem() as problem:
            yield problem
            return
        case content:
            found = BOUNDARY.findall(content.data)
    keys = frozenset(label for label in found if label.endswith(b"PRIVATE KEY"))
    if keys or not found:  # what is nothing of the kind need not be secret
        yield from exposure(directive, "the key in", source, content)
    yield from problems_of(directive, source, files, keys, "private key", "pkey")


def load_trusted(
    context: SSLContext, directive: str, source: Source, files: Files
) -> Iterator[TlsProblem]:
    """Have a context believe the CAs in a file; yield what is wrong with it."""
    problems = tuple(certificate_problems(directive, source, files))
    yield from problems
    if problems:
        return
    try:
        believe(context, source, files)
    except SSLError as error:
        yield damaged(directive, source, words(error))


def believe(context: SSLContext, source: Source, files: Files) -> None:
    """Add certificates and CRLs to what a context verifies with. Raises SSLError."""
    with lend(data_of(source, files)) as file:
        context.load_verify_locations(file)


def is_readable(source: Source, files: Files) -> bool:
    """Whether OpenSSL can read every certificate in a file."""
    try:
        believe(SSLContext(PROTOCOL_TLS_CLIENT), source, files)
    except SSLError:
        return False
    return True


def data_of(source: Source, files: Files) -> bytes:
    """Return what is in a source that has been read without a problem before."""
    content = read("", source, files)
    assert not isinstance(content, TlsProblem), content.text
    return content.data


def damaged(directive: str, source: Source, why: str) -> TlsProblem:
    """Say that a file is of the right kind, and broken."""
    text = f"{source} is damaged ({why})"
    return TlsProblem(directive, text, "restore or replace the file")


def words(error: SSLError) -> str:
    """Return OpenSSL's reason as one would say it."""
    return (error.reason or "no reason given").lower().replace("_", " ")


def _list(labels: list[bytes]) -> str:
    return ", ".join(sorted({label.decode() for label in labels}))
