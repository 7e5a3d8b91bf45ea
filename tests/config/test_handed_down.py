"""What was judged once is handed down, and gives the same again without the disk."""

from pathlib import Path

import pytest

from mailssl_trio.config.load import load
from mailssl_trio.config.model import Config
from mailssl_trio.config.problem import ConfigError
from mailssl_trio.files import Files
from tests.config.site import Site

DOCUMENT = """
error_log = "log/mail.log"
pid = "run/mail.pid"
[mail]
users = "users.toml"
ssl_certificate = "development"
[[mail.server]]
listen = "127.0.0.1:143"
starttls = "only"
proxy_pass = "embedded"
"""


@pytest.fixture
def judged(site: Site) -> tuple[Config, Files]:
    """A configuration, and what was read for it."""
    for name in ("log", "run"):
        (site.directory / name).mkdir()
    files = Files()
    site.file.write_text(DOCUMENT)
    return load(site.file, environment={}, files=files), files


def wipe(directory: Path) -> None:
    for file in directory.iterdir():
        if file.is_dir():
            file.rmdir()
        else:
            file.unlink()


def test_all_that_is_named_is_read_through_one_object(
    site: Site, judged: tuple[Config, Files]
) -> None:
    _, files = judged
    assert {path.name for path in files.known} >= {"mail.toml", "users.toml"}


def test_worker_has_the_same_configuration_though_the_disk_is_empty(
    site: Site, judged: tuple[Config, Files]
) -> None:
    config, files = judged
    wipe(site.directory)
    handed_down = Files(files.known, origins=files.origins, on_disk=False)
    again = load(
        site.file,
        state_directory=config.state_directory,
        environment={},
        files=handed_down,
    )
    assert again == config


def test_what_was_not_handed_down_is_missing_though_it_lies_there(
    site: Site, judged: tuple[Config, Files]
) -> None:
    _, files = judged
    known = {path: what for path, what in files.known.items() if path == site.file}
    with pytest.raises(ConfigError) as wrong:
        load(site.file, environment={}, files=Files(known, on_disk=False))
    assert "mail.users" in {problem.path for problem in wrong.value.problems}
