"""Why nobody has logged in: the words of Dovecot's log, which many tools read."""

from collections.abc import Mapping
from enum import Enum

from mailssl_trio.protocol.credentials import Reason


class Failure(Enum):
    """What came of the last login, or of a connection without any."""

    NO_ATTEMPTS = "no_auth_attempts"
    AUTH_FAILED = "auth_failed"
    USER_DISABLED = "user_disabled"
    CLEARTEXT_DISABLED = "cleartext_auth_disabled"
    INVALID_MECHANISM = "invalid_mech"
    INVALID_BASE64 = "invalid_base64"
    ABORTED_BY_CLIENT = "auth_aborted_by_client"
    CONNECTION_LIMIT = "connection_limit"
    SHUTTING_DOWN = "shutting_down"
    INTERNAL_FAILURE = "internal_failure"
    HANDSHAKE_NOT_FINISHED = "tls_handshake_not_finished"
    CERTIFICATE_MISSING = "client_ssl_cert_missing"
    CERTIFICATE_UNTRUSTED = "client_ssl_cert_untrusted"
    UPSTREAM_CONNECT_FAILED = "proxy_dest_connect_failed"
    UPSTREAM_AUTH_FAILED = "proxy_dest_auth_failed"
    UPSTREAM_AUTH_TEMP_FAILED = "proxy_dest_auth_temp_failed"
    UPSTREAM_REMOTE_FAILURE = "proxy_dest_remote_failure"
    UPSTREAM_PROTOCOL_FAILURE = "proxy_dest_protocol_failure"
    # Ours: Dovecot has no word for these.
    PROXY_HEADER_REFUSED = "proxy_header_refused"
    BANNED = "banned"
    ACCESS_DENIED = "access_denied"


OF_A_JUDGE: Mapping[Reason, Failure] = {
    Reason.AUTHENTICATIONFAILED: Failure.AUTH_FAILED,
    Reason.CONTACTADMIN: Failure.USER_DISABLED,
    Reason.PRIVACYREQUIRED: Failure.CLEARTEXT_DISABLED,
    Reason.UNAVAILABLE: Failure.INTERNAL_FAILURE,
    Reason.LIMIT: Failure.CONNECTION_LIMIT,
}
"""What it amounts to when a judge refuses for a reason."""
