"""The points of a sweep: their options in full, and the key under which each is kept."""

from __future__ import annotations

import functools
import hashlib
import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynamics.version import project_version
from verify.sweeps.commands import COMMANDS, resolved, run_options_of
from verify.sweeps.configuration import Configuration

KEY_LENGTH = 24
"""Hexadecimal digits of a key: 96 bits, no two of which are ever the same by chance."""


@functools.cache
def code_version(command: str) -> str:
    """The version of the project and a hash of the source that the command's runs rest on."""
    found = hashlib.sha256()
    for package in COMMANDS[command].packages:
        root = Path(str(importlib.import_module(package).__file__)).parent
        for path in sorted([*root.rglob("*.py"), *root.rglob("*.json")]):
            found.update(f"{path.relative_to(root).as_posix()}\0".encode())
            found.update(path.read_bytes())
    return f"{project_version()}+{found.hexdigest()[:12]}"


@dataclass(frozen=True)
class Point:
    """One run of a sweep: its number, every option, and the key made of these and the code."""

    number: int
    options: Mapping[str, Any]
    key: str


@dataclass(frozen=True)
class Points:
    """All points of a configuration under one version of the code; each is worked out when asked for."""

    configuration: Configuration
    code: str

    def __len__(self) -> int:
        return self.configuration.size

    def __getitem__(self, number: int) -> Point:
        """Point ``number``; raises ValueError naming the option and the point where options do not go together."""
        chosen = self.configuration.chosen(number)
        try:
            given = {**self.configuration.base, **chosen}
            options = resolved(run_options_of(self.configuration.command, given, planned=True))
        except (ValueError, TypeError) as error:
            where = ", ".join(f"{name} = {value}" for name, value in chosen.items()) or "the base alone"
            raise ValueError(f"{error} (at the point {where})") from error
        return Point(number, options, self._key(options))

    def _key(self, options: Mapping[str, Any]) -> str:
        content = [self.configuration.command, options, self.code]
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]
