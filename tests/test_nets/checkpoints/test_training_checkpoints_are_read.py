"""The network in a checkpoint is found among what training scripts keep beside it, and named."""

from __future__ import annotations

import os
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from luckproof import DamagedFileError, read_state_dict
from nets.checkpoints.found_networks import FoundNetworks, networks_in
from nets.checkpoints.tensor_checksums import sealed
from tests.test_nets.checkpoints.state_dict_layouts import vgg
from verify.command.main import run

State = dict[str, torch.Tensor]


def network(seed: int = 1, name: str = "vgg11_bn") -> State:
    return vgg(name, np.random.default_rng(seed))[0]


def under(prefix: str, state: State) -> State:
    return {prefix + name: tensor for name, tensor in state.items()}


def found(content: Any, folder: Path) -> FoundNetworks:
    torch.save(content, folder / "net.pth")
    return networks_in(folder / "net.pth")


BESIDE: dict[str, Any] = {
    "loss": torch.tensor(0.5),
    "rng_state": torch.get_rng_state(),
    "cuda_rng_state": [torch.get_rng_state()],
    "python_rng": random.getstate(),
    "numpy_rng": np.random.RandomState(0).get_state(),
    "best_acc": np.float64(0.7),
    "confusion": np.arange(6).reshape(2, 3),
    "losses": [0.1, 0.2],
    "history": {"train": [torch.tensor(0.1)]},
    "epoch": 3,
    "none": None,
}


@pytest.mark.parametrize("name", BESIDE)
@pytest.mark.parametrize("key", ["state_dict", "model", "net", "my_network"])
def test_whatever_stands_beside_a_network_is_passed_over(tmp_path: Path, name: str, key: str) -> None:
    """Before it and behind it: scalars, lists, states of random generators, NumPy's numbers."""
    state = network()
    for content in ({name: BESIDE[name], key: state}, {key: state, name: BESIDE[name]}):
        (taken,) = found(content, tmp_path).taken
        assert taken.place == key
        assert list(taken.tensors) == list(state)
        assert all(torch.equal(taken.tensors[part], state[part]) for part in state)


@pytest.mark.parametrize("name", BESIDE)
def test_a_state_dict_is_unwrapped_beside_scalar_tensors(tmp_path: Path, name: str) -> None:
    """``read_state_dict`` gives the network and not what stands beside it."""
    state = network()
    torch.save({name: BESIDE[name], "model": {"state_dict": state}}, tmp_path / "net.pth")
    assert list(read_state_dict(tmp_path / "net.pth")) == list(state)
    torch.save([state, {"lr": 0.1}], tmp_path / "list.pth")
    assert list(read_state_dict(tmp_path / "list.pth")) == list(state)


@pytest.mark.parametrize(
    ("wrap", "taken", "left_out"),
    [
        (lambda n, e: {"state_dict": n, "state_dict_ema": e}, ["state_dict"], ("state_dict_ema",)),
        (lambda n, e: {"ema": e, "model": n}, ["model"], ("ema",)),
        (lambda n, e: {"model_ema": {"state_dict": e}, "model": {"state_dict": n}},
         ["model.state_dict"], ("model_ema.state_dict",)),
        (lambda n, e: {**under("model.", n), **under("model_ema.", e)}, ["model"], ("model_ema",)),
        (lambda n, e: {"swa": e}, ["swa"], ()),
        (lambda n, e: {"encoder_q": n, "encoder_k": e}, ["encoder_q", "encoder_k"], ()),
        (lambda n, e: {"state_dict": {**under("module.encoder_q.", n), **under("module.encoder_k.", e)}},
         ["state_dict.module.encoder_q", "state_dict.module.encoder_k"], ()),
        (lambda n, e: {"student": n, "teacher": e}, ["student", "teacher"], ()),
        (lambda n, e: {"models": [n, e]}, ["models.0", "models.1"], ()),
        (lambda n, e: [n, {"epoch": 1}], ["0"], ()),
        (lambda n, e: under("module.", n), [""], ()),
        (lambda n, e: {**under("block1.", n), **under("block2.", e)}, [""], ()),
        (lambda n, e: {**under("encoder1.", n), **under("encoder2.", network(3, "vgg13_bn"))}, [""], ()),
    ],
)  # fmt: skip
def test_the_networks_of_a_file_are_named(
    tmp_path: Path, wrap: Callable[[State, State], Any], taken: list[str], left_out: tuple[str, ...]
) -> None:
    """A running average is left out beside its network; two encoders are two; stages of one network are one."""
    networks = found(wrap(network(1), network(2)), tmp_path)
    assert [one.place for one in networks.taken] == taken
    assert networks.left_out == left_out
    if taken != [""]:
        assert all(
            torch.equal(networks.taken[0].tensors[n], t)
            for n, t in network(1 if taken != ["swa"] else 2).items()
        )


