"""The directive ``ssl_protocols``: exactly the versions it names, gaps included."""

from collections.abc import Iterator, Mapping
from ssl import (
    HAS_TLSv1,
    HAS_TLSv1_1,
    HAS_TLSv1_2,
    HAS_TLSv1_3,
    OP_NO_TLSv1,
    OP_NO_TLSv1_1,
    OP_NO_TLSv1_2,
    OP_NO_TLSv1_3,
    SSLContext,
    TLSVersion,
)

from mailssl_trio.tls.openssl import OpenSsl
from mailssl_trio.tls.problems import TlsProblem

DIRECTIVE = "ssl_protocols"

SPOKEN: Mapping[str, bool] = {  # by the OpenSSL that this Python was built with
    "SSLv2": False,  # RFC 6176
    "SSLv3": False,  # RFC 7568
    "TLSv1": HAS_TLSv1,
    "TLSv1.1": HAS_TLSv1_1,
    "TLSv1.2": HAS_TLSv1_2,
    "TLSv1.3": HAS_TLSv1_3,
}
MODERN: Mapping[str, TLSVersion] = {
    "TLSv1.2": TLSVersion.TLSv1_2,
    "TLSv1.3": TLSVersion.TLSv1_3,
}
DEPRECATED = ("TLSv1", "TLSv1.1")  # RFC 8996
WITHOUT: Mapping[str, int] = {
    "TLSv1": OP_NO_TLSv1,
    "TLSv1.1": OP_NO_TLSv1_1,
    "TLSv1.2": OP_NO_TLSv1_2,
    "TLSv1.3": OP_NO_TLSv1_3,
}


def allow_versions(
    context: SSLContext,
    protocols: tuple[str, ...],
    openssl: OpenSsl | None,
    directive: str = DIRECTIVE,
) -> Iterator[TlsProblem]:
    """Let a context speak these versions and no other; yield what prevents it."""
    for word in protocols:
        if word not in SPOKEN:
            known = " ".join(SPOKEN)
            yield TlsProblem(directive, f'unknown protocol "{word}"', f"known: {known}")
    spoken = {word for word in protocols if SPOKEN.get(word)}
    if not spoken:
        yield TlsProblem(
            directive,
            "no protocol is left that OpenSSL can speak",
            'use "TLSv1.2 TLSv1.3"',
        )
    elif spoken <= MODERN.keys():
        context.minimum_version = min(MODERN[word] for word in spoken)
        context.maximum_version = max(MODERN[word] for word in spoken)
    elif openssl is not None:
        context.minimum_version = TLSVersion.MINIMUM_SUPPORTED
        for word in WITHOUT.keys() - spoken:
            openssl.set_options(context, WITHOUT[word])
    else:
        yield TlsProblem(
            directive,
            f"this Python cannot be held to {' '.join(sorted(spoken))}",
            'use "TLSv1.2 TLSv1.3", or a Python that is linked with the system\'s'
            " OpenSSL, such as Debian's python3",
        )


def gap_problems(protocols: tuple[str, ...], directive: str) -> Iterator[TlsProblem]:
    """Yield that a client leaves a gap: it can only offer all up to a version.

    OpenSSL would offer none of those above the gap, without a word. A server has the
    last word about the version, and may have gaps.
    """
    offered = [word for word, spoken in SPOKEN.items() if spoken and word in protocols]
    versions = [word for word, spoken in SPOKEN.items() if spoken]
    if offered:
        first, last = versions.index(offered[0]), versions.index(offered[-1])
        between = [word for word in versions[first:last] if word not in offered]
        if between:
            missing = " and ".join(between)
            yield TlsProblem(
                directive,
                f"a client that speaks {offered[0]} and {offered[-1]} cannot leave"
                f" out {missing}",
                f"add {missing}, or leave out what is older",
            )


def speaks_deprecated(protocols: tuple[str, ...]) -> bool:
    """Whether a version is wanted that OpenSSL 3 speaks at security level 0 only."""
    return any(word in DEPRECATED for word in protocols)


def version_warnings(
    protocols: tuple[str, ...], directive: str = DIRECTIVE
) -> tuple[TlsProblem, ...]:
    """Return what an operator should hear of versions that are accepted."""
    return tuple(_warnings(protocols, directive))


def _warnings(protocols: tuple[str, ...], directive: str) -> Iterator[TlsProblem]:
    for word in protocols:
        if word in DEPRECATED and SPOKEN[word]:
            yield TlsProblem(
                directive,
                f"{word} is deprecated, and lowers OpenSSL's security level to 0",
                "leave it out unless a client that you must serve knows no other",
            )
        elif not SPOKEN.get(word, True):
            yield TlsProblem(
                directive, f"{word} is known, but OpenSSL cannot speak it", "remove it"
            )
