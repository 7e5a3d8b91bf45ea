"""Every directive there is: where it stands, what it takes, and its default.

The names, meanings and defaults are nginx's, except for what nginx's mail proxy has
no word for: ``users``, ``state_directory``, ``auth_http_ssl_*``, and the ``proxy_*``
words that nginx only has elsewhere.
"""

from socket import gethostname

from attrs import field, fields, frozen

from mailssl_trio.config.http_words import AuthServerText, HttpHeaders
from mailssl_trio.config.listening import Listens
from mailssl_trio.config.logging_words import Log
from mailssl_trio.config.pem_sources import Certificates, FileNames, Keys, Pem
from mailssl_trio.config.processes import Processes
from mailssl_trio.config.proxy_words import BufferSize, ProxyForm
from mailssl_trio.config.real_ip import RealIp
from mailssl_trio.config.resolver_words import ResolverWords
from mailssl_trio.config.session_cache import Cache
from mailssl_trio.config.tls_words import ConfCommands, TlsProtocols, Verify
from mailssl_trio.config.values import (
    AddressText,
    Ciphers,
    CommandSize,
    Count,
    Curves,
    Delay,
    FileName,
    Flag,
    HostName,
    Seconds,
    WholeSeconds,
)
from mailssl_trio.config.words import (
    BackendTls,
    ImapMechanisms,
    MailProtocol,
    Pop3Mechanisms,
    SmtpMechanisms,
    StartTls,
    WordList,
)
from mailssl_trio.log_writer import ErrorLog
from mailssl_trio.protocol.server_session import StartTlsMode
from mailssl_trio.tls.policy import SessionCache, VerifyClient
from mailssl_trio.transport.announcing import ProxyProtocol
from mailssl_trio.transport.timeouts import Timeouts
from mailssl_trio.transport.upstream import ProxySsl

DEADLINES = Timeouts()
NO_CACHE = SessionCache()


@frozen(kw_only=True)
class TopDirectives:
    """What may stand at the top of the file, beside ``[mail]``."""

    error_log: Log = (ErrorLog(),)
    state_directory: FileName | None = None
    worker_shutdown_timeout: Seconds | None = None
    worker_processes: Processes = 1
    pid: FileName | None = None


@frozen(kw_only=True)
class MailDirectives:
    """What may stand in ``[mail]``, for all servers, and in each of them."""

    error_log: Log = ()
    server_name: HostName = field(factory=gethostname)
    timeout: Seconds = DEADLINES.session
    max_errors: Count = 5

    imap_capabilities: WordList = ("IMAP4", "IMAP4rev1", "UIDPLUS")
    pop3_capabilities: WordList = ("TOP", "USER", "UIDL")
    smtp_capabilities: WordList = ()
    imap_auth: ImapMechanisms = ("plain",)
    pop3_auth: Pop3Mechanisms = ("plain",)
    smtp_auth: SmtpMechanisms = ("plain", "login")
    imap_client_buffer: CommandSize | None = None
    smtp_client_buffer: CommandSize | None = None
    smtp_greeting_delay: Delay = 0.0

    ssl: Flag = False
    starttls: StartTls = StartTlsMode.OFF
    ssl_certificate: Certificates | None = None
    ssl_certificate_key: Keys | None = None
    ssl_password_file: FileName | None = None
    ssl_protocols: TlsProtocols = ("TLSv1.2", "TLSv1.3")
    ssl_ciphers: Ciphers = "HIGH:!aNULL:!MD5"
    ssl_prefer_server_ciphers: Flag = False
    ssl_dhparam: FileName | None = None
    ssl_ecdh_curve: Curves = "auto"
    ssl_conf_command: ConfCommands = ()

    ssl_session_cache: Cache = NO_CACHE
    ssl_session_timeout: WholeSeconds = 300
    ssl_session_tickets: Flag = False
    ssl_session_ticket_key: FileNames = ()

    ssl_verify_client: Verify = VerifyClient.OFF
    ssl_client_certificate: FileName | None = None
    ssl_trusted_certificate: FileName | None = None
    ssl_verify_depth: Count = 1
    ssl_crl: FileName | None = None

    resolver: ResolverWords = None
    resolver_timeout: Seconds = 30.0
    set_real_ip_from: RealIp = ()

    users: FileName | None = None
    auth_http: AuthServerText | None = None
    auth_http_header: HttpHeaders = ()
    auth_http_timeout: Seconds = 60.0
    auth_http_pass_client_cert: Flag = False
    auth_http_ssl_trusted_certificate: FileName | None = None
    proxy_pass: AddressText | None = None
    proxy_buffer: BufferSize | None = None
    proxy_pass_error_message: Flag = False
    proxy_protocol: ProxyForm = ProxyProtocol.OFF
    proxy_smtp_auth: Flag | None = None
    xclient: Flag | None = None
    proxy_timeout: Seconds = DEADLINES.relay
    proxy_connect_timeout: Seconds = DEADLINES.connect
    proxy_ssl: BackendTls = ProxySsl.OFF
    proxy_ssl_verify: Flag = True
    proxy_ssl_trusted_certificate: FileName | None = None
    proxy_ssl_name: HostName | None = None
    proxy_ssl_certificate: Pem | None = None
    proxy_ssl_certificate_key: Pem | None = None
    proxy_ssl_protocols: TlsProtocols = ("TLSv1.2", "TLSv1.3")
    proxy_ssl_ciphers: Ciphers = "DEFAULT"
    proxy_ssl_session_reuse: Flag = True


@frozen(kw_only=True)
class ServerDirectives(MailDirectives):
    """What may stand in ``[[mail.server]]``."""

    listen: Listens = ()
    protocol: MailProtocol | None = None


TOP = frozenset(directive.name for directive in fields(TopDirectives))
MAIL = frozenset(directive.name for directive in fields(MailDirectives))
SERVER = frozenset(directive.name for directive in fields(ServerDirectives))
