"""What ``ssl_verify_client`` may have against a client."""

from attrs import frozen

from mailssl_trio.protocol.events import Goodbye


@frozen
class CertificateRefusal:
    """The verdict on a client whose handshake succeeded, and who may not stay."""

    goodbye: Goodbye
    """BAD_CERTIFICATE or CERTIFICATE_REQUIRED."""
    detail: str = ""
    """For the log: OpenSSL's number and words, ``18:self-signed certificate``."""
