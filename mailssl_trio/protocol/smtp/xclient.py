"""XCLIENT, by which Postfix and others are told whom we speak for.

The name is Postfix's, and so is its description: XCLIENT_README.
"""

import re

from mailssl_trio.protocol.introduction import UNIX_CLIENT, Introduction

NOT_PRINTED = re.compile(rb"[^!-~]|[+=]")


def xclient(client: Introduction, login: bytes = b"") -> bytes:
    """Return the command; ``login`` says who has logged in, where that is known."""
    address = client.client.partition("%")[0]  # whose zone is ours alone
    if ":" in address and address != UNIX_CLIENT:
        address = f"IPV6:{address}"
    attributes = [b"ADDR=" + xtext(address.encode())]
    if login:
        attributes.append(b"LOGIN=" + xtext(login))
    attributes.append(b"NAME=" + xtext(client.host.encode()))
    return b"XCLIENT " + b" ".join(attributes) + b"\r\n"


def xtext(octets: bytes) -> bytes:
    """Write octets so that none ends a word (RFC 3461 section 4)."""
    return NOT_PRINTED.sub(lambda octet: b"+%02X" % ord(octet[0]), octets)
