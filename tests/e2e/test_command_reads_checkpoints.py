"""``luckproof bn-bias`` as a real command: a good file gives its table, a dangerous one a line on stderr."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from tests.e2e.commands import REAL, command
from tests.test_nets.checkpoints.state_dict_layouts import vgg


def test_good_file(tmp_path):
    torch.save(vgg("vgg13_bn", np.random.default_rng(0))[0], tmp_path / "net.pth")
    done = command("bn-bias", tmp_path / "net.pth", "--plot", tmp_path / "b.png", program=REAL, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "76 BatchNorm biases in 10 layers" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.png", "net.pth"]


def test_pickled_model_is_refused(tmp_path):
    torch.save(nn.BatchNorm1d(3), tmp_path / "net.pth")
    done = command("bn-bias", tmp_path / "net.pth", "--json", tmp_path / "b.json", program=REAL, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "refused, it asks for torch.nn.modules.batchnorm.BatchNorm1d, which could run code" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["net.pth"]
