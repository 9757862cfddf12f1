"""JSON that somebody wrote: every key once."""

from __future__ import annotations

import json
from typing import Any


def read_json(text: str) -> Any:
    """What ``text`` says.

    Raises:
        ValueError: no JSON, or an object in which a key stands twice, of which Python's reader would drop the first.
        RecursionError: lists in lists beyond Python's depth.
    """
    return json.loads(text, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the key {name[:60]!r} stands twice")
        found[name] = value
    return found
