"""What Python's ssl module does not offer, asked of the very libssl it uses.

The only ctypes in the house. The library is found through the extension module's own
dependencies, so it is the right one; an ``SSL_CTX *`` is the first field of CPython's
context object, an ``SSL *`` the second of what lies below an SSLObject. None of that
is taken on trust: it is tried when this module is imported, and where it fails
``BENEATH_PYTHON`` is None, and whoever needs it says so to the operator.

Functions of C have the names of their manual pages; a macro's page is named beside
it. What OpenSSL calls back must live as long as it may be called: every callback is
kept for as long as the Python context that it was given to, which every connection
made with that context keeps alive. OpenSSL calls nothing when a context is freed,
since its remove callback is never set. Callbacks do not raise: what they call must
not, by contract.
"""

import _ssl
import os
import sys
from collections.abc import Callable, Mapping
from ctypes import (
    CDLL,
    CFUNCTYPE,
    POINTER,
    Structure,
    addressof,
    byref,
    c_char_p,
    c_int,
    c_long,
    c_size_t,
    c_uint,
    c_uint64,
    c_ulong,
    c_void_p,
    create_string_buffer,
    memmove,
    sizeof,
    string_at,
)
from functools import cache
from ssl import (
    OP_CIPHER_SERVER_PREFERENCE,
    OP_NO_RENEGOTIATION,
    OP_NO_TICKET,
    PROTOCOL_TLS_SERVER,
    MemoryBIO,
    SSLContext,
    SSLObject,
    SSLSocket,
)
from typing import Any, Final, TypeAlias
from weakref import WeakKeyDictionary

from mailssl_trio.tls.sessions.ticket_keys import TicketKey, TicketKeys

Speaking: TypeAlias = SSLObject | SSLSocket
"""What speaks TLS in Python, in memory or on a socket."""

# Names and values of openssl/ssl.h, openssl/tls1.h and openssl/core.h.
SSL_CTRL_MODE = 33
SSL_CTRL_SET_SESS_CACHE_MODE = 44
SSL_CTRL_SET_TLSEXT_SERVERNAME_CB = 53
SSL_CTRL_CLEAR_MODE = 78
SSL_CTRL_SET_GROUPS_LIST = 92
SSL_MODE_AUTO_RETRY = 0x0004
SSL_MODE_NO_AUTO_CHAIN = 0x0008
SSL_SESS_CACHE_OFF = 0x0000
SSL_SESS_CACHE_SERVER = 0x0002
SSL_SESS_CACHE_NO_INTERNAL = 0x0300
SSL_TLSEXT_ERR_OK = 0
SSL_TLSEXT_ERR_ALERT_FATAL = 2
SSL_TLSEXT_ERR_NOACK = 3
SSL_CLIENT_HELLO_SUCCESS = 1
SSL_CB_WRITE_ALERT = 0x4008
SSL_SENT_SHUTDOWN, SSL_RECEIVED_SHUTDOWN = 1, 2
NO_RENEGOTIATION = 100  # RFC 5246 section 7.2
TLSEXT_NAMETYPE_host_name = 0
OPENSSL_NPN_NEGOTIATED = 1
SSL_VERIFY_PEER = 1
SSL_CONF_FLAGS = 0x02 | 0x04 | 0x08 | 0x20  # FILE, CLIENT, SERVER, CERTIFICATE: nginx's
TLS1_3_VERSION = 0x0304
OSSL_PARAM_UTF8_STRING, OSSL_PARAM_OCTET_STRING = 4, 5

UNKNOWN_COMMAND = "unknown command"

WHICH_PYTHON = (
    "a CPython whose ssl module is linked with the system's OpenSSL 3 reaches it,"
    " such as Debian's python3"
)

CANNOT, NOT_FOUND, FOUND, RENEW = -1, 0, 1, 2
"""What the callback for ticket keys answers: SSL_CTX_set_tlsext_ticket_key_evp_cb(3)"""

