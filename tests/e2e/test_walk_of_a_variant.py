"""The first walk: a leaky-ReLU variant of Theorem 4 from a folder outside the project, up to a page of one's own."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from math import pi
from pathlib import Path

import pytest

from luckproof import (
    IsotropicGaussian,
    LeakyKernels,
    ProjectedFlow,
    TeacherStudent,
    compare,
    spectral_rate,
    statements_from,
    teachers,
)
from verify.command.main import run

EXAMPLE = Path(__file__).parents[2] / "examples" / "leaky_theorem4.py"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of the user's with the variant in it."""
    shutil.copy(EXAMPLE, tmp_path / "variant.py")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_is_judged_attacked_and_told_in_a_page(folder, capsys):
    """Under a title of its own, every command with the file in it."""
    words = [
        "verify",
        "--from",
        "variant.py",
        "leaky.theorem4",
        "--attack",
        "20",
        "--jobs",
        "1",
        "--device",
        "cpu",
    ]
    assert run([*words, "--report", "leaky.html", "--title", "Theorem 4, leaky"]) == 0
    assert "survived 20 evaluations" in capsys.readouterr().out
    page = (folder / "leaky.html").read_text(encoding="utf-8")
    assert "<title>Theorem 4, leaky</title>" in page
    assert "luckproof verify --from variant.py leaky.theorem4.sharp --instance" in page


def test_its_rate_stands_beside_sixteen_networks(folder, capsys):
    """The command draws both and says that they agree; the rate is the one that the variant states."""
    problem = ["--d", "6", "--m", "3", "--theta0", "0.2", "--activation", "leaky_relu", "--slope", "0.2"]
    networks = ["--networks", "16", "--steps", "300", "--batch-size", "64", "--device", "cpu"]
    assert run(["compare", *problem, *networks, "--plot", "both.png", "--json", "both.json"]) == 0
    assert json.loads((folder / "both.json").read_text(encoding="utf-8"))["verdict"] == "agree"
    assert (folder / "both.png").stat().st_size > 10_000
    assert "agree" in capsys.readouterr().out


def test_its_measure_is_luckproofs_own(folder):
    """The user's kernels give the rate of ``LeakyKernels``, and networks that agree with the user's flow."""
    statement = next(iter(statements_from("variant.py").values()))
    variant = sys.modules[statement.evidence.__module__]
    assert importlib.import_module(variant.__name__) is variant
    teacher = teachers.orthonormal(6, 3, 0)
    own, known = (
        TeacherStudent.at_angle(teacher, 0.2, 0, measure=measure)
        for measure in (variant.LeakyGaussian(6, 0.2), LeakyKernels.of(IsotropicGaussian(6), 0.2))
    )
    rate = 0.64 * (1 / 4 - 1 / (2 * pi))
    assert spectral_rate(ProjectedFlow(own)) == pytest.approx(rate, rel=1e-6)
    assert spectral_rate(ProjectedFlow(known)) == pytest.approx(rate, rel=1e-6)
    found = compare(ProjectedFlow, own, lr=0.1, batch_size=64, steps=300, networks=16, device="cpu")
    assert str(found.verdict) == "agree"
