"""The directives ``ssl_dhparam`` and ``ssl_ecdh_curve``: how keys are agreed on."""

from collections.abc import Iterator
from pathlib import Path
from ssl import SSLContext, SSLError

from mailssl_trio.files import Files
from mailssl_trio.tls.certificates.der import INTEGER, SEQUENCE, element
from mailssl_trio.tls.certificates.memory_file import lend
from mailssl_trio.tls.certificates.pem import (
    damaged,
    data_of,
    parts,
    problems_of,
    words,
)
from mailssl_trio.tls.openssl import WHICH_PYTHON, OpenSsl
from mailssl_trio.tls.problems import TlsProblem

DHPARAM = "ssl_dhparam"
ECDH_CURVE = "ssl_ecdh_curve"

DH_PARAMETERS = frozenset({b"DH PARAMETERS", b"X9.42 DH PARAMETERS"})
SHORTEST_PRIME = 1024
LIBRARYS_CHOICE = "auto"


def use_dhparam(
    context: SSLContext, path: Path | None, files: Files
) -> Iterator[TlsProblem]:
    """Agree on keys by DHE too, if there are parameters for it; there are no others."""
    if path is None:
        return
    problems = tuple(dhparam_problems(DHPARAM, path, files))
    yield from problems
    if not problems:
        try:
            with lend(data_of(path, files)) as file:
                context.load_dh_params(file)
        except SSLError as error:
            yield _refused(path, error)


def dhparam_problems(directive: str, path: Path, files: Files) -> Iterator[TlsProblem]:
    """Yield why a file is not one of parameters that could be used."""
    wanted = "parameters for Diffie-Hellman"
    problems = tuple(
        problems_of(directive, path, files, DH_PARAMETERS, wanted, "dhparam")
    )
    yield from problems
    if problems:
        return
    try:
        bits = _bits_of_prime(data_of(path, files))
    except (ValueError, StopIteration):
        yield damaged(directive, path, "no prime in it")
        return
    if bits < SHORTEST_PRIME:
        yield TlsProblem(
            directive,
            f"the prime in {path} has {bits} bits, and everybody can break that",
            f"openssl dhparam -out {path} 2048",
        )


def _bits_of_prime(pem: bytes) -> int:
    """Read the first number of DHParameter (PKCS #3) or DomainParameters (X9.42)."""
    tag, parameters, _end = element(next(parts(pem, DH_PARAMETERS)))
    kind, prime, _end = element(parameters)
    if (tag, kind) != (SEQUENCE, INTEGER):
        raise ValueError("no numbers")
    return int.from_bytes(prime).bit_length()


def _refused(path: Path, error: SSLError) -> TlsProblem:
    if error.reason == "DH_KEY_TOO_SMALL":
        return TlsProblem(
            DHPARAM,
            f"the prime in {path} is too short for OpenSSL's security level",
            f"openssl dhparam -out {path} 2048",
        )
    return damaged(DHPARAM, path, words(error))


def use_curves(
    context: SSLContext, curves: str, openssl: OpenSsl | None
) -> Iterator[TlsProblem]:
    """Agree on keys in these groups only, in OpenSSL's spelling: ``X25519:P-256``."""
    if curves == LIBRARYS_CHOICE:
        return
    if openssl is None:
        yield TlsProblem(
            ECDH_CURVE,
            "this Python cannot choose curves",
            f'use "{LIBRARYS_CHOICE}", or a Python that can: {WHICH_PYTHON}',
        )
    elif "\0" in curves or not openssl.set_groups(context, curves):
        yield TlsProblem(
            ECDH_CURVE,
            f'OpenSSL does not know every curve of "{curves}"',
            'see openssl ecparam -list_curves; "auto" leaves the choice to OpenSSL',
        )
