"""The directives that nginx has beside ``mail`` and in it: where, and with what."""

from collections.abc import Iterable
from enum import Enum, Flag, auto

from attrs import evolve, frozen

from mailssl_trio.config.nginx.special import (
    auth_http,
    error_log,
    listen,
    old_listen,
    protocol,
    resolver,
    session_cache,
)
from mailssl_trio.config.nginx.values import (
    Reader,
    flag,
    milliseconds,
    number,
    pair,
    processes,
    seconds,
    size,
    string,
    strings,
    word_of,
    words_of,
)

Version = tuple[int, ...]


class Context(Flag):
    """Where a directive may stand."""

    MAIN = auto()
    EVENTS = auto()
    MAIL = auto()
    SERVER = auto()


class Repeat(Enum):
    """What a second directive of the same name in the same place does."""

    REFUSED = auto()
    ADDS = auto()
    ADDS_NEW = auto()
    """As ADDS; what is there already is warned about."""
    REPLACES = auto()


MANY = 2**31


@frozen
class Directive:
    """A directive of nginx's: where it may stand, and what it takes."""

    contexts: Context
    read: Reader
    least: int = 1
    most: int = 1
    repeat: Repeat = Repeat.REFUSED
    since: Version = ()
    gone: Version = (MANY,)
    """The first version that does not have it any more."""


BLOCKS = {
    "events": Context.MAIN,
    "http": Context.MAIN,
    "stream": Context.MAIN,
    "mail": Context.MAIN,
    "server": Context.MAIL,
}

BOTH = Context.MAIL | Context.SERVER


def _once(
    contexts: Context, read: Reader, names: str
) -> Iterable[tuple[str, Directive]]:
    return ((name, Directive(contexts, read)) for name in names.split())


def _several(
    contexts: Context, read: Reader, names: str, *, most: int = MANY
) -> Iterable[tuple[str, Directive]]:
    one = Directive(contexts, read, most=most, repeat=Repeat.ADDS)
    return ((name, one) for name in names.split())


def _words(names: str, *known: str) -> Iterable[tuple[str, Directive]]:
    read = words_of(*known)
    one = Directive(BOTH, read, most=MANY, repeat=Repeat.ADDS_NEW)
    return ((name, one) for name in names.split())


MAIN_DIRECTIVES = {
    **dict(_once(Context.MAIN, flag, "daemon master_process pcre_jit")),
    **dict(_once(Context.MAIN, flag, "ssl_object_cache_inheritable")),
    **dict(_once(Context.MAIN, string, "pid lock_file working_directory ssl_engine")),
    **dict(_once(Context.MAIN, string, "worker_priority worker_rlimit_core")),
    **dict(_once(Context.MAIN, processes, "worker_processes")),
    **dict(_once(Context.MAIN, number, "worker_rlimit_nofile")),
    **dict(_once(Context.MAIN, milliseconds, "timer_resolution")),
    **dict(_once(Context.MAIN, milliseconds, "worker_shutdown_timeout")),
    **dict(_several(Context.MAIN, string, "env load_module debug_points", most=1)),
    **dict(_several(Context.MAIN, strings, "thread_pool worker_cpu_affinity")),
    "user": Directive(Context.MAIN, strings, most=2),
    "worker_connections": Directive(Context.EVENTS, number),
    **dict(_once(Context.EVENTS, flag, "accept_mutex multi_accept")),
    **dict(_once(Context.EVENTS, milliseconds, "accept_mutex_delay")),
    **dict(_once(Context.EVENTS, number, "epoll_events worker_aio_requests")),
    **dict(_once(Context.EVENTS, string, "use")),
    **dict(_several(Context.EVENTS, string, "debug_connection", most=1)),
}

