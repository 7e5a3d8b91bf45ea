"""``mailssl-trio completion``: what a shell needs to complete our commands."""

import click
from click.shell_completion import get_completion_class

PROGRAM = "mailssl-trio"
ASKED_BY = "_MAILSSL_TRIO_COMPLETE"
"""The variable by which a shell asks us what may come next."""

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a script by which a shell completes commands, options and files.

    \b
    Example:
      cd ~/.local/share/bash-completion/completions
      mailssl-trio completion bash > mailssl-trio
      mailssl-trio completion zsh > "${fpath[1]}/_mailssl-trio"
      mailssl-trio completion fish > ~/.config/fish/completions/mailssl-trio.fish
    """
    program = context.find_root().command
    kind = get_completion_class(shell)
    assert kind is not None, "click knows each of SHELLS"
    click.echo(kind(program, {}, PROGRAM, ASKED_BY).source())
