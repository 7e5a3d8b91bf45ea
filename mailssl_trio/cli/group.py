"""A group of commands in which a file name means the command ``serve``."""

import os
from pathlib import Path

import click
from click.shell_completion import CompletionItem

DEFAULT = "serve"


class CommandOrFile(click.Group):
    """Takes ``FILE`` for ``serve FILE``."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Put the default command before what is a file and not a command."""
        if DEFAULT in self.commands and self._means_file(args[0]):
            args = [DEFAULT, *args]
        return super().resolve_command(ctx, args)

    def shell_complete(
        self, ctx: click.Context, incomplete: str
    ) -> list[CompletionItem]:
        """Offer files where no command begins so."""
        commands = super().shell_complete(ctx, incomplete)
        return commands or [CompletionItem(incomplete, type="file")]

    def _means_file(self, word: str) -> bool:
        """A mistyped command should not become a file that is missing."""
        looks_like_one = os.sep in word or word.endswith((".toml", ".conf"))
        return word not in self.commands and (looks_like_one or Path(word).exists())
