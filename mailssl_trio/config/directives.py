"""Every directive there is: where it stands, what it takes, and its default.

The names, meanings and defaults are nginx's, except for what nginx's mail proxy has
no word for: ``users``, ``state_directory``, ``auth_http_ssl_*``, and the ``proxy_*``
words that nginx only has elsewhere.

Below each stands what it is, in a sentence, which `show --defaults`, the schema for
editors, the manual and docs/configuration.md all have from here. `Unset:` says what
holds where the default is no value, `See` which page of docs/ tells more.
"""

from socket import gethostname

from attrs import field, fields, frozen

from mailssl_trio.config.control_words import Control
from mailssl_trio.config.descriptors import Descriptors
from mailssl_trio.config.http_words import AuthServerText, HttpHeaders
from mailssl_trio.config.limit_words import (
    AccessRules,
    AtLeastOne,
    ConnectionRules,
    LoginRules,
)
from mailssl_trio.config.listening import Listens
from mailssl_trio.config.logging_words import Access, Log
from mailssl_trio.config.pem_sources import Certificates, FileNames, Keys, Pem
from mailssl_trio.config.processes import Processes
from mailssl_trio.config.proxy_words import BufferSize, ProxyForm
from mailssl_trio.config.real_ip import Networks, RealIp
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
from mailssl_trio.config.worker_user import UserNames
from mailssl_trio.limits.house import MOST_BEFORE_LOGIN
from mailssl_trio.logs.writer import ErrorLog
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
    """A target and the least level for it, or an array of these."""
    access_log: Access = ()
    """A target and the format of its lines, one for each login and each end, or an
    array of these. Unset: off. See logs.md."""
    state_directory: FileName | None = None
    """Where what we make lies: `tls/`, `mail/`. Unset: `$STATE_DIRECTORY`, else
    `var` beside the configuration's directory."""
    worker_shutdown_timeout: Seconds | None = None
    """What logged-in sessions get at a stop or a reload. Unset: 30 s for SIGTERM
    and SIGINT, no limit for SIGQUIT and SIGHUP."""
    worker_processes: Processes = 1
    """How many processes serve, 1 to 1024, or `"auto"`: one for each processor that
    we may use."""
    worker_rlimit_nofile: Descriptors | None = None
    """How many files each worker may have open, 64 or more; each session takes two.
    Unset: what the system allows at most."""
    worker_connections: AtLeastOne | None = None
    """How many connections each worker may have, those with backends included.
    Unset: no limit but that of open files. See limits.md."""
    worker_login_connections: AtLeastOne = MOST_BEFORE_LOGIN
    """How many connections of each worker may be there that have not logged in;
    beyond, the oldest of the address with the most goes. See limits.md."""
    user: UserNames | None = None
    """Who the workers are, `"NAME"` or `"NAME GROUP"`, where root has started us.
    Unset: who has started us. See running.md."""
    pid: FileName | None = None
    """A file with the number of the first process, the one to send signals to."""
    control: Control | None = None
    """A Unix socket, for root and who runs us, by which `status`, `who`, `kick` and
    others reach the program, or `off`. Unset: beside `pid`, with the suffix `.sock`,
    else `control.sock` in `state_directory`. See control.md."""


