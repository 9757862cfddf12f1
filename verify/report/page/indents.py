"""The page without the indents of its templates, which a reader never sees and a large page carries."""

from __future__ import annotations

import re

_KEPT = re.compile(r"(<pre.*?</pre>|<script>.*?</script>|<style>.*?</style>)", re.DOTALL)


def without_indents(html: str) -> str:
    """``html`` with lines that begin where they begin to say something; preformatted text and scripts as they are."""
    parts = _KEPT.split(html)
    parts[::2] = [re.sub(r"\n\s+", "\n", part) for part in parts[::2]]
    return "".join(parts)
