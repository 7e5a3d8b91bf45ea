"""What Python's ssl module does not offer, asked of the very libssl it uses.

The only ctypes in the house. Three things are not in ``ssl``: options it warns
about, a session cache that is off, and the fatal refusal of ALPN. The library is
found through the extension module's own dependencies, so it is the right one; an
``SSL_CTX *`` is the first field of CPython's context object. Neither is taken on
trust: both are tried when this module is imported, and where they fail
``BENEATH_PYTHON`` is None, and whoever needs it says so to the operator.
"""

import _ssl
import sys
from collections.abc import Callable
from ctypes import CDLL, CFUNCTYPE, c_char_p, c_int, c_long, c_uint, c_uint64, c_void_p
from functools import cache
from ssl import (
    OP_CIPHER_SERVER_PREFERENCE,
    OP_NO_RENEGOTIATION,
    OP_NO_TICKET,
    PROTOCOL_TLS_SERVER,
    SSLContext,
)
from typing import Final

# Names and values of openssl/ssl.h and openssl/tls1.h.
SSL_CTRL_SET_SESS_CACHE_MODE = 44
SSL_SESS_CACHE_OFF = 0
SSL_TLSEXT_ERR_OK = 0
SSL_TLSEXT_ERR_ALERT_FATAL = 2
OPENSSL_NPN_NEGOTIATED = 1

AlpnSelect = CFUNCTYPE(
    c_int,  # one of SSL_TLSEXT_ERR_*
    c_void_p,  # SSL *
    c_void_p,  # const unsigned char **out
    c_void_p,  # unsigned char *outlen
    c_void_p,  # const unsigned char *in
    c_uint,  # unsigned int inlen
    c_void_p,  # void *arg
)


class OpenSslUnreachableError(Exception):
    """This Python hides its OpenSSL, or lays its objects out as no other does."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"{reason}; a CPython whose ssl module is linked with the system's"
            " OpenSSL 3 reaches it, such as Debian's python3"
        )


class OpenSsl:
    """The functions of libssl that this program calls, each with its manual page."""

    def __init__(self, extension: str | None) -> None:
        """Find libssl below the file of an extension module, and test the way to it.

        Raises OpenSslUnreachableError.
        """
        if sys.implementation.name != "cpython":
            raise OpenSslUnreachableError(f"this is {sys.implementation.name}")
        if extension is None:
            raise OpenSslUnreachableError("this Python's ssl module is built in")
        try:
            self._declare(CDLL(extension))
        except (OSError, AttributeError) as error:
            raise OpenSslUnreachableError(f"no libssl to call: {error}") from None
        self._try_the_pointer()

    def _declare(self, lib: CDLL) -> None:
        # SSL_CTX_set_options(3): options are 64 bits wide since OpenSSL 3.0.
        self._get_options = lib.SSL_CTX_get_options
        self._get_options.argtypes = (c_void_p,)
        self._get_options.restype = c_uint64
        self._set_options = lib.SSL_CTX_set_options
        self._set_options.argtypes = (c_void_p, c_uint64)
        self._set_options.restype = c_uint64
        # SSL_CTX_ctrl(3), which most of ssl.h's macros are made of.
        self._ctrl = lib.SSL_CTX_ctrl
        self._ctrl.argtypes = (c_void_p, c_int, c_long, c_void_p)
        self._ctrl.restype = c_long
        # SSL_CTX_set_alpn_select_cb(3), both.
        self._set_alpn_select_cb = lib.SSL_CTX_set_alpn_select_cb
        self._set_alpn_select_cb.argtypes = (c_void_p, AlpnSelect, c_void_p)
        self._set_alpn_select_cb.restype = None
        self._select_next_proto = lib.SSL_select_next_proto
        self._select_next_proto.argtypes = (
            *(c_void_p, c_void_p),
            *(c_char_p, c_uint),
            *(c_void_p, c_uint),
        )
        self._select_next_proto.restype = c_int

    def _try_the_pointer(self) -> None:
        """Compare what OpenSSL and Python say about two contexts that differ."""
        plain, other = SSLContext(PROTOCOL_TLS_SERVER), SSLContext(PROTOCOL_TLS_SERVER)
        other.options |= OP_NO_TICKET | OP_NO_RENEGOTIATION
        other.options ^= OP_CIPHER_SERVER_PREFERENCE
        for context in (plain, other):
            if self._get_options(_pointer(context)) != context.options:
                raise OpenSslUnreachableError("SSL_CTX is not where CPython keeps it")

    def set_options(self, context: SSLContext, options: int) -> None:
        """Add options without ``ssl``'s opinion of them: SSL_CTX_set_options(3)."""
        self._set_options(_pointer(context), options)

    def turn_session_cache_off(self, context: SSLContext) -> None:
        """Give TLS 1.2 sessions no id to come back with.

        SSL_CTX_set_session_cache_mode(3)
        """
        mode = SSL_SESS_CACHE_OFF
        self._ctrl(_pointer(context), SSL_CTRL_SET_SESS_CACHE_MODE, mode, None)

    def insist_on_alpn(self, context: SSLContext, protocol: str) -> None:
        """Refuse, with a fatal alert, clients that offer only other protocols.

        SSL_CTX_set_alpn_select_cb(3); ``set_alpn_protocols()`` would go on without.
        """
        select = _alpn_select(self, protocol.encode())
        self._set_alpn_select_cb(_pointer(context), select, None)

    def select_protocol(
        self, out: int, outlen: int, ours: bytes, offered: int, length: int
    ) -> bool:
        """Choose from what a client offers: SSL_select_next_proto(3)."""
        answer = self._select_next_proto(out, outlen, ours, len(ours), offered, length)
        return bool(answer == OPENSSL_NPN_NEGOTIATED)


@cache
def _alpn_select(lib: OpenSsl, protocol: bytes) -> Callable[..., int]:
    """Make the callback for one protocol.

    OpenSSL calls it as long as any context lives that was given it. There are only
    three protocols, so the cache keeps each for ever and no lifetime is left to
    think of. It cannot raise: all it does is to ask libssl.
    """
    ours = bytes((len(protocol),)) + protocol  # RFC 7301 section 3.1

    def select(
        _ssl: int, out: int, outlen: int, offered: int, length: int, _arg: int
    ) -> int:
        if lib.select_protocol(out, outlen, ours, offered, length):
            return SSL_TLSEXT_ERR_OK
        return SSL_TLSEXT_ERR_ALERT_FATAL  # no_application_protocol(120)

    return AlpnSelect(select)


def _pointer(context: SSLContext) -> int:
    """Return the ``SSL_CTX *``, the first field behind PyObject_HEAD."""
    address = c_void_p.from_address(id(context) + object.__basicsize__).value
    if address is None:
        raise OpenSslUnreachableError("SSL_CTX is not where CPython keeps it")
    return address


def _beneath_python() -> OpenSsl | None:
    try:
        return OpenSsl(getattr(_ssl, "__file__", None))
    except OpenSslUnreachableError:
        return None


BENEATH_PYTHON: Final = _beneath_python()
"""The libssl of this very interpreter, or None where it cannot be reached."""
