"""A group of commands in which a file name means the command ``serve``.

A command's file is imported when it is the one that is meant: who asks who is here need
not wait for all that it takes to serve.
"""

import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import click
from click.shell_completion import CompletionItem

DEFAULT = "serve"


class CommandOrFile(click.Group):
    """Takes ``FILE`` for ``serve FILE``; has the commands of these names."""

    def __init__(self, *args: Any, names: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.names = names

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return their names, in their order."""
        return [*self.names, *self.commands]

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return what the file of this name has under it."""
        if cmd_name not in self.names:
            return self.commands.get(cmd_name)
        name = cmd_name.replace("-", "_")
        command = getattr(import_module(f"{__package__}.{name}"), name)
        return cast("click.Command", command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Put the default command before what is a file and not a command."""
        if DEFAULT in self.list_commands(ctx) and self._means_file(ctx, args[0]):
            args = [DEFAULT, *args]
        return super().resolve_command(ctx, args)

    def shell_complete(
        self, ctx: click.Context, incomplete: str
    ) -> list[CompletionItem]:
        """Offer files where no command begins so."""
        commands = super().shell_complete(ctx, incomplete)
        return commands or [CompletionItem(incomplete, type="file")]

    def _means_file(self, ctx: click.Context, word: str) -> bool:
        """A mistyped command should not become a file that is missing."""
        looks_like_one = os.sep in word or word.endswith((".toml", ".conf"))
        is_command = word in self.list_commands(ctx)
        return not is_command and (looks_like_one or Path(word).exists())