@frozen(kw_only=True)
class MailDirectives:
    """What may stand in ``[mail]``, for all servers, and in each of them."""

    error_log: Log = ()
    """Who hears what is told of a server's connections. Unset: the targets at the
    top."""
    access_log: Access | None = None
    """Where a server's logins and ends are written, or `off`. Unset: the targets at
    the top. See logs.md."""
    server_name: HostName = field(factory=gethostname)
    """The name in SMTP's greeting and EHLO reply, and in our EHLO to backends.
    Unset: the machine's."""
    timeout: Seconds = DEADLINES.session
    """One budget for all that a client does from accept to login, the handshake
    included."""
    max_errors: Count = 5
    """The refused command or login, before login, that ends the connection."""

    imap_capabilities: WordList = ("IMAP4", "IMAP4rev1", "UIDPLUS")
    """Words to announce for an IMAP backend."""
    pop3_capabilities: WordList = ("TOP", "USER", "UIDL")
    """Words to announce for a POP3 backend."""
    smtp_capabilities: WordList = ()
    """Words to announce for an SMTP backend."""
    imap_auth: ImapMechanisms = ("plain",)
    """Which SASL mechanisms to announce in IMAP."""
    pop3_auth: Pop3Mechanisms = ("plain",)
    """Which mechanisms to announce in POP3; `plain` announces LOGIN too."""
    smtp_auth: SmtpMechanisms = ("plain", "login")
    """Which SASL mechanisms to announce in SMTP, and `none` for mail without a
    login."""
    imap_client_buffer: CommandSize | None = None
    """The longest IMAP command before login: its lines, and its literals once more.
    Unset: 8k."""
    smtp_client_buffer: CommandSize | None = None
    """The longest SMTP command before login. Unset: 512 octets."""
    smtp_greeting_delay: Delay = 0.0
    """How long a client must wait for the greeting; who says something before it is
    sent away."""

    ssl: Flag = False
    """TLS from the first octet, on every `listen` of the server."""
    starttls: StartTls = StartTlsMode.OFF
    """Whether TLS in-line is offered: `off`, `on`, or `only`, where nobody logs in
    without it. See starttls.md."""
    ssl_certificate: Certificates | None = None
    """PEM files of certificates, the leaf first, then its chain. See tls.md."""
    ssl_certificate_key: Keys | None = None
    """PEM files of their keys, in the same order. Unset: the certificate's file."""
    ssl_password_file: FileName | None = None
    """Passphrases of encrypted keys, a line each, tried in turn."""
    ssl_protocols: TlsProtocols = ("TLSv1.2", "TLSv1.3")
    """Exactly this set of versions of TLS."""
    ssl_ciphers: Ciphers = "HIGH:!aNULL:!MD5"
    """Ciphers in OpenSSL's format, for TLS 1.2 and older; anonymous ones never."""
    ssl_prefer_server_ciphers: Flag = False
    """Whether our order of ciphers decides, and not the client's."""
    ssl_dhparam: FileName | None = None
    """A file of parameters for DHE, of 1024 bits at least; without it there is no
    DHE."""
    ssl_ecdh_curve: Curves = "auto"
    """Groups, separated by colons; `auto` leaves them to OpenSSL."""
    ssl_conf_command: ConfCommands = ()
    """A command of SSL_CONF_cmd(3) and its value, or an array of these."""

    ssl_session_cache: Cache = NO_CACHE
    """Where sessions are kept that clients may resume. See tls.md."""
    ssl_session_timeout: WholeSeconds = 300
    """How long a session can be resumed from its first handshake on, in whole
    seconds. See tls.md."""
    ssl_session_tickets: Flag = False
    """Self-contained tickets: clients keep their sessions themselves, encrypted,
    whatever the cache. See tls.md."""
    ssl_session_ticket_key: FileNames = ()
    """Files of 48 or 80 octets; the first encrypts, all decrypt. Unset: made, and
    replaced in time. See tls.md."""

    ssl_verify_client: Verify = VerifyClient.OFF
    """Whether clients must show a certificate, and which is good. See tls.md."""
    ssl_client_certificate: FileName | None = None
    """PEM of the CAs for client certificates; clients are told their names. See
    tls.md."""
    ssl_trusted_certificate: FileName | None = None
    """PEM of more such CAs; clients are not told. See tls.md."""
    ssl_verify_depth: Count = 1
    """How many CAs may stand between a client's certificate and one of these. See
    tls.md."""
    ssl_crl: FileName | None = None
    """PEM of their CRLs, a current one for each CA of a chain. See tls.md."""

    resolver: ResolverWords = None
    """Whom to ask for the names of SMTP clients. Unset: off."""
    resolver_timeout: Seconds = 30.0
    """What each of the two questions gets, within `timeout`."""
    set_real_ip_from: RealIp = ()
    """The proxies whose PROXY headers are believed. Unset: nobody."""

    access: AccessRules = ()
    """Who may connect: `"allow WHOM"` and `"deny WHOM"`, the first that fits decides.
    See limits.md."""
    limit_conn: ConnectionRules = ()
    """How many connections an address, a user, or a user at an address may have,
    `"address 20"`, or an array of these. See limits.md."""
    limit_login: LoginRules = ()
    """How many different wrong passwords lead to a ban, `"user+address 5"`, or an
    array of these. See limits.md."""
    limit_exempt: Networks = ()
    """The networks for which no limit holds. See limits.md."""

    users: FileName | None = None
    """A file of users with hashed passwords."""
    auth_http: AuthServerText | None = None
    """The auth server that decides who may log in, and names the backend. See
    auth-http.md."""
    auth_http_header: HttpHeaders = ()
    """A header to send along, `"NAME VALUE"`, or an array of these. See
    auth-http.md."""
    auth_http_timeout: Seconds = 60.0
    """All that the auth server gets: to be connected to, to be asked, and to
    answer. See auth-http.md."""
    auth_http_pass_client_cert: Flag = False
    """Whether it is told the client's certificate in PEM, with `ssl_verify_client`.
    See auth-http.md."""
    auth_http_ssl_trusted_certificate: FileName | None = None
    """PEM of the CAs that its certificate may come from, with `https://`. Unset:
    the system's. See auth-http.md."""
    proxy_pass: AddressText | None = None
    """The backend."""
    proxy_buffer: BufferSize | None = None
    """The longest reply of a backend before its login is over. Unset: 4k a line;
    IMAP 64k."""
    proxy_pass_error_message: Flag = False
    """Whether a client hears a backend's refusal in the backend's own words."""
    proxy_protocol: ProxyForm = ProxyProtocol.OFF
    """What every backend gets before all else, TLS included."""
    proxy_smtp_auth: Flag | None = None
    """Whether an SMTP backend is logged in to with the user's password. Unset: on;
    with `auth_http` off."""
    xclient: Flag | None = None
    """Whether backends are told of the client. Unset: on with `auth_http`, else for
    backends that offer it."""
    proxy_timeout: Seconds = DEADLINES.relay
    """Silence in both directions after login, that ends a session."""
    proxy_connect_timeout: Seconds = DEADLINES.connect
    """What a backend gets to take a connection, within `timeout`."""
    proxy_ssl: BackendTls = ProxySsl.OFF
    """Whether TLS is spoken with backends: `on` at once, `starttls` in-line."""
    proxy_ssl_verify: Flag = True
    """Whether the backend must show a certificate that holds."""
    proxy_ssl_trusted_certificate: FileName | None = None
    """PEM of the CAs to believe. Unset: the system's."""
    proxy_ssl_name: HostName | None = None
    """The name to verify, and to ask for. Unset: the host of `proxy_pass`."""
    proxy_ssl_certificate: Pem | None = None
    """What we show a backend that asks who we are."""
    proxy_ssl_certificate_key: Pem | None = None
    """Its key, which must not be encrypted. Unset: the certificate's file."""
    proxy_ssl_protocols: TlsProtocols = ("TLSv1.2", "TLSv1.3")
    """The versions of TLS towards backends, without gaps."""
    proxy_ssl_ciphers: Ciphers = "DEFAULT"
    """The ciphers towards backends, as for `ssl_ciphers`."""
    proxy_ssl_session_reuse: Flag = True
    """Whether sessions with a backend are resumed."""


@frozen(kw_only=True)
class ServerDirectives(MailDirectives):
    """What may stand in ``[[mail.server]]``."""

    listen: Listens = ()
    """An address and a port, and words about them, or an array of these. Unset: an
    error."""
    protocol: MailProtocol | None = None
    """`imap`, `pop3` or `smtp`. Unset: that of the first `listen` with a well-known
    port."""


TOP = frozenset(directive.name for directive in fields(TopDirectives))
MAIL = frozenset(directive.name for directive in fields(MailDirectives))
SERVER = frozenset(directive.name for directive in fields(ServerDirectives))
