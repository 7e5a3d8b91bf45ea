"""What CRAM-MD5 and APOP answer: a message identifier that never comes again."""

import secrets
import time


def challenge(server_name: str) -> bytes:
    """Make one, ``<RANDOM.TIME@SERVER_NAME>`` (RFC 2195 section 2).

    Whoever could foretell it could have it answered beforehand, elsewhere.
    """
    return f"<{secrets.randbits(64)}.{int(time.time())}@{server_name}>".encode()
