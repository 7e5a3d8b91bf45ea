"""All accounts, and the way to them."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from attrs import field, frozen

from mailssl_trio.mailbox.account import Account
from mailssl_trio.mailbox.disk import Disk

Users = Callable[[], Awaitable[frozenset[bytes]]]
"""Asks which addresses are local, in lower case."""


@frozen
class Store:
    """Where the mail of all users is."""

    directory: Path
    server_name: str
    disk: Disk = field(factory=Disk)

    async def open(self, user: bytes) -> Account:
        """Return a user's account, made at the first time; BadNameError for none."""
        return await self.disk.run(self._open, user)

    def _open(self, user: bytes) -> Account:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        account = Account.open(self.directory, user, self.server_name)
        account.sweep()
        return account
