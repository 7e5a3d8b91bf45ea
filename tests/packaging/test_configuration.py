"""The configuration of the package and of the container: right, and safe as it is."""

import re
from pathlib import Path

import pytest

from mailssl_trio.config.load import load
from mailssl_trio.protocol.server_session import StartTlsMode
from tests.config.site import misfits

FILE = Path(__file__).parents[2] / "conf" / "etc" / "mail.toml"

COMMENTED = re.compile(r"^#(?=\[|[a-z_]+ = )", re.MULTILINE)

ALTERNATIVES = (
    "auth_http",
    "ssl_certificate",
    "ssl_certificate_key",
    "error_log",
    "access_log",
)
"""Comments that take the place of a line above, or need a directory of the package."""


def test_it_is_right_and_nothing_in_it_is_doubtful() -> None:
    assert load(FILE, environment={}).warnings == ()


def test_nobody_logs_in_without_tls() -> None:
    for server in load(FILE, environment={}).servers:
        for listen in server.listens:
            assert listen.ssl or server.policy.starttls is StartTlsMode.ONLY


def test_backend_must_show_a_certificate_that_holds() -> None:
    for server in load(FILE, environment={}).servers:
        assert server.upstream is not None
        assert server.upstream.tls.verify


def with_comments_taken_up(*wanted: str) -> str:
    """Uncomment everything but alternatives, and of these what is wanted."""
    return "\n".join(
        line.removeprefix("#") if _is_taken(line, wanted) else line
        for line in FILE.read_text().splitlines()
        if not _is_replaced(line, wanted)
    )


def _is_taken(line: str, wanted: tuple[str, ...]) -> bool:
    name = line.removeprefix("#").partition(" = ")[0]
    may_be = name not in ALTERNATIVES or name in wanted
    return may_be and COMMENTED.match(line) is not None


def _is_replaced(line: str, wanted: tuple[str, ...]) -> bool:
    name = line.partition(" = ")[0]
    return name in wanted or (name == "proxy_pass" and "auth_http" in wanted)


@pytest.mark.parametrize("wanted", [(), ("auth_http",)])
def test_comments_can_be_taken_up(tmp_path: Path, wanted: tuple[str, ...]) -> None:
    text = with_comments_taken_up(*wanted)
    assert misfits(text) == []
    file = tmp_path / "mail.toml"
    file.write_text(text)
    load(file, environment={})