Pointer = c_void_p
AlpnSelect = CFUNCTYPE(c_int, Pointer, Pointer, Pointer, Pointer, c_uint, Pointer)
NewSession = CFUNCTYPE(c_int, Pointer, Pointer)
GetSession = CFUNCTYPE(Pointer, Pointer, Pointer, c_int, POINTER(c_int))
GenerateTicket = CFUNCTYPE(c_int, Pointer, Pointer)
TicketKeyOf = CFUNCTYPE(c_int, Pointer, Pointer, Pointer, Pointer, Pointer, c_int)
ClientHello = CFUNCTYPE(c_int, Pointer, Pointer, Pointer)
Servername = CFUNCTYPE(c_int, Pointer, Pointer, Pointer)
Verify = CFUNCTYPE(c_int, c_int, Pointer)
Info = CFUNCTYPE(None, Pointer, c_int, c_int)

PROTOTYPES: Mapping[str, tuple[Any, ...]] = {  # the result first
    # Contexts.
    "SSL_CTX_get_options": (c_uint64, Pointer),
    "SSL_CTX_set_options": (c_uint64, Pointer, c_uint64),
    "SSL_CTX_ctrl": (c_long, Pointer, c_int, c_long, Pointer),
    "SSL_CTX_callback_ctrl": (c_long, Pointer, c_int, Servername),
    "SSL_get_SSL_CTX": (Pointer, Pointer),
    "SSL_set_SSL_CTX": (Pointer, Pointer, Pointer),  # ssl.h; no page in OpenSSL 3.0
    "SSL_get_servername": (c_char_p, Pointer, c_int),
    "SSL_get_options": (c_uint64, Pointer),
    "SSL_version": (c_int, Pointer),
    "SSL_ctrl": (c_long, Pointer, c_int, c_long, Pointer),
    "SSL_set_info_callback": (None, Pointer, Info),
    "SSL_set_shutdown": (None, Pointer, c_int),
    # ALPN.
    "SSL_CTX_set_alpn_select_cb": (None, Pointer, AlpnSelect, Pointer),
    "SSL_select_next_proto": (
        *(c_int, Pointer, Pointer),
        *(c_char_p, c_uint, Pointer, c_uint),
    ),
    # Sessions.
    "SSL_CTX_set_timeout": (c_long, Pointer, c_long),
    "SSL_CTX_set_session_id_context": (c_int, Pointer, c_char_p, c_uint),
    "SSL_set_session_id_context": (c_int, Pointer, c_char_p, c_uint),
    "SSL_CTX_set_client_hello_cb": (None, Pointer, ClientHello, Pointer),
    "SSL_CTX_sess_set_new_cb": (None, Pointer, NewSession),
    "SSL_CTX_sess_set_get_cb": (None, Pointer, GetSession),
    "SSL_CTX_set_session_ticket_cb": (None, Pointer, GenerateTicket, Pointer, Pointer),
    "SSL_CTX_set_tlsext_ticket_key_evp_cb": (c_int, Pointer, TicketKeyOf),
    "SSL_get_session": (Pointer, Pointer),
    "SSL_set_session": (c_int, Pointer, Pointer),
    "SSL_SESSION_free": (None, Pointer),
    "SSL_SESSION_is_resumable": (c_int, Pointer),
    "SSL_SESSION_get_id": (Pointer, Pointer, POINTER(c_uint)),
    "SSL_SESSION_get_time": (c_long, Pointer),
    "SSL_SESSION_set_time": (c_long, Pointer, c_long),
    "SSL_SESSION_get_timeout": (c_long, Pointer),
    "SSL_SESSION_set_timeout": (c_long, Pointer, c_long),
    "SSL_SESSION_get0_ticket_appdata": (
        *(c_int, Pointer),
        *(POINTER(Pointer), POINTER(c_size_t)),
    ),
    "SSL_SESSION_set1_ticket_appdata": (c_int, Pointer, c_char_p, c_size_t),
    "i2d_SSL_SESSION": (c_int, Pointer, POINTER(Pointer)),
    "d2i_SSL_SESSION": (Pointer, Pointer, POINTER(Pointer), c_long),
    # Keys of tickets.
    "EVP_aes_128_cbc": (Pointer,),
    "EVP_aes_256_cbc": (Pointer,),
    "EVP_CipherInit_ex": (
        *(c_int, Pointer, Pointer, Pointer),
        *(c_char_p, Pointer, c_int),
    ),
    "EVP_MAC_CTX_set_params": (c_int, Pointer, Pointer),
    # Certificates of clients.
    "SSL_CTX_set_verify": (None, Pointer, c_int, Verify),
    "SSL_CTX_set_verify_depth": (None, Pointer, c_int),
    "SSL_load_client_CA_file": (Pointer, c_char_p),
    "SSL_CTX_set_client_CA_list": (None, Pointer, Pointer),
    "SSL_get_verify_result": (c_long, Pointer),
    "X509_verify_cert_error_string": (c_char_p, c_long),
    # Settings as text.
    "SSL_CONF_CTX_new": (Pointer,),
    "SSL_CONF_CTX_free": (None, Pointer),
    "SSL_CONF_CTX_set_flags": (c_uint, Pointer, c_uint),
    "SSL_CONF_CTX_set_ssl_ctx": (None, Pointer, Pointer),
    "SSL_CONF_cmd": (c_int, Pointer, c_char_p, c_char_p),
    "SSL_CONF_CTX_finish": (c_int, Pointer),
    "ERR_get_error": (c_ulong,),
    "ERR_reason_error_string": (c_char_p, c_ulong),
    "ERR_clear_error": (None,),
}


