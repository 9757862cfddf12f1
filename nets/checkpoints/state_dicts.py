"""Tensors by name out of a checkpoint file, without running anything that the file may hold."""

from __future__ import annotations

import os
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch

from dynamics.boundary import checked
from dynamics.files.places import check_readable
from dynamics.memory import GIB, available_memory
from nets.checkpoints.tensor_checksums import KEY, verify_checksum

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

_ARCHIVE = b"PK\x03\x04"
"""The first bytes of a zip archive, which torch writes."""

_DEEPEST = 8
"""How deep a network may lie in a file."""


@checked
def read_state_dict(path: str | Path) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint by name, read without running anything that the file may hold.

    A ``.safetensors`` file is read as such, any other as one that ``torch.save`` wrote, by
    ``torch.load(weights_only=True)``: where its pickle asks for more than tensors and plain containers it is refused.
    A network under one of ``WRAPPERS``, or first in a list, is unwrapped, whatever stands beside it; entries that are
    no tensors (epoch, settings) are left out. :func:`nets.checkpoints.found_networks.networks_in` finds all networks.

    Args:
        path: the file.
    Returns:
        Tensors in the order of the file, which in a torch file is that of the layers. A safetensors file is sorted by
        type and name; there they are put in natural order (``features.2`` before ``features.10``).
    Raises:
        ValueError: in one line that names the file: it is missing, a folder, damaged, no state dict, or needs code to
            be read.
    """
    if not str(path):
        raise ValueError("path: expected a file, got ''")
    file = Path(path)
    content = _unwrapped(read_content(file))
    tensors = {str(name): value for name, value in content.items() if isinstance(value, torch.Tensor)}
    if not tensors:
        raise ValueError(f"{file}: expected tensors by name (a state dict), got {_outline(content)}")
    return tensors


def read_content(path: str | Path) -> Any:
    """What a checkpoint file holds, nested as it is there; see :func:`read_state_dict`, whose errors it raises."""
    file = Path(path)
    if os.path.isdir(file):
        raise ValueError(f"{file}: expected a checkpoint file, got a folder")
    try:
        check_readable("", file)
    except ValueError as error:
        raise ValueError(str(error).removeprefix(": ")) from error
    _check_fits(file, file.stat().st_size)
    return _read_safetensors(file) if file.suffix == ".safetensors" else _read_torch(file)


def has_checksum(path: str | Path) -> bool:
    """Whether a checkpoint file that could be read carries checksums, which reading it then found right."""
    from safetensors import safe_open

    file = Path(path)
    if file.suffix == ".safetensors":
        with safe_open(file, framework="pt") as found:
            return KEY in (found.metadata() or {})
    if not zipfile.is_zipfile(file):
        return False
    with zipfile.ZipFile(file) as archive:
        return any(entry.CRC for entry in archive.infolist())


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """A key that sorts the numbers in a name by size."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name))


def _read_safetensors(file: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="pt") as found:
            facts = found.metadata() or {}
            tensors = {name: found.get_tensor(name) for name in found.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, OSError, ValueError, TypeError, RuntimeError) as error:
        raise ValueError(f"{file}: cannot be read as safetensors: {error}") from error
    verify_checksum(str(file), tensors, facts)
    return dict(sorted(tensors.items(), key=lambda item: natural(item[0])))


def _read_torch(file: Path) -> Any:
    _check_archive(file)
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(_PLAIN):
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


def _numpy_names() -> list[type | tuple[Callable[..., Any], str]]:
    """What a pickle of NumPy's numbers and arrays asks for: the state of a random generator, the best accuracy."""
    dtypes = [kind for name, kind in vars(np.dtypes).items() if name.endswith("DType") and kind is not None]
    found: list[Any] = [np.ndarray, np.dtype]
    found += [kind for kind in dtypes if kind is not np.dtypes.ObjectDType]
    makers = {"scalar": np.float64(0.0).__reduce__()[0], "_reconstruct": np.zeros(1).__reduce__()[0]}
    for module in ("numpy.core.multiarray", "numpy._core.multiarray"):  # before NumPy 2, and since
        found += [(make, f"{module}.{name}") for name, make in makers.items()]
    return found


_PLAIN: list[Any] = _numpy_names()


def _check_archive(file: Path) -> None:
    """Compare the checksums that a zip archive carries; torch itself does not look at them.

    Archives written without checksums have 0 in their place. An archive that Python's reader cannot follow, as torch's
    own may, is refused: nobody could say that its numbers are those that were written.
    """
    with open(file, "rb") as content:
        if content.read(4) != _ARCHIVE:
            return  # another format, or one that torch refuses below
    try:
        with zipfile.ZipFile(file) as archive:
            _check_fits(file, sum(entry.file_size for entry in archive.infolist()))
            for entry in archive.infolist():
                if entry.CRC:
                    with archive.open(entry) as part:
                        while part.read(1 << 20):
                            pass
    except (
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        RuntimeError,
        NotImplementedError,
        EOFError,
        UnicodeDecodeError,
    ) as error:
        what = "damaged" if "CRC" in str(error) else "cannot be read as a torch file"
        raise ValueError(f"{file}: {what}, {error}; take it from a copy or download it again") from error


def _check_fits(file: Path, size: int) -> None:
    """Refuse a file that unpacks to more than the memory holds."""
    available = available_memory()
    if size > available:
        raise ValueError(
            f"{file}: holds {size / GIB:.3g} GiB, and {available / GIB:.3g} GiB of memory are available"
        )


def _unwrapped(content: Any) -> Mapping[Any, Any]:
    """The mapping that holds the tensors; anything else as an empty one."""
    for _ in range(_DEEPEST):
        if isinstance(content, list | tuple) and content and _holds_tensors(content[0]):
            content = content[0]
        if not isinstance(content, Mapping):
            break
        inner = next((content[key] for key in WRAPPERS if _holds_tensors(content.get(key))), None)
        if inner is None:
            return content
        content = inner
    return {type(content).__name__: None}


def _holds_tensors(content: Any, depth: int = _DEEPEST) -> bool:
    """Whether ``content`` is a mapping with tensors, or a wrapper around one."""
    if not isinstance(content, Mapping) or depth == 0:
        return False
    if any(isinstance(value, torch.Tensor) for value in content.values()):
        return True
    return any(_holds_tensors(content.get(key), depth - 1) for key in WRAPPERS)


def _outline(content: Mapping[Any, Any]) -> str:
    names = [str(name) for name in content]
    return ", ".join(names[:4]) + (" and more" if len(names) > 4 else "") if names else "nothing"
