"""Directives that nginx knows and this program does not have."""

from collections.abc import Mapping

NGINX_ONLY: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "daemon",
            "env",
            "events",
            "http",
            "imap",
            "include",
            "load_module",
            "lock_file",
            "master_process",
            "proxy",
            "proxy_ssl_conf_command",
            "proxy_ssl_crl",
            "proxy_ssl_verify_depth",
            "ssl_ech_file",
            "ssl_preread",
            "stream",
            "upstream",
            "working_directory",
        ),
        "leave it out",
    ),
    **dict.fromkeys(
        (
            "ssl_stapling",
            "ssl_stapling_file",
            "ssl_stapling_responder",
            "ssl_stapling_verify",
        ),
        "leave it out: no OCSP responses are sent",
    ),
    **dict.fromkeys(
        ("ssl_ocsp", "ssl_ocsp_cache", "ssl_ocsp_responder"),
        "leave it out: client certificates are revoked by `ssl_crl`",
    ),
    **dict.fromkeys(
        ("allow", "deny"), 'write `access = ["allow …", "deny …"]`, in their order'
    ),
    **dict.fromkeys(
        ("limit_conn_zone", "limit_conn_log_level", "limit_conn_dry_run"),
        "leave it out: `limit_conn` says of whom connections are counted",
    ),
    "proxy_ssl_certificate_cache": "leave it out: it is read when we start",
    "proxy_ssl_password_file": "leave it out, and name a key that is not encrypted",
    "proxy_ssl_server_name": "leave it out: the backend is always told its name",
    "ssl_alpn": "leave it out: the one protocol by ALPN is the server's own",
    "ssl_buffer_size": "leave it out: nothing waits to fill a record",
    "ssl_certificate_cache": "leave it out: certificates are read when they change",
    "ssl_certificate_compression": "leave it out: certificates are not compressed",
    "ssl_early_data": "leave it out: early data could be replayed, so there is none",
    "ssl_engine": "leave it out: keys are files",
    "ssl_handshake_timeout": "leave it out: `timeout` includes the handshake",
    "ssl_key_log": "leave it out: nobody may read along",
    "ssl_object_cache_inheritable": "leave it out: a reload reads every file",
    "ssl_reject_handshake": "leave it out: unknown names get the first certificate",
}
"""nginx's words whose behaviour is not here, so that they may not be here either; and
what to do about it."""
