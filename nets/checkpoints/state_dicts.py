"""Tensors by name out of a checkpoint file, without running anything that the file may hold."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

WRAPPERS = (
    "state_dict",
    "model_state_dict",
    "model",
    "net",
    "network",
    "module",
    "state_dict_ema",
    "model_ema",
)
"""Keys under which training scripts keep a network beside other things, the likeliest first."""


def read_state_dict(path: str | Path) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint by name, read without running anything that the file may hold.

    A ``.safetensors`` file is read as such, any other as one that ``torch.save`` wrote, by
    ``torch.load(weights_only=True)``: where its pickle asks for more than tensors and plain containers it is refused.
    A network under one of ``WRAPPERS`` is unwrapped; entries that are no tensors (epoch, settings) are left out.

    Args:
        path: the file.
    Returns:
        Tensors in the order of the file, which in a torch file is that of the layers. A safetensors file is sorted by
        type and name; there they are put in natural order (``features.2`` before ``features.10``).
    Raises:
        ValueError: in one line that names the file: it is missing, a folder, damaged, no state dict, or needs code to
            be read.
    """
    file = Path(path)
    if file.is_dir():
        raise ValueError(f"{file}: expected a checkpoint file, got a folder")
    if not file.is_file():
        raise ValueError(f"{file}: no such file")
    if file.suffix == ".safetensors":
        return _read_safetensors(file)
    content = _unwrapped(_read_torch(file))
    tensors = {str(name): value for name, value in content.items() if isinstance(value, torch.Tensor)}
    if not tensors:
        raise ValueError(f"{file}: expected tensors by name (a state dict), got {_outline(content)}")
    return tensors


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """A key that sorts the numbers in a name by size."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name))


def _read_safetensors(file: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(file)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{file}: cannot be read as safetensors: {error}") from error
    return dict(sorted(tensors.items(), key=lambda item: natural(item[0])))


def _read_torch(file: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # about old layouts and foreign pickles, which are read or refused below
            return torch.load(file, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        asked = re.search(r"GLOBAL (\S+)", str(error))
        if asked is None:
            raise ValueError(
                f"{file}: cannot be read as tensors alone: it is no torch file, or one whose reading could run code"
            ) from error
        raise ValueError(
            f"{file}: refused, it asks for {asked[1]}, which could run code; save model.state_dict() alone"
        ) from error
    except Exception as error:
        # A damaged file raises whatever torch's parsers meet: KeyError, EOFError, RuntimeError.
        detail = str(error).split("\n")[0].split(". ")[0]
        raise ValueError(
            f"{file}: cannot be read as a torch file: {type(error).__name__} {detail}"
        ) from error


def _unwrapped(content: Any) -> Mapping[Any, Any]:
    """The mapping that holds the tensors; anything else as an empty one."""
    while isinstance(content, Mapping):
        inner = next((content[key] for key in WRAPPERS if isinstance(content.get(key), Mapping)), None)
        if inner is None or any(isinstance(value, torch.Tensor) for value in content.values()):
            return content
        content = inner
    return {type(content).__name__: None}


def _outline(content: Mapping[Any, Any]) -> str:
    names = [str(name) for name in content]
    return ", ".join(names[:4]) + (" and more" if len(names) > 4 else "") if names else "nothing"
