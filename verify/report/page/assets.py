"""The page's style sheets and scripts, which stand beside it as files and are written into it."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from markupsafe import Markup

FOLDER = Path(__file__).parent
STYLES = ("page.css", "findings.css", "items.css", "chapter.css", "narrow.css", "print.css")
"""In the order in which they are read: later ones alter earlier ones."""

SCRIPTS = ("items.js", "filters.js", "copying.js")


def styles() -> Markup:
    """All style sheets; they are ours and hold no word of a verdict."""
    return _joined("styles", STYLES)


def script() -> Markup:
    """All scripts; the page reads well without them."""
    return _joined("scripts", SCRIPTS)


def script_hash() -> str:
    """What the page's policy allows to run, and nothing else: ``sha256-...`` of the script's text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(str(script()).encode()).digest()).decode("ascii")


def _joined(folder: str, names: tuple[str, ...]) -> Markup:
    return Markup("\n".join((FOLDER / folder / name).read_text(encoding="utf-8") for name in names))
