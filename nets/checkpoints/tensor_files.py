"""Checkpoints of our own runs: named tensors and the settings they belong to, in one safetensors file."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from dynamics.files.checksums import DamagedFileError
from dynamics.files.netcdf import UncheckedFileWarning
from dynamics.files.places import check_readable, check_writable
from dynamics.files.writing import write_atomically
from dynamics.ode.results.attributes import software_versions
from nets.checkpoints.tensor_checksums import KEY, sealed, verify_checksum

FORMAT = "luckproof checkpoint 2"
FORMAT_WITHOUT_CHECKSUM = "luckproof checkpoint 1"
"""The format before; still read, with a warning."""


class CheckpointError(ValueError):
    """A file is no checkpoint of this run."""


class DamagedCheckpointError(CheckpointError, DamagedFileError):
    """A checkpoint is not as it was written."""


@dataclass(frozen=True)
class Checkpoint:
    """Where a run is: its ``tensors`` by name, its ``settings`` (plain JSON), and ``position``, the epochs done."""

    tensors: Mapping[str, Tensor]
    settings: Mapping[str, Any]
    position: int

    def save(self, path: str | PathLike[str]) -> None:
        """Write with a checksum and in one step: a reader sees the old file or the new one.

        Memory: once more the size of the tensors. Raises ValueError where nothing can be written at ``path``, OSError
        where the disk is full; an older file is then untouched.
        """
        check_writable("checkpoint", path)
        facts = {
            "format": FORMAT,
            "settings": json.dumps(self.settings, sort_keys=True),
            "position": str(self.position),
            "versions": json.dumps({**software_versions(), "torch": torch.__version__}),
        }
        tensors = {name: value.detach().contiguous() for name, value in self.tensors.items()}
        write_atomically(path, sealed(tensors, facts), "checkpoint")

    @classmethod
    def load(cls, path: str | PathLike[str], settings: Mapping[str, Any] | None = None) -> Checkpoint:
        """Read a file that :meth:`save` wrote.

        Args:
            path: the file.
            settings: those of the run that is to go on; None takes any.
        Raises:
            CheckpointError: it cannot be read, is damaged, is no checkpoint, or is of other settings (naming the first
                that differs).
        """
        facts, tensors = _read(path)
        held = json.loads(facts["settings"])
        if settings is not None:
            _require_equal(str(path), held, json.loads(json.dumps(settings)))
        return cls(tensors, held, int(facts["position"]))


def _read(path: str | PathLike[str]) -> tuple[dict[str, str], dict[str, Tensor]]:
    """The texts and tensors of a checkpoint, once its checksum is found right."""
    try:
        with safe_open(check_readable("checkpoint", path), framework="pt") as file:
            facts = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except (OSError, ValueError, TypeError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(f"checkpoint: cannot read {str(path)!r}: {error}") from error
    if facts.get("format") not in (FORMAT, FORMAT_WITHOUT_CHECKSUM):
        raise CheckpointError(f"checkpoint: {str(path)!r} is not one of luckproof's training runs")
    if facts["format"] == FORMAT_WITHOUT_CHECKSUM and KEY not in facts:
        warnings.warn(
            f"{path} carries no checksum of luckproof's: damage to it could not be seen",
            UncheckedFileWarning,
            stacklevel=3,
        )
    else:
        try:
            verify_checksum(repr(str(path)), tensors, facts, required=True)
        except DamagedFileError as error:
            raise DamagedCheckpointError(f"checkpoint: {error}") from error
    return facts, tensors


def _require_equal(path: str, held: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for name in sorted(held.keys() | wanted.keys()):
        if name not in held or name not in wanted or held[name] != wanted[name]:
            raise CheckpointError(
                f"checkpoint: {path!r} is of another run: its {name} is {_short(held, name)}, "
                f"expected {_short(wanted, name)}"
            )


def _short(settings: Mapping[str, Any], name: str) -> str:
    text = json.dumps(settings[name]) if name in settings else "not stated"
    return text if len(text) <= 160 else text[:157] + "..."


def copy_into(target: Mapping[str, Tensor], source: Mapping[str, Tensor], prefix: str) -> None:
    """Overwrite every tensor of ``target`` with the one of ``source`` called ``prefix`` + its name."""
    with torch.no_grad():
        for name, value in target.items():
            value.copy_(source[prefix + name])
