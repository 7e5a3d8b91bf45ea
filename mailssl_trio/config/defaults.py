"""Every directive with its default, as a file to take lines from."""

import textwrap
from collections.abc import Iterator

import tomli_w

from mailssl_trio.config.dictionary import MAIL, SERVER, TOP, Entry, dictionary

HEAD = """\
# Every directive, with what it is and its default. A line that begins with "#" and a
# name can be taken as it stands, without the "#"; where there is no default, the line
# begins with "# " and says what belongs there. In brackets: where it may stand, and
# the page that tells more.
"""

WIDTH = 84


def defaults() -> str:
    """Return a configuration that is all comments but for its tables."""
    entries = dictionary()
    blocks = [HEAD]
    blocks += [_block(each) for each in entries if TOP in each.contexts]
    blocks += ["[mail]\n# Here for all servers, or in a [[mail.server]] for itself.\n"]
    blocks += [_block(each) for each in entries if MAIL in each.contexts]
    blocks += ["[[mail.server]]\n"]
    blocks += [_block(each) for each in entries if each.contexts == (SERVER,)]
    return "\n".join(blocks)


def _block(entry: Entry) -> str:
    return "".join(f"{line}\n" for line in _lines(entry))


def _lines(entry: Entry) -> Iterator[str]:
    unset = f" Unset: {entry.unset}." if entry.unset else ""
    said = f"{entry.sentence}{unset}"
    for line in textwrap.wrap(said, WIDTH, break_on_hyphens=False):
        yield f"# {line}"
    yield f"# ({' or '.join(entry.contexts)}; docs/{entry.page})"
    if entry.default is None:
        yield f"# {entry.name} = {entry.form.word}"
    else:
        yield f"#{tomli_w.dumps({entry.name: entry.default}).rstrip()}"
