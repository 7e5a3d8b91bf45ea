"""How values look: one form for each reader, as manuals and a schema have it.

A schema promises less than the reader, which has the last word: what it refuses is
wrong, what it lets pass may be. It says what an editor can show while a line is being
written.
"""

from collections.abc import Callable, Mapping
from enum import Enum

from attrs import frozen

from mailssl_trio.config import (
    control_words,
    descriptors,
    http_words,
    limit_words,
    listening,
    logging_words,
    pem_sources,
    processes,
    proxy_words,
    real_ip,
    resolver_words,
    schemas,
    session_cache,
    tls_words,
    units,
    values,
    words,
    worker_user,
)
from mailssl_trio.config.schemas import Schema
from mailssl_trio.logs.writer import ErrorLog
from mailssl_trio.tls.policy import SessionCache


def written(value: object) -> object:
    """Write a value as TOML has it, a list of words as one string."""
    match value:
        case Enum():
            return value.value
        case SessionCache():
            return " ".join(session_cache.cache_words(value))
        case ErrorLog():
            return str(value)
        case tuple():
            return " ".join(str(written(each)) for each in value) if value else []
        case _:
            return value


def time_written(value: object) -> object:
    """Write a number of seconds as nginx would."""
    return units.format_time(value) if isinstance(value, int | float) and value else 0


@frozen
class Form:
    """What stands behind the ``=`` of a directive."""

    word: str
    """What manuals call it."""
    schema: Schema
    write: Callable[[object], object] = written
    """Its way back, for defaults."""


def form_of(reader: object) -> Form:
    """Return the form of what a reader reads; LookupError if nobody has said it."""
    if reader not in FORMS:
        raise LookupError(f"config/forms.py does not say how {reader} has its values")
    return FORMS[reader]


FORMS: Mapping[object, Form] = {
    values.flag: Form("FLAG", schemas.flag_or()),
    values.count: Form("NUMBER", schemas.number(0)),
    values.seconds: Form("TIME", schemas.SECONDS, time_written),
    values.whole_seconds: Form("TIME", schemas.WHOLE_SECONDS, time_written),
    values.delay: Form("TIME", schemas.DELAY, time_written),
    values.command_size: Form("SIZE", schemas.SIZE_IN_OCTETS),
    proxy_words.buffer_size: Form("SIZE", schemas.SIZE_IN_OCTETS),
    values.host_name: Form("NAME", schemas.text("[!-~]*")),
    values.file_name: Form("FILE", schemas.FILE),
    values.address: Form("ADDRESS", schemas.TEXT),
    values.ciphers: Form("CIPHERS", schemas.text("[ -~]+")),
    values.curves: Form("CURVES", schemas.text("[!-~]+")),
    words.words: Form("WORDS", schemas.WORDS),
    words.imap_mechanisms: Form("WORDS", schemas.list_of(words.MECHANISMS)),
    words.pop3_mechanisms: Form("WORDS", schemas.list_of(words.POP3_MECHANISMS)),
    words.smtp_mechanisms: Form("WORDS", schemas.list_of(words.SMTP_MECHANISMS)),
    words.mail_protocol: Form("imap|pop3|smtp", schemas.one_of(words.MAIL_PROTOCOLS)),
    words.starttls: Form("on|off|only", schemas.flag_or("only")),
    words.proxy_ssl: Form("on|off|starttls", schemas.flag_or("starttls")),
    proxy_words.proxy_form: Form("on|off|v2", schemas.flag_or("v2")),
    tls_words.verify_client: Form(
        "on|off|optional|optional_no_ca", schemas.flag_or("optional", "optional_no_ca")
    ),
    tls_words.tls_protocols: Form("WORDS", schemas.list_of(tls_words.TLS_PROTOCOLS)),
    tls_words.conf_commands: Form(
        "COMMAND", schemas.one_or_several(schemas.text(r"\s*\S+\s+\S.*"), least=0)
    ),
    session_cache.session_cache: Form(
        "CACHE",
        schemas.either(
            schemas.text(r"\s*(off|none|((builtin|shared):?\S*\s*){1,2})"),
            schemas.array(
                schemas.text("off|none|builtin(:[0-9]+)?|shared:[^:]+:[^:]+")
            ),
        ),
    ),
    pem_sources.pem: Form("PEM", schemas.PEM),
    pem_sources.certificates: Form("PEM", schemas.one_or_several(schemas.PEM)),
    pem_sources.keys: Form("PEM", schemas.one_or_several(schemas.PEM, least=0)),
    pem_sources.file_names: Form(
        "FILES", schemas.one_or_several(schemas.FILE, least=0)
    ),
    processes.processes: Form(
        "NUMBER", schemas.either(schemas.number(1, processes.MOST), {"const": "auto"})
    ),
    control_words.control: Form(
        "FILE|off", schemas.either(schemas.FILE, {"const": False})
    ),
    descriptors.descriptors: Form(
        "NUMBER", schemas.number(descriptors.LEAST, descriptors.MOST)
    ),
    worker_user.names: Form(
        "USER", schemas.either(schemas.TEXT, schemas.array(schemas.TEXT))
    ),
    limit_words.at_least_one: Form("NUMBER", schemas.number(1)),
    limit_words.connection_rules: Form(
        "RULES",
        schemas.one_or_several(
            schemas.text(r"\s*(address|user|user[+]address)\s+[0-9]+\s*"), least=0
        ),
    ),
    limit_words.login_rules: Form(
        "RULES",
        schemas.one_or_several(
            schemas.text(r"\s*(user[+])?address\s+[0-9]+(\s+(time|delay|ban)=\S+)*\s*"),
            least=0,
        ),
    ),
    limit_words.access_rules: Form(
        "RULES",
        schemas.one_or_several(schemas.text(r"\s*(allow|deny)\s+\S+\s*"), least=0),
    ),
    real_ip.networks: Form("NETWORKS", schemas.WORDS),
    real_ip.proxies: Form("NETWORKS", schemas.WORDS),
    resolver_words.resolver: Form("ADDRESSES", schemas.WORDS),
    http_words.auth_server: Form("URL", schemas.TEXT),
    http_words.headers: Form(
        "HEADER", schemas.one_or_several(schemas.text(r"[!-~][\s\S]*"), least=0)
    ),
    listening.listens: Form(
        "ADDRESS",
        schemas.one_or_several(schemas.either(schemas.TEXT, schemas.number(1, 65535))),
    ),
    logging_words.error_log: Form("LOG", schemas.one_or_several(schemas.TEXT)),
    logging_words.access_log: Form("LOG", schemas.one_or_several(schemas.TEXT)),
}
"""By the function that reads it."""
