"""Checksums of safetensors files: among the texts of the header, over all tensors and all other texts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import torch
from safetensors.torch import save
from torch import Tensor

from dynamics.files.checksums import DamagedFileError

KEY = "luckproof_sha256"
"""The text that holds the checksum."""


def sealed(tensors: Mapping[str, Tensor], facts: Mapping[str, str] | None = None) -> bytes:
    """The content of a safetensors file of contiguous tensors and texts, with a checksum over all of them."""
    texts = dict(facts or {})
    return save(dict(tensors), {**texts, KEY: checksum(tensors, texts)})


def verify_checksum(
    path: str, tensors: Mapping[str, Tensor], facts: Mapping[str, str], *, required: bool = False
) -> bool:
    """Whether a file carries a checksum; raises DamagedFileError where it is wrong, or missing though ``required``."""
    if KEY not in facts and not required:
        return False
    if facts.get(KEY) != checksum(tensors, facts):
        raise DamagedFileError(
            f"{path} is damaged: its content does not fit its checksum; take it from a copy, or remove it and make it "
            "again"
        )
    return True


def checksum(tensors: Mapping[str, Tensor], facts: Mapping[str, str]) -> str:
    """SHA-256 over all texts but the checksum itself, and over every tensor's name, type, shape and bytes."""
    found = hashlib.sha256()
    found.update(json.dumps(sorted((name, text) for name, text in facts.items() if name != KEY)).encode())
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        found.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
        found.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()
