"""Named lines as an interactive session shows them: a few, cut to a screen, and a table in a notebook."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

LONGEST = 110
"""Characters of one line."""


def as_text(title: str, lines: Iterable[tuple[str, str]]) -> str:
    """The lines under the title, each cut to fit a screen."""
    told = [f"{name}: {' '.join(words.split())}" for name, words in lines]
    cut = [line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…" for line in told]
    return "\n  ".join([title, *cut])


def as_html(title: str, lines: Iterable[tuple[str, str]]) -> str:
    """The lines whole, as a table; everything that was written by someone is escaped."""
    rows = "".join(
        f'<tr><th scope="row" style="text-align: left; vertical-align: top">{escape(name)}</th>'
        f'<td style="text-align: left">{escape(words)}</td></tr>'
        for name, words in lines
    )
    return f'<table><caption style="text-align: left"><b>{escape(title)}</b></caption><tbody>{rows}</tbody></table>'