MAIL_DIRECTIVES = {
    **dict(_once(BOTH, milliseconds, "timeout resolver_timeout auth_http_timeout")),
    **dict(_once(BOTH, milliseconds, "proxy_timeout smtp_greeting_delay")),
    **dict(_once(BOTH, seconds, "ssl_session_timeout")),
    **dict(_once(BOTH, number, "max_errors ssl_verify_depth")),
    **dict(_once(BOTH, size, "proxy_buffer imap_client_buffer smtp_client_buffer")),
    **dict(_once(BOTH, flag, "proxy xclient proxy_smtp_auth")),
    **dict(_once(BOTH, flag, "proxy_pass_error_message auth_http_pass_client_cert")),
    **dict(_once(BOTH, flag, "ssl_prefer_server_ciphers ssl_session_tickets")),
    **dict(_once(BOTH, flag, "ssl_certificate_compression")),
    **dict(_once(BOTH, string, "server_name ssl_password_file ssl_dhparam ssl_crl")),
    **dict(_once(BOTH, string, "ssl_ecdh_curve ssl_ciphers ssl_client_certificate")),
    **dict(_once(BOTH, string, "ssl_trusted_certificate")),
    **dict(_once(BOTH, word_of("off", "on", "only"), "starttls")),
    **dict(_once(BOTH, word_of("off", "on", "v2"), "proxy_protocol")),
    "ssl_verify_client": Directive(
        BOTH, word_of("off", "on", "optional", "optional_no_ca")
    ),
    **dict(_several(BOTH, strings, "ssl_certificate ssl_certificate_key", most=1)),
    **dict(_several(BOTH, strings, "ssl_session_ticket_key", most=1)),
    **dict(_several(BOTH, strings, "set_real_ip_from", most=1)),
    **dict(_several(BOTH, strings, "imap_capabilities pop3_capabilities")),
    **dict(_several(BOTH, strings, "smtp_capabilities")),
    **dict(_several(Context.SERVER, listen, "listen")),
    **dict(_several(Context.MAIN | BOTH, error_log, "error_log")),
    **dict(_words("imap_auth", "plain", "login", "cram-md5", "external")),
    **dict(_words("pop3_auth", "plain", "apop", "cram-md5", "external")),
    **dict(_words("smtp_auth", "plain", "login", "cram-md5", "external", "none")),
    **dict(
        _words(
            "ssl_protocols", "SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"
        )
    ),
    "ssl": Directive(BOTH, flag, gone=(1, 25, 1)),
    "ssl_conf_command": Directive(BOTH, pair, 2, 2, Repeat.ADDS),
    "auth_http_header": Directive(BOTH, pair, 2, 2, Repeat.ADDS),
    "auth_http": Directive(BOTH, auth_http, repeat=Repeat.REPLACES),
    "protocol": Directive(Context.SERVER, protocol, repeat=Repeat.REPLACES),
    "ssl_session_cache": Directive(BOTH, session_cache, 1, 2, Repeat.REPLACES),
    "resolver": Directive(BOTH, resolver, most=MANY),
}

SINCE: dict[Version, str] = {
    (1, 5, 7): "ssl_session_ticket_key",
    (1, 5, 9): "ssl_session_tickets",
    (1, 7, 3): "ssl_password_file",
    (1, 7, 11): "ssl_verify_client ssl_verify_depth ssl_client_certificate"
    " ssl_trusted_certificate ssl_crl auth_http_pass_client_cert",
    (1, 19, 4): "ssl_conf_command proxy_smtp_auth",
    (1, 19, 8): "proxy_protocol set_real_ip_from",
    (1, 21, 0): "max_errors",
    (1, 29, 1): "ssl_certificate_compression",
}

SINCE_BY_NAME = {
    name: version for version, names in SINCE.items() for name in names.split()
}

BEFORE: dict[str, tuple[Version, Reader]] = {
    "listen": ((1, 23, 0), old_listen),
    "proxy_protocol": ((1, 31, 4), flag),
}
"""How older versions read, and since when no longer."""

DIRECTIVES = {
    name: evolve(each, since=SINCE_BY_NAME.get(name, ()))
    for name, each in {**MAIN_DIRECTIVES, **MAIL_DIRECTIVES}.items()
}


def directive(name: str, version: Version | None) -> Directive | None:
    """Return what a version takes under a name; any version, if that is None."""
    found = DIRECTIVES.get(name)
    if found is None or version is None:
        return found
    if not found.since <= version < found.gone:
        return None
    until, read = BEFORE.get(name, ((), found.read))
    return evolve(found, read=read) if version < until else found
