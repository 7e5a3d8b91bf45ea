"""The directive ``ssl_conf_command``: OpenSSL's own language, SSL_CONF_cmd(3).

Commands are applied last, so they win over every other directive. What they may not
do is to open what this program keeps closed: renegotiation, compression, and ciphers
without authentication or encryption. That is judged by what a command has brought
about, since the same can be said in several ways.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from ssl import OP_NO_COMPRESSION, OP_NO_RENEGOTIATION, SSLContext

from attrs import evolve, frozen

from mailssl_trio.files import Files
from mailssl_trio.tls.certificates.memory_file import lend
from mailssl_trio.tls.certificates.pairs import Pairs
from mailssl_trio.tls.certificates.pem import (
    ENCRYPTED,
    certificate_problems,
    data_of,
    key_problems,
)
from mailssl_trio.tls.certificates.sources import read
from mailssl_trio.tls.ciphers import is_open
from mailssl_trio.tls.openssl import WHICH_PYTHON, OpenSsl
from mailssl_trio.tls.parameters import dhparam_problems
from mailssl_trio.tls.policy import Pair
from mailssl_trio.tls.problems import TlsProblem

DIRECTIVE = "ssl_conf_command"

OP_ALLOW_CLIENT_RENEGOTIATION = 1 << 8  # openssl/ssl.h
OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION = 1 << 18
CLOSED = OP_NO_RENEGOTIATION | OP_NO_COMPRESSION
OPEN = OP_ALLOW_CLIENT_RENEGOTIATION | OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION

# OpenSSL takes names in any case.
CERTIFICATE, PRIVATE_KEY, DH_PARAMETERS = "certificate", "privatekey", "dhparameters"
CHAIN_CAS = "chaincafile"
OF_CERTIFICATES = frozenset(
    {CERTIFICATE, CHAIN_CAS, "verifycafile", "requestcafile", "clientcafile"}
)
OF_FILES = OF_CERTIFICATES | {PRIVATE_KEY, DH_PARAMETERS, "serverinfofile"}
OF_DIRECTORIES = frozenset(
    {"chaincapath", "verifycapath", "requestcapath", "clientcapath"}
)


@frozen
class Command:
    """A name and its value, as the operator wrote them."""

    name: str
    value: str

    def __str__(self) -> str:
        return f"{self.name} {self.value}"

    @property
    def is_of(self) -> str:
        """What the command is about."""
        return self.name.lower()

    @property
    def path(self) -> Path:
        """The value of a command whose value is a file."""
        return Path(self.value)


def complete_chains(commands: Sequence[tuple[str, str]]) -> bool:
    """Whether OpenSSL is told where to find what a certificate's file lacks."""
    return any(Command(*command).is_of == CHAIN_CAS for command in commands)


def apply_commands(
    context: SSLContext,
    commands: Sequence[tuple[str, str]],
    shown: Sequence[Pair],
    pairs: Pairs,
    openssl: OpenSsl | None,
) -> Iterator[TlsProblem]:
    """Carry out all commands; yield what is wrong with each.

    The first of the pairs shown lends its key to a certificate that names none.
    """
    if commands and openssl is None:
        yield TlsProblem(
            DIRECTIVE,
            "this Python cannot pass commands on to OpenSSL",
            f"leave it out, or use a Python that can: {WHICH_PYTHON}",
        )
    if openssl is None:
        return
    said = [Command(*command) for command in commands]
    problems = tuple(
        problem
        for command in said
        for problem in _command_problems(context, command, pairs.files, openssl)
    )
    called_ours = evolve(pairs, certificate=DIRECTIVE, key=DIRECTIVE)
    yield from problems or (
        problem
        for pair in _pairs_named(said, shown)
        for problem in called_ours.problems(pair, context)
    )


def _command_problems(
    context: SSLContext, command: Command, files: Files, openssl: OpenSsl
) -> Iterator[TlsProblem]:
    problems = tuple(_file_problems(command, files))
    yield from problems or _apply(context, command, files, openssl)


def _file_problems(command: Command, files: Files) -> Iterator[TlsProblem]:
    """Yield what is wrong with the file that a command names."""
    if command.is_of in OF_CERTIFICATES:
        yield from certificate_problems(DIRECTIVE, command.path, files)
    elif command.is_of == PRIVATE_KEY:
        problems = tuple(key_problems(DIRECTIVE, command.path, files))
        yield from problems
        if not problems and ENCRYPTED.search(data_of(command.path, files)):
            yield TlsProblem(
                DIRECTIVE,
                f"the key in {command.path} is encrypted, and OpenSSL would ask the"
                " terminal for its passphrase",
                "name it as ssl_certificate_key, beside an ssl_password_file",
            )
    elif command.is_of == DH_PARAMETERS:
        yield from dhparam_problems(DIRECTIVE, command.path, files)
    elif command.is_of in OF_FILES:
        content = read(DIRECTIVE, command.path, files)
        if isinstance(content, TlsProblem):
            yield content


def _apply(
    context: SSLContext, command: Command, files: Files, openssl: OpenSsl
) -> Iterator[TlsProblem]:
    if command.is_of in OF_DIRECTORIES:
        yield TlsProblem(
            DIRECTIVE,
            f'"{command}" would have OpenSSL read the disk in the midst of handshakes',
            f"put the certificates in one file, for {command.name[:-4]}File",
        )
        return
    if "\0" in str(command):  # the end of all text for OpenSSL
        yield TlsProblem(DIRECTIVE, f"{str(command)!r} is no command", "remove NUL")
        return
    if command.is_of in OF_FILES:
        with lend(data_of(command.path, files)) as file:
            reason = openssl.configure(context, command.name, file)
    else:
        reason = openssl.configure(context, command.name, command.value)
    if reason is not None:
        yield TlsProblem(
            DIRECTIVE,
            f'OpenSSL does not take "{command}" ({reason})',
            "see SSL_CONF_cmd(3) for names and values",
        )
    else:
        yield from _opened(context, command)


def _opened(context: SSLContext, command: Command) -> Iterator[TlsProblem]:
    """Yield what a command has opened that stays closed."""
    if context.options & CLOSED != CLOSED or context.options & OPEN:
        yield TlsProblem(
            DIRECTIVE,
            f'"{command}" would allow clients to renegotiate, or to compress',
            "leave it out: RFC 9325 sections 3.3 and 3.5 say what comes of it",
        )
    if is_open(context):
        yield TlsProblem(
            DIRECTIVE,
            f'"{command}" would allow ciphers without authentication or encryption',
            "add !aNULL:!eNULL to it",
        )


def _pairs_named(commands: Sequence[Command], shown: Sequence[Pair]) -> Iterator[Pair]:
    """Yield each certificate with the key that comes after it, or the first pair's.

    OpenSSL forgets a key that is not the new certificate's, without a word.
    """
    for number, command in enumerate(commands):
        if command.is_of == CERTIFICATE:
            following = (
                later
                for later in commands[number + 1 :]
                if later.is_of in {CERTIFICATE, PRIVATE_KEY}
            )
            after = next(following, None)
            if after is not None and after.is_of == PRIVATE_KEY:
                yield Pair(command.path, after.path)
            elif shown:
                yield Pair(command.path, shown[0].key)