class Param(Structure):
    """OSSL_PARAM(3)."""

    _fields_ = (
        ("key", c_char_p),
        ("data_type", c_uint),
        ("data", Pointer),
        ("data_size", c_size_t),
        ("return_size", c_size_t),
    )


class OpenSslUnreachableError(Exception):
    """This Python hides its OpenSSL, or lays its objects out as no other does."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}; {WHICH_PYTHON}")


class OpenSsl:
    """The functions of libssl that this program calls, in Python's types."""

    def __init__(self, extension: str | None) -> None:
        """Find libssl below the file of an extension module, and test the way to it.

        Raises OpenSslUnreachableError.
        """
        if sys.implementation.name != "cpython":
            raise OpenSslUnreachableError(f"this is {sys.implementation.name}")
        if extension is None:
            raise OpenSslUnreachableError("this Python's ssl module is built in")
        try:
            self._lib = CDLL(extension)
            for name, (result, *arguments) in PROTOTYPES.items():
                function = getattr(self._lib, name)
                function.restype, function.argtypes = result, arguments
        except (OSError, AttributeError) as error:
            raise OpenSslUnreachableError(f"no libssl to call: {error}") from None
        self._kept: WeakKeyDictionary[SSLContext, dict[str, object]]
        self._kept = WeakKeyDictionary()
        self._try_the_pointers()

    def _try_the_pointers(self) -> None:
        """Compare what OpenSSL and Python say about two contexts that differ."""
        plain, other = SSLContext(PROTOCOL_TLS_SERVER), SSLContext(PROTOCOL_TLS_SERVER)
        other.options |= OP_NO_TICKET | OP_NO_RENEGOTIATION
        other.options ^= OP_CIPHER_SERVER_PREFERENCE
        for context in (plain, other):
            if self._lib.SSL_CTX_get_options(_ctx(context)) != context.options:
                raise OpenSslUnreachableError("SSL_CTX is not where CPython keeps it")
            connection = context.wrap_bio(MemoryBIO(), MemoryBIO(), server_side=True)
            if self._lib.SSL_get_SSL_CTX(_ssl_of(connection)) != _ctx(context):
                raise OpenSslUnreachableError("SSL is not where CPython keeps it")

    def _keep(self, context: SSLContext, name: str, callback: object) -> None:
        """Let a callback live as long as the context, instead of an earlier one.

        OpenSSL has been told of the new one already, so it calls the old no more.
        """
        self._kept.setdefault(context, {})[name] = callback

    # Connections.

    def read_no_further_than_a_message(self, connection: Speaking) -> None:
        """Return from each read after a message of TLS's own: SSL_CTX_set_mode(3).

        SSL_read(3) would go on to the next, as long as there is one, and who sends
        nothing but key updates would have all of our time.
        """
        ssl, mode = _ssl_of(connection), SSL_MODE_AUTO_RETRY
        self._lib.SSL_ctrl(ssl, SSL_CTRL_CLEAR_MODE, mode, None)

    def end_at_renegotiation(self, connection: Speaking) -> None:
        """End what the peer sends where it asks for a second handshake.

        OpenSSL refuses, and reads on in the same call whatever its mode. What follows
        is then no longer read: SSL_CTX_set_info_callback(3), SSL_set_shutdown(3)
        """
        self._lib.SSL_set_info_callback(_ssl_of(connection), _end_of_refused(self))

    def stop_reading(self, ssl: int) -> None:
        """Let reads fail, and say no close_notify: SSL_set_shutdown(3).

        The end of what was read so far must not look like one of the peer's.
        """
        both = SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN
        self._lib.SSL_set_shutdown(ssl, both)

    # Settings.

    def set_options(self, context: SSLContext, options: int) -> None:
        """Add options without ``ssl``'s opinion of them: SSL_CTX_set_options(3)."""
        self._lib.SSL_CTX_set_options(_ctx(context), options)

    def send_no_more_than_the_chain(self, context: SSLContext) -> None:
        """Show clients what is in the certificate's file: SSL_CTX_set_mode(3).

        Else a CA that we believe for other reasons would be sent behind it.
        """
        mode = SSL_MODE_NO_AUTO_CHAIN
        self._lib.SSL_CTX_ctrl(_ctx(context), SSL_CTRL_MODE, mode, None)

    def set_groups(self, context: SSLContext, groups: str) -> bool:
        """Choose the groups for key exchange; False if one of them is unknown.

        SSL_CTX_set1_groups_list(3)
        """
        listed = create_string_buffer(groups.encode())
        control = SSL_CTRL_SET_GROUPS_LIST
        done = self._lib.SSL_CTX_ctrl(_ctx(context), control, 0, addressof(listed))
        self._lib.ERR_clear_error()
        return bool(done == 1)

    def configure(self, context: SSLContext, name: str, value: str) -> str | None:
        """Carry out a command; return OpenSSL's reason if it will not.

        SSL_CONF_cmd(3), as for the configuration file of a server.
        """
        self._lib.ERR_clear_error()
        conf = self._lib.SSL_CONF_CTX_new()
        try:
            self._lib.SSL_CONF_CTX_set_flags(conf, SSL_CONF_FLAGS)
            self._lib.SSL_CONF_CTX_set_ssl_ctx(conf, _ctx(context))
            done = self._lib.SSL_CONF_cmd(conf, name.encode(), value.encode())
            if done > 0 and self._lib.SSL_CONF_CTX_finish(conf) == 1:
                return None
            return self._reason(UNKNOWN_COMMAND if done == -2 else "bad value")
        finally:
            self._lib.SSL_CONF_CTX_free(conf)

    def _reason(self, otherwise: str) -> str:
        """Return the words for the error that came first, and forget them all."""
        said = self._lib.ERR_reason_error_string(self._lib.ERR_get_error())
        self._lib.ERR_clear_error()
        return otherwise if said is None else bytes(said).decode()

    # ALPN and server names.

    def insist_on_alpn(self, context: SSLContext, protocol: str) -> None:
        """Refuse, with a fatal alert, clients that offer only other protocols.

        SSL_CTX_set_alpn_select_cb(3); ``set_alpn_protocols()`` would go on without.
        """
        select = _alpn_select(self, protocol.encode())
        self._lib.SSL_CTX_set_alpn_select_cb(_ctx(context), select, None)

    def select_protocol(
        self, out: int, outlen: int, ours: bytes, offered: int, length: int
    ) -> bool:
        """Choose from what a client offers: SSL_select_next_proto(3)."""
        answer = self._lib.SSL_select_next_proto(
            out, outlen, ours, len(ours), offered, length
        )
        return bool(answer == OPENSSL_NPN_NEGOTIATED)

    def choose_by_name(
        self, context: SSLContext, choose: Callable[[bytes], SSLContext | None]
    ) -> None:
        """Let another context's certificates serve clients that ask for a name.

        ``choose`` gets the name as it was sent, which may be anything but NUL.
        SSL_CTX_set_tlsext_servername_callback(3). Python's ``sni_callback`` would
        print a traceback for every name that is not ASCII.
        """

        def servername(ssl: int, _alert: int, _arg: int) -> int:
            name = self._lib.SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)
            if name is None:
                return SSL_TLSEXT_ERR_NOACK
            if (chosen := choose(name)) is not None:
                self._lib.SSL_set_SSL_CTX(ssl, _ctx(chosen))
            return SSL_TLSEXT_ERR_OK

        callback, control = Servername(servername), SSL_CTRL_SET_TLSEXT_SERVERNAME_CB
        self._lib.SSL_CTX_callback_ctrl(_ctx(context), control, callback)
        self._keep(context, "servername", callback)

    def server_name(self, connection: Speaking) -> bytes | None:
        """Return the name a client asked for, as it was sent: SSL_get_servername(3)."""
        ssl = _ssl_of(connection)
        name = self._lib.SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)
        return None if name is None else bytes(name)

    # Sessions.

    def keep_sessions(
        self,
        context: SSLContext,
        store: Callable[[bytes, bytes, int], None],
        lookup: Callable[[bytes], bytes | None],
    ) -> None:
        """Have sessions kept by us, and by OpenSSL nowhere.

        ``store`` gets the id, the session in DER, and when it ends, in seconds since
        the epoch; ``lookup`` an id. SSL_CTX_sess_set_get_cb(3). Sessions that no id
        leads to, since they are in a ticket as a whole, are not stored.
        """

        def new(ssl: int, session: int) -> int:
            if not self._is_in_its_ticket(ssl):
                store(*self._described(session))
            return 0  # we have a copy, and want no share in it

        def get(_ssl: int, data: int, length: int, copy: Any) -> int | None:
            copy[0] = 0  # it is OpenSSL's from now on
            der = lookup(string_at(data, length))
            return None if der is None else self._session(der)

        self.announce_sessions(context)
        callbacks = NewSession(new), GetSession(get)
        self._lib.SSL_CTX_sess_set_new_cb(_ctx(context), callbacks[0])
        self._lib.SSL_CTX_sess_set_get_cb(_ctx(context), callbacks[1])
        self._keep(context, "sessions", callbacks)

    def announce_sessions(self, context: SSLContext) -> None:
        """Give sessions ids to come back with: SSL_CTX_set_session_cache_mode(3)."""
        mode = SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL
        self._lib.SSL_CTX_ctrl(_ctx(context), SSL_CTRL_SET_SESS_CACHE_MODE, mode, None)

    def turn_session_cache_off(self, context: SSLContext) -> None:
        """Give sessions no id to come back with: SSL_CTX_set_session_cache_mode(3)."""
        mode = SSL_SESS_CACHE_OFF
        self._lib.SSL_CTX_ctrl(_ctx(context), SSL_CTRL_SET_SESS_CACHE_MODE, mode, None)

    def bind_sessions(self, context: SSLContext, identity: bytes) -> None:
        """Let no session resume but those of the same identity, of 32 octets at most.

        SSL_CTX_set_session_id_context(3). CPython gives every context the same, and
        from 3.13 on every connection too; so it is set right when a client speaks,
        before it is known what the client would resume: SSL_CTX_set_client_hello_cb(3).
        """
        ctx, length = _ctx(context), len(identity)
        if self._lib.SSL_CTX_set_session_id_context(ctx, identity, length) != 1:
            raise ValueError("a session id context has 32 octets at most")

        def hello(ssl: int, _alert: int, _arg: int) -> int:
            self._lib.SSL_set_session_id_context(ssl, identity, length)
            return SSL_CLIENT_HELLO_SUCCESS

        callback = ClientHello(hello)
        self._lib.SSL_CTX_set_client_hello_cb(ctx, callback, None)
        self._keep(context, "hello", callback)

    def limit_sessions(self, context: SSLContext, seconds: int) -> None:
        """End each session so long after its first handshake, however often resumed.

        SSL_CTX_set_timeout(3). In TLS 1.3 every resumption makes a session anew, with
        a life of its own. So each ticket, or what it leads to, remembers when the
        first was made: SSL_CTX_set_session_ticket_cb(3).
        """

        def generate(ssl: int, _arg: int) -> int:
            session = self._lib.SSL_get_session(ssl)
            made = self._lib.SSL_SESSION_get_time(session)
            first = self._first_made(session) or made
            remembered = first.to_bytes(8)
            self._lib.SSL_SESSION_set1_ticket_appdata(session, remembered, 8)
            end = first + seconds
            left = max(end - made, 1)  # 0 is not encoded, and reads as 3
            self._lib.SSL_SESSION_set_time(session, end - left)
            self._lib.SSL_SESSION_set_timeout(session, left)
            return 1

        callback = GenerateTicket(generate)
        self._lib.SSL_CTX_set_timeout(_ctx(context), seconds)
        self._lib.SSL_CTX_set_session_ticket_cb(_ctx(context), callback, None, None)
        self._keep(context, "lifetime", callback)

    def session_of(self, connection: Speaking) -> bytes | None:
        """Return the newest session of a connection in DER, None if none can resume.

        SSL_get_session(3), SSL_SESSION_is_resumable(3). Python's own ``session`` loses
        6 KiB each time that it is read (CPython 3.11 to 3.13).
        """
        session = self._lib.SSL_get_session(_ssl_of(connection))
        if session is None or not self._lib.SSL_SESSION_is_resumable(session):
            return None
        return self._der(session)

    def offer_session(self, connection: Speaking, der: bytes) -> None:
        """Ask the server to resume this session: SSL_set_session(3)."""
        session = self._session(der)
        self._lib.SSL_set_session(_ssl_of(connection), session)
        self._lib.SSL_SESSION_free(session)  # the connection has its own share in it

    def _first_made(self, session: int) -> int | None:
        data, length = Pointer(), c_size_t()
        self._lib.SSL_SESSION_get0_ticket_appdata(session, byref(data), byref(length))
        if not data.value or length.value != 8:
            return None
        return int.from_bytes(string_at(data.value, 8))

    def _is_in_its_ticket(self, ssl: int) -> bool:
        """Whether a session went to the client whole: TLS 1.3 with tickets.

        Where TLS 1.2 does that, the session has no id, and OpenSSL does not ask.
        """
        options = self._lib.SSL_get_options(ssl)
        return bool(
            self._lib.SSL_version(ssl) == TLS1_3_VERSION and not options & OP_NO_TICKET
        )

    def _described(self, session: int) -> tuple[bytes, bytes, int]:
        length = c_uint()
        data = self._lib.SSL_SESSION_get_id(session, byref(length))
        ends = self._lib.SSL_SESSION_get_time(session)
        ends += self._lib.SSL_SESSION_get_timeout(session)
        return string_at(data, length.value), self._der(session), ends

    def _der(self, session: int) -> bytes:
        size = self._lib.i2d_SSL_SESSION(session, None)
        der = create_string_buffer(size)
        self._lib.i2d_SSL_SESSION(session, byref(Pointer(addressof(der))))
        return der.raw

    def _session(self, der: bytes) -> int | None:
        octets = create_string_buffer(der, len(der))
        start = byref(Pointer(addressof(octets)))
        session: int | None = self._lib.d2i_SSL_SESSION(None, start, len(der))
        if session is None:
            self._lib.ERR_clear_error()
        return session

    # Tickets.

    def encrypt_tickets(self, context: SSLContext, keys: TicketKeys) -> None:
        """Encrypt tickets with the first of the keys, and decrypt with all.

        AES-CBC and HMAC-SHA256, as nginx does, so that its key files do for us.
        SSL_CTX_set_tlsext_ticket_key_evp_cb(3). In TLS 1.3 a client gets a new ticket
        whenever it has used one (RFC 8446 appendix C.4).
        """

        def key_of(
            ssl: int, name: int, iv: int, cipher: int, mac: int, encrypts: int
        ) -> int:
            if encrypts:
                key = keys.encrypting
                memmove(name, key.name, len(key.name))
                memmove(iv, os.urandom(16), 16)
                return self._use(key, iv, cipher, mac, encrypts)
            found = keys.find(string_at(name, 16))
            if found is None:
                return NOT_FOUND
            if self._use(found, iv, cipher, mac, encrypts) == CANNOT:
                return CANNOT
            is_old = found is not keys.encrypting
            is_tls13 = self._lib.SSL_version(ssl) == TLS1_3_VERSION
            return RENEW if is_old or is_tls13 else FOUND

        callback = TicketKeyOf(key_of)
        self._lib.SSL_CTX_set_tlsext_ticket_key_evp_cb(_ctx(context), callback)
        self._keep(context, "tickets", callback)

    def _use(self, key: TicketKey, iv: int, cipher: int, mac: int, enc: int) -> int:
        """Give a cipher and a MAC their keys: EVP_EncryptInit(3), EVP_MAC(3)."""
        secret = create_string_buffer(key.hmac, len(key.hmac))
        digest = create_string_buffer(b"SHA256")
        params = (Param * 3)(
            Param(b"key", OSSL_PARAM_OCTET_STRING, addressof(secret), len(key.hmac)),
            Param(b"digest", OSSL_PARAM_UTF8_STRING, addressof(digest), 6),
        )
        aes = self._lib.EVP_aes_128_cbc if len(key.aes) == 16 else None
        kind = (aes or self._lib.EVP_aes_256_cbc)()
        if self._lib.EVP_CipherInit_ex(cipher, kind, None, key.aes, iv, enc) != 1:
            return CANNOT
        done = self._lib.EVP_MAC_CTX_set_params(mac, addressof(params))
        return FOUND if done == 1 else CANNOT

    # Certificates of clients.

    def request_certificate(self, context: SSLContext) -> None:
        """Ask clients for a certificate, and let the handshake never fail on it.

        SSL_CTX_set_verify(3). What OpenSSL thinks of it is in ``verify_result()``.
        """
        self._lib.SSL_CTX_set_verify(_ctx(context), SSL_VERIFY_PEER, _accept_all)

    def set_verify_depth(self, context: SSLContext, depth: int) -> None:
        """Allow so many certificates between leaf and root: SSL_CTX_set_verify(3)."""
        self._lib.SSL_CTX_set_verify_depth(_ctx(context), depth)

    def send_ca_names(self, context: SSLContext, file: str) -> bool:
        """Tell clients whose certificates are wanted; False if the file has none.

        SSL_load_client_CA_file(3). Python loads CAs, but tells nobody.
        """
        names = self._lib.SSL_load_client_CA_file(os.fsencode(file))
        self._lib.ERR_clear_error()
        if names is None:
            return False
        self._lib.SSL_CTX_set_client_CA_list(_ctx(context), names)
        return True

    def verify_result(self, connection: Speaking) -> tuple[int, str]:
        """Return what OpenSSL thinks of the peer's certificate; 0 is a good one.

        SSL_get_verify_result(3). It is 0 also where there is no certificate.
        """
        code = self._lib.SSL_get_verify_result(_ssl_of(connection))
        words = self._lib.X509_verify_cert_error_string(code)
        return code, bytes(words).decode()


