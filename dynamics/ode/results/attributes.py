"""Facts about a run that are stored with it: plain data, as JSON gives it back, and versions of the software."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from dynamics.validation import shown
from dynamics.workers.one_thread import threads


@cache
def software_versions() -> dict[str, str]:
    """Versions of the distributions that a result rests on."""
    return {name: _version(name) for name in ("luckproof", "numpy", "scipy", "xarray")}


def provenance(device: str = "cpu", **versions: str) -> dict[str, Any]:
    """What a result was made with: ``versions``, ``device``, and ``threads`` of linear algebra, in every file of ours.

    ``versions`` of further software are added to :func:`software_versions`.
    """
    return {"versions": {**software_versions(), **versions}, "device": device, "threads": threads()}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:  # run from a checkout that was never installed
        return "not installed"


def plain(name: str, value: Any) -> Any:
    """``value`` as JSON would give it back: numbers, texts, lists and dictionaries; tuples become lists.

    Raises:
        TypeError: it has no JSON form; the message begins with ``name``.
    """
    try:
        return json.loads(json.dumps(value, default=_json_default))
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name}: expected JSON-able data, got {shown(value)}: {error}") from error


def _json_default(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Enum | Path):
        return str(value)
    raise TypeError(f"type {type(value).__name__} has no JSON form")
