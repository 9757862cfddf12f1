"""The catalogues of statements and figures, written again from the things themselves.

``python -m verify.command.catalogues`` writes both. Needed after a statement's header, a figure's name or a title has
changed; until then lists are right but slow.
"""

from __future__ import annotations

import sys
from pathlib import Path

from dynamics.files.writing import write_atomically
from verify.figures import registry as figures
from verify.judging import registry as statements
from verify.judging.catalogue import STATEMENTS


def catalogues() -> dict[Path, str]:
    """The text of each catalogue by path."""
    entries = [entry.record() for entry in statements.registered_entries().values()]
    pictures = [{"name": name, "title": figure.title} for name, figure in figures.figures().items()]
    return {
        STATEMENTS.file: STATEMENTS.content(entries),
        figures.FIGURES.file: figures.FIGURES.content(pictures),
    }


def main() -> int:
    """Write both."""
    for path, text in catalogues().items():
        write_atomically(path, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
