"""Reading a users file: strictly, and with every mistake named at once."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from stat import S_IRWXO
from typing import NoReturn

from mailssl_trio.auth.user_tables import UsersProblem, UserTables
from mailssl_trio.auth.users import Users
from mailssl_trio.files import Files

SYNTAX_PLACE = re.compile(r" \(at line (\d+), column \d+\)")


class UsersFileError(Exception):
    """The users file cannot be used."""

    def __init__(self, problems: tuple[UsersProblem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def read_users(file: Path, files: Files | None = None) -> Users:
    """Read a users file, or raise UsersFileError with all that is wrong with it."""
    files = Files() if files is None else files
    try:
        content = files.read(file)
        users = parse_users(tomllib.loads(content.data.decode()))
    except OSError as failure:
        _refuse(
            f"cannot be opened: {failure.strerror or failure}",
            "name a file that this user may read",
            denied=isinstance(failure, PermissionError),
        )
    except UnicodeDecodeError:
        _refuse("not UTF-8", "TOML is always UTF-8")
    except (ValueError, RecursionError) as failure:
        place = SYNTAX_PLACE.search(str(failure))
        _refuse(
            f"not TOML: {SYNTAX_PLACE.sub('', str(failure))}",
            'a user begins with a line like ["alice@example.org"]',
            line=int(place[1]) if place else None,
        )
    if content.mode & S_IRWXO and any(
        user.upstream_password for user in users.everybody
    ):
        _refuse(
            f"the passwords in it are open to every user (mode {content.mode:04o})",
            f"chmod o= {file}",
        )
    return users


def parse_users(tables: Mapping[str, object]) -> Users:
    """Make users of what TOML says, or raise UsersFileError."""
    if not tables:
        _refuse("no users", 'add one: ["alice@example.org"], password = "$scrypt$…"')
    reading = UserTables()
    users = [reading.user(name, entry) for name, entry in tables.items()]
    if reading.problems:
        raise UsersFileError(tuple(reading.problems))
    return Users(tuple(user for user in users if user is not None))


def _refuse(
    text: str, remedy: str, *, line: int | None = None, denied: bool = False
) -> NoReturn:
    problem = UsersProblem((), text, remedy, line, denied)
    raise UsersFileError((problem,)) from None
