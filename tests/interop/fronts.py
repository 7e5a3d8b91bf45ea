"""Which gateways a test is played through."""

import pytest

from tests.interop.backends import PROXY_SSL

FRONTS = ("embedded", *PROXY_SSL)

each_way = pytest.mark.parametrize(
    ("doors", "security"),
    [
        ("embedded", "starttls"),
        ("embedded", "tls"),
        ("off", "starttls"),
        ("on", "tls"),
        ("starttls", "starttls"),
    ],
    indirect=True,
)
"""Play a test through every front and every security, but not through all pairs."""
