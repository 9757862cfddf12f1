"""A checkpoint of ours comes back as it was written or is refused by name; older ones say that nothing vouches."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from luckproof import DamagedFileError, UncheckedFileWarning
from nets.checkpoints.tensor_files import Checkpoint, CheckpointError

TENSORS = {
    "W": torch.linspace(-1, 1, 24, dtype=torch.float64).reshape(2, 3, 4),
    "small": torch.ones(5, dtype=torch.float32),
    "steps": torch.tensor(7),
    "open": torch.tensor([True, False]),
    "none": torch.zeros(0, 3),
    "half": torch.ones(3, dtype=torch.bfloat16),
}
SETTINGS = {"lr": 0.1, "name": "β", "layers": [3, 2], "teacher": None}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    Checkpoint(TENSORS, SETTINGS, 3).save(tmp_path / "net.safetensors")
    return tmp_path / "net.safetensors"


def test_a_checkpoint_comes_back_whole(file: Path) -> None:
    """Every kind of tensor, the settings and the position."""
    held = Checkpoint.load(file, SETTINGS)
    assert held.position == 3
    assert held.settings == SETTINGS
    assert held.tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert held.tensors[name].dtype == tensor.dtype
        assert torch.equal(held.tensors[name], tensor)


def test_every_flipped_bit_is_seen(file: Path) -> None:
    """Every byte of the file, one bit each, and 300 further ones: refused by path, or the very same content."""
    whole = file.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    places = [*range(len(whole)), *rng.integers(len(whole), size=300).tolist()]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        file.write_bytes(damaged)
        with pytest.raises(CheckpointError, match=r"net\.safetensors"):
            _ = Checkpoint.load(file)
        refused += 1
    assert refused == len(places)


def test_damage_is_said_with_its_remedy(file: Path) -> None:
    """A number changed: the path, what is wrong, and what to do, in a line."""
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(DamagedFileError) as caught:
        Checkpoint.load(file)
    assert str(file) in str(caught.value)
    assert "its content does not fit its checksum; take it from a copy, or remove it" in str(caught.value)


def test_older_checkpoints_say_that_nothing_vouches(tmp_path: Path) -> None:
    """They are read, with a warning that names them; one that claims the new format is refused."""
    facts = {"format": "luckproof checkpoint 1", "settings": json.dumps(SETTINGS), "position": "2"}
    save_file({"W": torch.ones(2)}, tmp_path / "old", facts)
    with pytest.warns(UncheckedFileWarning, match="old carries no checksum"):
        assert Checkpoint.load(tmp_path / "old").position == 2
    save_file({"W": torch.ones(2)}, tmp_path / "new", {**facts, "format": "luckproof checkpoint 2"})
    with pytest.raises(DamagedFileError, match="new' is damaged"):
        Checkpoint.load(tmp_path / "new")


@pytest.mark.parametrize(
    "changed", [{**SETTINGS, "more": None}, {k: SETTINGS[k] for k in ("lr", "name", "layers")}]
)
def test_settings_that_only_one_side_has_are_another_run(file: Path, changed: dict[str, object]) -> None:
    """Even where what is there is nothing."""
    with pytest.raises(CheckpointError, match=r"of another run: its (more|teacher) is (not stated|null)"):
        Checkpoint.load(file, changed)


def test_a_write_that_fails_keeps_the_old_checkpoint(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And leaves nothing beside it; what stands at the path is respected as for any file."""

    def full(descriptor: int, data: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match=r"No space left on device.*net\.safetensors"):
            Checkpoint(TENSORS, SETTINGS, 4).save(file)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Checkpoint.load(file).position == 3
    assert os.listdir(file.parent) == [file.name]
    (file.parent / "link").symlink_to(file.name)
    Checkpoint(TENSORS, SETTINGS, 5).save(file.parent / "link")
    assert (file.parent / "link").is_symlink()
    assert Checkpoint.load(file).position == 5
    with pytest.raises(ValueError, match=r"^checkpoint: the folder .* does not exist"):
        Checkpoint(TENSORS, SETTINGS, 5).save(file.parent / "none" / "net")
