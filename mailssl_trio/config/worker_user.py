"""The directive ``user``: who the workers are, where root has started us."""

import grp
import os
import pwd
from typing import Annotated, TypeAlias

from attrs import frozen

from mailssl_trio.config.problem import Report
from mailssl_trio.config.values import WrongValueError, shown, text

PLACE = ("user",)


@frozen
class Names:
    """A user and perhaps a group, by name."""

    user: str
    group: str | None = None

    def __str__(self) -> str:
        return " ".join(filter(None, (self.user, self.group)))


@frozen
class WorkerUser:
    """A user as the system knows him."""

    names: Names
    uid: int
    gid: int
    groups: tuple[int, ...]
    """All of his groups, as initgroups(3) has it."""


def names(value: object) -> Names:
    """Read ``NAME [GROUP]``, or an array of the two."""
    words = value if isinstance(value, list) else text(value).split()
    match [word for word in words if isinstance(word, str) and word]:
        case [user] if len(words) == 1:
            return Names(user)
        case [user, group] if len(words) == 2:
            return Names(user, group)
    raise WrongValueError(
        f"{shown(value)} names no user", 'write "NAME" or "NAME GROUP"'
    )


def worker_user(
    named: Names | None, report: Report, *, is_root: bool | None = None
) -> WorkerUser | None:
    """Return who the workers are; None if they are who we are.

    As in nginx, only root can have them be somebody else; who is not, is told so.
    """
    if named is None:
        return None
    if not (os.geteuid() == 0 if is_root is None else is_root):
        report.warning(
            PLACE,
            "only root can start workers as somebody else: ignored",
            "leave it out",
        )
        return None
    try:
        return _known(named)
    except KeyError:
        report.error(
            PLACE, f"there is no user {shown(named.user)}", "make one: adduser"
        )
    except LookupError:
        text = f"there is no group {shown(named.group)}"
        report.error(PLACE, text, "make one: addgroup")
    return None


class _NoGroupError(LookupError):
    """There is no such group."""


def _known(named: Names) -> WorkerUser:
    """Look the names up. Raises KeyError for the user, LookupError for the group."""
    found = pwd.getpwnam(named.user)
    gid = found.pw_gid
    if named.group is not None:
        try:
            gid = grp.getgrnam(named.group).gr_gid
        except KeyError:
            raise _NoGroupError from None
    groups = tuple(os.getgrouplist(found.pw_name, gid))
    return WorkerUser(named, found.pw_uid, gid, groups)


UserNames: TypeAlias = Annotated[Names, names]
