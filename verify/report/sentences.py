"""Words of a statement as a sentence of a page."""

from __future__ import annotations

import re


def sentence(text: str) -> str:
    """``text`` as one: a capital where a word opens it, no symbol, and a full stop."""
    word = re.match(r"(?!sin |cos )([a-z]{2}|a )", text)
    return (text[:1].upper() + text[1:] if word else text).rstrip(".") + "."