def test_the_command_has_a_row_for_each_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And says which it took, and which averages it left out."""
    path = tmp_path / "moco.pth"
    torch.save({"encoder_q": network(1), "encoder_k": network(2), "step": torch.tensor(3)}, path)
    assert run(["bn-bias", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "moco.pth, encoder_q: 66 BatchNorm biases" in shown
    assert "moco.pth, encoder_k: 66 BatchNorm biases" in shown
    torch.save({"model": network(1), "ema": network(2)}, path)
    assert run(["bn-bias", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "moco.pth, model: 66 BatchNorm biases" in shown
    assert "left out, running averages of a network: ema" in shown


def refused(path: Path, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bn-bias", str(path)]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.count("\n") == 1
    assert str(path) in streams.err
    assert words in streams.err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: torch.quantize_per_tensor(t, 0.1, 0, torch.qint8), "got a quantised tensor (torch.qint8)"),
        (lambda t: t.to(torch.complex64), "got a complex tensor (torch.complex64)"),
        (lambda t: t * torch.nan, "expected finite scales and biases"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*quantize_per_tensor:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*[Qq]uanti")
def test_tensors_of_other_kinds_are_refused_in_a_line(
    tmp_path: Path, change: Callable[[torch.Tensor], torch.Tensor], words: str, capsys: Any
) -> None:
    state = network()
    state["features.1.bias"] = change(state["features.1.bias"])
    torch.save(state, tmp_path / "net.pth")
    refused(tmp_path / "net.pth", words, capsys)


def test_sparse_and_half_tensors_are_numbers(tmp_path: Path) -> None:
    """Control: other ways to keep real numbers are read."""
    state = network()
    state["features.1.bias"] = state["features.1.bias"].to_sparse()
    state["features.5.bias"] = state["features.5.bias"].half()
    torch.save(state, tmp_path / "net.pth")
    assert run(["bn-bias", str(tmp_path / "net.pth")]) == 0


def test_a_flipped_bit_in_a_torch_file_is_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """torch.load itself gives other numbers without a word."""
    path, state = tmp_path / "net.pth", network()
    torch.save(state, path)
    number = state["features.1.bias"].numpy().tobytes()
    whole = path.read_bytes()
    assert whole.count(number) == 1
    path.write_bytes(whole.replace(number, number[:-1] + bytes([number[-1] ^ 0x80])))
    assert not torch.equal(torch.load(path, weights_only=True)["features.1.bias"], state["features.1.bias"])
    refused(path, "damaged, Bad CRC-32", capsys)
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(state, path)
    finally:
        torch.serialization.set_crc32_options(True)
    assert run(["bn-bias", str(path)]) == 0  # written without checksums: nothing to compare


def test_a_checksum_of_ours_is_verified_in_safetensors(tmp_path: Path) -> None:
    """The networks of the figure bn-bias carry one; files of others have none."""
    path, state = tmp_path / "net.safetensors", network()
    path.write_bytes(sealed(state))
    assert read_state_dict(path).keys() == state.keys()
    assert networks_in(path).verified
    whole = path.read_bytes()
    number = state["features.1.bias"].numpy().tobytes()
    path.write_bytes(whole.replace(number, number[:-1] + bytes([number[-1] ^ 0x80])))
    with pytest.raises(DamagedFileError, match=r"net\.safetensors is damaged: its content does not fit"):
        read_state_dict(path)
    save_file(state, path)
    assert read_state_dict(path).keys() == state.keys()
    assert not networks_in(path).verified


@pytest.mark.parametrize("layout", ["zip", "legacy", "safetensors"])
def test_files_without_a_checksum_say_so(
    layout: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Torch's archives carry their own, its older files and those of safetensors none."""
    path = tmp_path / ("net.safetensors" if layout == "safetensors" else "net.pth")
    if layout == "safetensors":
        save_file(network(), path)
    else:
        torch.save(network(), path, _use_new_zipfile_serialization=layout == "zip")
    assert run(["bn-bias", str(path)]) == 0
    assert ("the file carries no checksum" in capsys.readouterr().out) == (layout != "zip")


@pytest.mark.parametrize("content", [np.array([{}], dtype=object), np.array(["a", None], dtype=object)])
def test_numpys_names_open_no_door(tmp_path: Path, content: Any) -> None:
    """Arrays of objects stay refused."""
    torch.save({"model": network(), "x": content}, tmp_path / "net.pth")
    with pytest.raises(ValueError, match=r"net\.pth: (refused|cannot be read)"):
        networks_in(tmp_path / "net.pth")


def test_files_larger_than_the_memory_are_refused(tmp_path: Path) -> None:
    """An archive that unpacks to too much, and a file with a hole: before anything is read."""
    with zipfile.ZipFile(tmp_path / "bomb.pth", "w") as archive:
        archive.writestr("archive/data.pkl", b"x")
        archive.filelist[0].file_size = 2**50
    (tmp_path / "hole.safetensors").touch()
    os.truncate(tmp_path / "hole.safetensors", 2**42)
    for name in ("bomb.pth", "hole.safetensors"):
        with pytest.raises(ValueError, match=rf"{name}: holds .* GiB, and .* GiB of memory are available"):
            read_state_dict(tmp_path / name)
