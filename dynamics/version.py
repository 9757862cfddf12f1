"""The version of this project; its one source is ``pyproject.toml``."""

from __future__ import annotations

import functools
from importlib import metadata
from pathlib import Path


@functools.cache
def project_version() -> str:
    """That of the installed distribution or, in a checkout that was never installed, of its ``pyproject.toml``."""
    try:
        return metadata.version("luckproof")
    except metadata.PackageNotFoundError:
        import tomllib

        project = Path(__file__).parents[1] / "pyproject.toml"
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
