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
        (lambda n, e: {**n, **under("ema.", e)}, [""], ("ema",)),
        (lambda n, e: {**under("avg.", e), **n, "queue": torch.zeros(3)}, [""], ("avg",)),
        (lambda n, e: {**n, **under("ema.", network(3, "vgg13_bn"))}, [""], ()),
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


def test_an_average_below_a_shared_name_is_left_out(tmp_path: Path) -> None:
    """As beside it: the words that all names begin with do not count."""
    networks = found(
        {"model": {**under("net.", network(1)), **under("net.ema_model.", network(2))}}, tmp_path
    )
    assert [one.place for one in networks.taken] == ["model"]
    assert networks.left_out == ("model.net.ema_model",)
    assert networks.taken[0].tensors.keys() == under("net.", network(1)).keys()


def test_one_network_in_several_places_is_one(tmp_path: Path) -> None:
    """Under two names, and in a mapping that holds itself."""
    state = network()
    (taken,) = found({"model": state, "state_dict": {"model": state}}, tmp_path).taken
    assert taken.place == "model"
    circle: dict[str, Any] = {"epoch": 3}
    circle["last"] = circle
    circle["net"] = state
    (taken,) = found(circle, tmp_path).taken
    assert taken.place == "net"


def odd_bias(tensor: torch.Tensor) -> State:
    return {
        "bn.weight": torch.ones(4),
        "bn.bias": tensor,
        "bn.running_mean": torch.zeros(4),
        "bn.running_var": torch.ones(4),
    }


@pytest.mark.parametrize(
    ("bias", "words"),
    [
        (lambda: torch.zeros(4, dtype=torch.bool), "bn: expected plain numbers in bias, got a truth-valued tensor"),
        (lambda: torch.zeros(4, dtype=torch.complex64), "bn: expected plain numbers in bias, got a complex tensor"),
        (lambda: torch.nested.nested_tensor([torch.ones(1), torch.ones(3)]),
         "no batch normalisation with scale and bias found"),
    ],
    ids=["truth values", "complex", "nested"],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_biases_that_are_no_vector_of_numbers_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], bias: Callable[[], torch.Tensor], words: str
) -> None:
    """In a line that names the file."""
    torch.save(odd_bias(bias()), tmp_path / "net.pth")
    assert run(["bn-bias", str(tmp_path / "net.pth")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"luckproof: {tmp_path / 'net.pth'}: {words}")


def test_names_cannot_write_to_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters in a name are shown, not sent: of layers, of networks and of files, in errors too."""
    odd = {name.replace("bn", "a\n\x1b[2J"): tensor for name, tensor in odd_bias(torch.zeros(4)).items()}
    torch.save({"net\x1b]0;": odd, "other": odd_bias(torch.ones(4))}, tmp_path / "odd.pth")
    assert run(["bn-bias", str(tmp_path / "odd.pth")]) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert r"a\n\x1b[2J" in shown
    assert r"odd.pth, net\x1b]0;: 4 BatchNorm biases" in shown
    assert run(["bn-bias", str(tmp_path / "none\x1b[2J.pth")]) == 2
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert r"none\x1b[2J.pth: no such file" in said


@pytest.mark.parametrize("kept", [True, False], ids=["as written", "compressed"])
def test_every_bit_of_an_archives_list_is_safe(tmp_path: Path, kept: bool) -> None:
    """The list of a torch archive's parts, bit by bit: the very numbers, or a refusal that names the file."""
    path = tmp_path / "net.pth"
    torch.save(odd_bias(torch.arange(4.0)), path)
    whole = path.read_bytes()
    if not kept:
        with (
            zipfile.ZipFile(path) as old,
            zipfile.ZipFile(tmp_path / "new", "w", zipfile.ZIP_DEFLATED) as new,
        ):
            for entry in old.infolist():
                new.writestr(entry.filename, old.read(entry))
        whole = (tmp_path / "new").read_bytes()
    refusals: list[str] = []
    for place in range(whole.index(b"PK\x01\x02"), len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            (taken,) = networks_in(path).taken
        except ValueError as error:
            refusals.append(str(error))
        else:
            assert torch.equal(taken.tensors["bn.bias"], torch.arange(4.0))
    assert len(refusals) > 100
    assert all(str(path) in words for words in refusals)


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
