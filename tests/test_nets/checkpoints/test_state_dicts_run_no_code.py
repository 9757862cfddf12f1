"""Checkpoints are read as tensors; what asks for code, is damaged or is no state dict is refused in one line."""

from __future__ import annotations

import argparse
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from luckproof import norm_layers, read_state_dict
from tests.test_nets.checkpoints.state_dict_layouts import vgg


@pytest.fixture
def state():
    return vgg("vgg19_bn", np.random.default_rng(1))[0]


@pytest.mark.parametrize("layout", ["zip", "legacy"])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"epoch": 3, "state_dict": state, "optimizer": {"state": {}, "param_groups": []}},
        lambda state: {"model": {"state_dict": state}},
        lambda state: {"model_state_dict": state, "best_acc1": 71.2},
    ],
)
def test_torch_files_keep_names_and_order(wrap, layout, state, tmp_path):
    """Old and new layout of torch.save, alone or among what training scripts keep with it."""
    torch.save(wrap(state), tmp_path / "net.pth", _use_new_zipfile_serialization=layout == "zip")
    read = read_state_dict(tmp_path / "net.pth")
    assert list(read) == list(state)
    assert all(torch.equal(read[name], state[name]) for name in state)


def test_safetensors_come_in_natural_order(state, tmp_path):
    """The format sorts names as text, which would put features.11 before features.4."""
    save_file(state, tmp_path / "net.safetensors")
    found = [layer.name for layer in norm_layers(read_state_dict(tmp_path / "net.safetensors"))]
    assert found == [layer.name for layer in norm_layers(state)]


class Bomb:
    """Touches a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return (Path.touch, (self.target,))


def refused(path, words):
    with pytest.raises(ValueError, match=words) as caught:
        read_state_dict(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("writer", ["torch", "legacy", "pickle"])
def test_pickled_code_is_refused_and_not_run(writer, tmp_path):
    bomb, path = {"state_dict": Bomb(tmp_path / "exploded")}, tmp_path / "net.pth"
    if writer == "pickle":
        path.write_bytes(pickle.dumps(bomb))
    else:
        torch.save(bomb, path, _use_new_zipfile_serialization=writer == "torch")
    refused(
        path, "refused, it asks for .* could run code" if writer != "pickle" else "cannot be read as tensors"
    )
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(
    ("content", "named"), [(nn.Linear(2, 2), r"torch\.nn"), ({"args": argparse.Namespace(lr=1)}, "argparse")]
)
def test_whole_models_and_settings_objects_are_refused_by_name(content, named, tmp_path):
    torch.save(content, tmp_path / "net.pth")
    refused(tmp_path / "net.pth", f"refused, it asks for {named}")


@pytest.mark.parametrize("name", ["net.pth", "net.safetensors"])
@pytest.mark.parametrize("content", [b"", b"not a checkpoint at all " * 20, b"PK\3\4" + bytes(200)])
def test_files_of_other_kinds_are_refused(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name, "cannot be read as")


@pytest.mark.parametrize("name", ["net.pth", "net.safetensors"])
def test_truncated_files_are_refused(name, state, tmp_path):
    path = tmp_path / name
    if path.suffix == ".pth":
        torch.save(state, path)
    else:
        save_file(state, path)
    path.write_bytes(path.read_bytes()[:-500])
    refused(path, "cannot be read as")


@pytest.mark.parametrize(
    ("content", "found"), [(torch.zeros(3), "Tensor"), ([1, 2], "list"), ({}, "nothing"), ({"lr": 0.1}, "lr")]
)
def test_other_contents_are_refused(content, found, tmp_path):
    torch.save(content, tmp_path / "net.pth")
    refused(tmp_path / "net.pth", f"expected tensors by name \\(a state dict\\), got {found}")


def test_missing_files_and_folders_are_refused(tmp_path):
    refused(tmp_path / "none.pth", "no such file")
    refused(tmp_path, "got a folder")
