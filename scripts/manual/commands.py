"""mailssl-trio(1): what `--help` says, of every command."""

import re
from collections.abc import Iterable

import click
import markdown
import roff

from mailssl_trio.cli import main
from mailssl_trio.cli.completion import PROGRAM

PURPOSE = "stand in front of mail servers: TLS, STARTTLS and authentication"

FILES = {
    "/etc/mailssl-trio/mail.toml": "The configuration that the service serves.",
    "conf/mail.toml": "The configuration of `serve --example`, in the sources.",
}


def page(date: str) -> roff.Lines:
    """Write the whole page."""
    root = click.Context(main, info_name=PROGRAM)
    yield from roff.heading(PROGRAM, date, 1, "User Commands")
    yield from roff.section("Name")
    yield rf"{roff.escape(PROGRAM)} \- {roff.prose(PURPOSE)}"
    yield from roff.section("Synopsis")
    yield rf"\fB{roff.escape(PROGRAM)}\fR [\fICOMMAND\fR] [\fIOPTION\fR]..."
    yield from roff.section("Description")
    yield from _help(main)
    yield from _options(main, root)
    yield from roff.section("Commands")
    for name in main.list_commands(root):
        command = main.get_command(root, name)
        if not command.hidden:
            yield from _command(command, click.Context(command, root, name))
    running = markdown.sections("running.md")
    for title in ("Signals", "Exit codes"):
        yield from roff.section(title)
        yield from markdown.blocks(running[title])
    yield from roff.section("Files")
    for file, meaning in FILES.items():
        yield from roff.tagged(rf"\fI{roff.escape(file)}\fR", meaning)
    yield from roff.section("See also")
    yield r"\fBmail.toml\fR(5), \fBmailssl\-auth\-http\fR(7),"
    yield r"/usr/share/doc/mailssl\-trio"


def _command(command: click.Command, context: click.Context) -> roff.Lines:
    usage = " ".join([context.info_name or "", *command.collect_usage_pieces(context)])
    yield from roff.subsection(usage)
    yield from _help(command)
    yield from _options(command, context)


def _help(command: click.Command) -> roff.Lines:
    """Set a help text, in which a \\b keeps the lines of its paragraph."""
    for each in re.split(r"\n\s*\n", (command.help or "").strip()):
        block = each.strip("\n")
        if block.lstrip().startswith("\b"):
            yield from _kept(block.lstrip().removeprefix("\b").strip("\n").splitlines())
        else:
            yield from roff.paragraph(" ".join(block.split()))


def _kept(lines: Iterable[str]) -> roff.Lines:
    title, *rest = lines
    yield from roff.paragraph(title.strip())
    yield from roff.example(each.strip() for each in rest)


def _options(command: click.Command, context: click.Context) -> roff.Lines:
    for parameter in command.get_params(context):
        names, meaning = parameter.get_help_record(context) or ("", "")
        if meaning:
            yield from roff.tagged(rf"\fB{roff.escape(names)}\fR", meaning)
