"""The development certificate: a CA of our own, so that trying out needs no other.

Made at the first start and kept. Whether what is kept will do is not argued from
its fields but tried out: a client that trusts the CA shakes hands, in memory, with a
server that has the certificate, once for each name.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from fcntl import LOCK_EX, flock
from pathlib import Path
from ssl import (
    PROTOCOL_TLS_CLIENT,
    PROTOCOL_TLS_SERVER,
    MemoryBIO,
    SSLContext,
    SSLWantReadError,
    cert_time_to_seconds,
)
from stat import S_IRWXG, S_IRWXO
from tempfile import mkstemp

from attrs import frozen
from trustme import CA

from mailssl_trio.tls.problems import TlsProblem, TlsSettingsError

LIFETIME = timedelta(days=397)  # what browsers accept at most
RENEWAL = timedelta(days=30)

PUBLIC, PRIVATE = 0o644, 0o600


@frozen
class DevelopmentCertificate:
    """Where it lies. Clients need ``ca``, servers the other two."""

    ca: Path
    certificate: Path
    key: Path

    @property
    def ca_key(self) -> Path:
        """What new certificates are signed with; nobody but us needs it."""
        return self.ca.with_name("ca-key.pem")


def development_certificate(
    directory: Path, names: tuple[str, ...] = ("localhost", "127.0.0.1", "::1")
) -> DevelopmentCertificate:
    """Return a certificate for these names, making or renewing what is needed.

    Reads and writes files, and waits for another process that does the same. Raises
    TlsSettingsError if the directory will not have it.
    """
    files = DevelopmentCertificate(
        directory / "ca.pem", directory / "cert.pem", directory / "key.pem"
    )
    try:
        with _alone_in(directory):
            if not _ca_holds(files):
                _found_ca(files)
            if not _certificate_holds(files, names):
                _issue(files, names)
    except OSError as error:
        raise TlsSettingsError((_unusable(directory, error),)) from error
    return files


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """Hold the directory, so that two processes started at once agree on one CA."""
    if not directory.exists():
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o755)  # the CA's certificate is for everybody
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        flock(descriptor, LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _ca_holds(files: DevelopmentCertificate) -> bool:
    """Whether the CA is whole, a secret still, and outlives what it would issue."""
    try:
        SSLContext(PROTOCOL_TLS_SERVER).load_cert_chain(files.ca, files.ca_key, "")
        context = SSLContext(PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(files.ca)
        match context.get_ca_certs():
            case [{"notAfter": str(end)}]:
                return _is_secret(files.ca_key) and _lasts(end, LIFETIME)
            case _:
                return False
    except OSError:  # SSLError is one
        return False


def _certificate_holds(files: DevelopmentCertificate, names: tuple[str, ...]) -> bool:
    """Whether a client would believe the certificate, by each name, for a while."""
    try:
        server = SSLContext(PROTOCOL_TLS_SERVER)
        server.load_cert_chain(files.certificate, files.key, "")
        client = SSLContext(PROTOCOL_TLS_CLIENT)
        client.load_verify_locations(files.ca)
        ends = [_end_of_certificate(server, client, name) for name in names]
        return _is_secret(files.key) and all(_lasts(end, RENEWAL) for end in ends)
    except OSError:
        return False


def _end_of_certificate(server: SSLContext, client: SSLContext, name: str) -> str:
    """Shake hands in memory; return ``notAfter``. Raises SSLError as a client does."""
    to_server, to_client = MemoryBIO(), MemoryBIO()
    accepting = server.wrap_bio(to_server, to_client, server_side=True)
    connecting = client.wrap_bio(to_client, to_server, server_hostname=name)
    for side in (connecting, accepting):
        with suppress(SSLWantReadError):
            side.do_handshake()
    connecting.do_handshake()
    match connecting.getpeercert():
        case {"notAfter": str(end)}:
            return end
        case _:
            raise RuntimeError("a certificate was verified, but is not there")


def _is_secret(key: Path) -> bool:
    """Whether a key is its owner's alone. One that others could read is lost."""
    return not key.stat().st_mode & (S_IRWXG | S_IRWXO)


def _lasts(not_after: str, time: timedelta) -> bool:
    end = datetime.fromtimestamp(cert_time_to_seconds(not_after), UTC)
    return end - datetime.now(UTC) >= time


def _found_ca(files: DevelopmentCertificate) -> None:
    ca = CA(organization_name="mailssl-trio development")
    _write(files.ca_key, ca.private_key_pem.bytes(), PRIVATE)
    _write(files.ca, ca.cert_pem.bytes(), PUBLIC)


def _issue(files: DevelopmentCertificate, names: tuple[str, ...]) -> None:
    ca = CA.from_pem(files.ca.read_bytes(), files.ca_key.read_bytes())
    yesterday = datetime.now(UTC) - timedelta(days=1)  # clocks differ
    leaf = ca.issue_cert(
        *names,
        organization_name="mailssl-trio development",
        common_name=names[0],  # nobody reads it any more, but fetchmail 6 wants one
        not_before=yesterday,
        not_after=yesterday + LIFETIME,
    )
    _write(files.key, leaf.private_key_pem.bytes(), PRIVATE)
    _write(files.certificate, leaf.cert_chain_pems[0].bytes(), PUBLIC)


def _write(path: Path, data: bytes, mode: int) -> None:
    """Write a file that is whole whenever it is there, and never too readable."""
    descriptor, name = mkstemp(dir=path.parent, prefix=f".{path.name}.")  # 0600
    try:
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise


def _unusable(directory: Path, error: OSError) -> TlsProblem:
    return TlsProblem(
        "ssl_certificate",
        f"no development certificate can be kept in {directory}: {error.strerror}",
        "let this user own the directory, or choose another state_directory",
        denied=isinstance(error, PermissionError),
    )
