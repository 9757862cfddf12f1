"""Checkpoints of our own runs: named tensors and the settings they belong to, in one safetensors file."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

FORMAT = "luckproof checkpoint 1"


class CheckpointError(ValueError):
    """A file is no checkpoint of this run."""


@dataclass(frozen=True)
class Checkpoint:
    """Where a run is: its ``tensors`` by name, its ``settings`` (plain JSON), and ``position``, the epochs done."""

    tensors: Mapping[str, Tensor]
    settings: Mapping[str, Any]
    position: int

    def save(self, path: str | PathLike[str]) -> None:
        """Write under a temporary name, then rename: a reader sees the old file or the new one.

        Raises ValueError where the folder does not exist.
        """
        target = Path(path)
        if not target.parent.is_dir():
            raise ValueError(f"checkpoint: the folder {str(target.parent)!r} does not exist")
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
        facts = {
            "format": FORMAT,
            "settings": json.dumps(self.settings, sort_keys=True),
            "position": str(self.position),
        }
        try:
            save_file(
                {name: value.detach().contiguous() for name, value in self.tensors.items()}, temporary, facts
            )
            with open(temporary, "r+b") as file:
                os.fsync(file.fileno())  # the rename must not reach the disk before the data
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | PathLike[str], settings: Mapping[str, Any] | None = None) -> Checkpoint:
        """Read a file that :meth:`save` wrote.

        Args:
            path: the file.
            settings: those of the run that is to go on; None takes any.
        Raises:
            CheckpointError: it cannot be read, is no checkpoint, or is of other settings (naming the first that
                differs).
        """
        try:
            with safe_open(path, framework="pt") as file:
                facts = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
        except (OSError, SafetensorError) as error:
            raise CheckpointError(f"checkpoint: cannot read {str(path)!r}: {error}") from error
        if facts.get("format") != FORMAT:
            raise CheckpointError(f"checkpoint: {str(path)!r} is not one of luckproof's training runs")
        held = json.loads(facts["settings"])
        if settings is not None:
            _require_equal(str(path), held, json.loads(json.dumps(settings)))
        return cls(tensors, held, int(facts["position"]))


def _require_equal(path: str, held: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for name in sorted(held.keys() | wanted.keys()):
        if held.get(name) != wanted.get(name):
            raise CheckpointError(
                f"checkpoint: {path!r} is of another run: its {name} is {_short(held.get(name))}, "
                f"expected {_short(wanted.get(name))}"
            )


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 160 else text[:157] + "..."


def copy_into(target: Mapping[str, Tensor], source: Mapping[str, Tensor], prefix: str) -> None:
    """Overwrite every tensor of ``target`` with the one of ``source`` called ``prefix`` + its name."""
    with torch.no_grad():
        for name, value in target.items():
            value.copy_(source[prefix + name])
