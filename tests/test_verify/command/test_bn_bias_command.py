"""``luckproof bn-bias``: a table, a picture and JSON of anyone's checkpoints; bad input is one line and exit 2."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn

from tests.test_nets.checkpoints.state_dict_layouts import NORMS, vgg
from verify.command.main import run


@pytest.fixture
def checkpoints(tmp_path) -> dict[str, list[np.ndarray]]:
    """vgg11_bn.pth and vgg16_bn.pth in ``tmp_path``; their biases."""
    found = {}
    for name in ("vgg11_bn", "vgg16_bn"):
        state, found[name] = vgg(name, np.random.default_rng(2))
        torch.save(state, tmp_path / f"{name}.pth")
    return found


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_several_networks_at_once(suffix, checkpoints, tmp_path, capsys):
    """Counts in the table and in the JSON are those of the biases themselves."""
    paths = [str(tmp_path / f"{name}.pth") for name in checkpoints]
    plot, numbers = tmp_path / f"b.{suffix}", tmp_path / "b.json"
    assert run(["bn-bias", *paths, "--plot", str(plot), "--json", str(numbers)]) == 0
    shown = capsys.readouterr().out
    networks = json.loads(numbers.read_text())["networks"]
    for name, biases in checkpoints.items():
        flat = np.concatenate(biases)
        expected = f"{name}.pth: {flat.size} BatchNorm biases in {len(biases)} layers, {np.mean(flat < 0):.1%} negative"
        assert expected in shown
        record = networks[f"{name}.pth"]
        assert (record["nodes"], record["negative"]) == (flat.size, int((flat < 0).sum()))
        assert [layer["name"] for layer in record["layers"]] == [f"features.{place}" for place in NORMS[name]]
        assert [layer["negative"] for layer in record["layers"]] == [int((bias < 0).sum()) for bias in biases]
    assert plot.read_bytes()[:5] == {"png": b"\x89PNG\r", "svg": b"<?xml"}[suffix]


def test_upper_and_lower_half_are_told_apart(tmp_path, capsys):
    """Three layers of one node: the middle one belongs to neither half."""
    network = nn.Sequential(*(nn.BatchNorm1d(1) for _ in range(3)))
    for layer, value in zip(network, (1.0, -1.0, -1.0), strict=True):
        nn.init.constant_(layer.bias, value)
    torch.save(network.state_dict(), tmp_path / "net.pt")
    assert run(["bn-bias", str(tmp_path / "net.pt")]) == 0
    shown = capsys.readouterr().out
    assert (
        "3 BatchNorm biases in 3 layers, 66.7% negative (lower half of the layers 0.0%, upper half 100.0%)"
        in shown
    )


def test_files_of_one_name_are_shown_with_their_folders(checkpoints, tmp_path, capsys):
    (tmp_path / "other").mkdir()
    copy = tmp_path / "other" / "vgg11_bn.pth"
    copy.write_bytes((tmp_path / "vgg11_bn.pth").read_bytes())
    assert run(["bn-bias", str(tmp_path / "vgg11_bn.pth"), str(copy)]) == 0
    shown = capsys.readouterr().out
    assert f"{copy}: " in shown
    assert f"{tmp_path / 'vgg11_bn.pth'}: " in shown


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["vgg11_bn.pth", "missing.pth"], "missing.pth: no such file"),
        (["."], ".: expected a checkpoint file, got a folder"),
        (["plain.pth"], "plain.pth: no batch normalisation with scale and bias found"),
        (["model.pth"], "model.pth: refused, it asks for torch.nn"),
        (["vgg11_bn.pth", "--plot", "b.pdf"], "--plot: expected a .png or .svg file"),
        (["vgg11_bn.pth", "--plot", "none/b.png"], "--plot: the folder none does not exist"),
        (["vgg11_bn.pth", "--json", "vgg11_bn.pth"], "--json: 'vgg11_bn.pth' would overwrite"),
        (["vgg11_bn.pth", "--json", "b.svg", "--plot", "b.svg"], "--json: expected another file than --plot"),
        ([], "CHECKPOINT"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(words, named, checkpoints, tmp_path, capsys, monkeypatch):
    """Nothing is printed or written, also where another file was good."""
    monkeypatch.chdir(tmp_path)
    torch.save(nn.Linear(2, 2).state_dict(), "plain.pth")
    torch.save(nn.Linear(2, 2), "model.pth")
    before = sorted(path.name for path in tmp_path.iterdir())
    if "--json" not in words and "--plot" not in words and words:
        words = [*words, "--json", "new.json", "--plot", "new.png"]
    assert run(["bn-bias", *words]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.count("\n") == 1
    assert named in streams.err
    assert sorted(path.name for path in tmp_path.iterdir()) == before