_accept_all: Final = Verify(lambda _is_good, _store: 1)


@cache
def _end_of_refused(openssl: OpenSsl) -> Callable[..., None]:
    """Make the callback that looks for our own alert: no_renegotiation(100)."""

    def info(ssl: int, where: int, alert: int) -> None:
        if where == SSL_CB_WRITE_ALERT and alert & 0xFF == NO_RENEGOTIATION:
            openssl.stop_reading(ssl)

    return Info(info)


@cache
def _alpn_select(openssl: OpenSsl, protocol: bytes) -> Callable[..., int]:
    """Make the callback for one protocol.

    There are only three protocols, so the cache keeps each for ever and no lifetime
    is left to think of. It cannot raise: all it does is to ask libssl.
    """
    ours = bytes((len(protocol),)) + protocol  # RFC 7301 section 3.1

    def select(
        _ssl: int, out: int, outlen: int, offered: int, length: int, _arg: int
    ) -> int:
        if openssl.select_protocol(out, outlen, ours, offered, length):
            return SSL_TLSEXT_ERR_OK
        return SSL_TLSEXT_ERR_ALERT_FATAL  # no_application_protocol(120)

    return AlpnSelect(select)


def _ctx(context: SSLContext) -> int:
    """Return the ``SSL_CTX *``, the first field behind PyObject_HEAD."""
    return _pointer(id(context) + object.__basicsize__)


def _ssl_of(connection: Speaking) -> int:
    """Return the ``SSL *``, the second field of the object below either of them."""
    below = connection._sslobj  # type: ignore[union-attr]  # CPython's own name
    return _pointer(id(below) + object.__basicsize__ + sizeof(Pointer))


def _pointer(address: int) -> int:
    pointer = Pointer.from_address(address).value
    if pointer is None:
        raise OpenSslUnreachableError("a pointer is not where CPython keeps it")
    return pointer


def _beneath_python() -> OpenSsl | None:
    try:
        return OpenSsl(getattr(_ssl, "__file__", None))
    except OpenSslUnreachableError:
        return None


BENEATH_PYTHON: Final = _beneath_python()
"""The libssl of this very interpreter, or None where it cannot be reached."""
