"""Theorem 5's figure and the modulation maps: starts and measures by hand, checks that can fail, bad input named."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from verify.command.main import run
from verify.figures.luckmatters_modulation_maps import Maps
from verify.figures.luckmatters_theorem5 import FanOutStudy, checks, dataset, summary

TINY = {
    "luckmatters.theorem5": ["t_end=0.6", "networks=3", "over_realisations=2,3"],
    "luckmatters.modulation-maps": [
        "networks=3", "epochs=1", "samples=640", "eval_samples=64", "teacher_widths=3,4", "outputs=5", "batch_norm=1",
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", TINY)
def test_figure_is_made_and_the_seed_decides(name, tmp_path, capsys):
    """Picture and data; the same seed gives the same numbers, another seed others."""
    words = [word for change in TINY[name] for word in ("--set", change)]
    found = []
    for folder, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert run(["figure", name, "--out", str(tmp_path / folder), "--seed", seed, *words]) in (0, 1)
        with xr.open_dataset(tmp_path / folder / f"{name}.nc", engine="h5netcdf") as data:
            found.append(data.load())
        assert (tmp_path / folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    measured = "norm" if name.endswith("5") else "dominance"
    np.testing.assert_array_equal(found[0][measured], found[1][measured])
    assert np.abs(found[0][measured] - found[2][measured]).max() > 1e-3
    assert "99% interval" in capsys.readouterr().out


def test_starts_are_those_of_section_4_2():
    """Unit fan-ins and unit columns of V; p moves W_u and V_u to the teacher and nothing else; the noise is shared."""
    study = FanOutStudy(networks=3)
    for p_W, p_V in ((0.0, 0.0), (3.0, 1.0)):
        problem = study.problem(5, p_W, p_V)
        assert (problem.d, problem.m, problem.n, problem.c) == (10, 20, 100, 30)
        np.testing.assert_allclose(np.linalg.norm(problem.student_W, axis=-2), 1)
        np.testing.assert_allclose(np.linalg.norm(problem.student_V, axis=-2), 1)
    far, near = study.problem(5, 0.0, 0.0), study.problem(5, 1e6, 1e6)
    np.testing.assert_array_equal(far.student_W[..., 20:], near.student_W[..., 20:])
    np.testing.assert_allclose(near.student_W[..., :20], near.teacher_W, atol=1e-5)
    np.testing.assert_allclose(near.student_V[..., :20, :], near.teacher_V, atol=1e-5)
    np.testing.assert_array_equal(far.teacher_V, study.problem(2, 1.0, 0.0).teacher_V)
    gaps = []
    for problem in (far, study.problem(5, 0.0, 1.0)):
        norm = np.linalg.norm(problem.student_V, axis=-1)
        gaps.append(norm[..., :20].mean() - norm[..., 20:].mean())
    assert abs(gaps[0]) < 0.05
    assert gaps[1] > 0.4


def runs_with(study: FanOutStudy, growth_near: float, growth_far: float, sgd: float) -> list[np.ndarray]:
    """Fan-outs of every case: u-set 1 at first and then ``growth`` larger, r-set 1/2; SGD makes a share of it."""
    found = []
    for over, p_W, p_V in study.cases():
        norms = np.full((2, len(study.marks), study.networks, over * study.m), 0.5)
        norms[..., : study.m] = 1.0 + p_V
        growth = growth_near if p_W > 1 else growth_far
        norms[0, 1:, :, : study.m] += growth
        norms[1, 1:, :, : study.m] += sgd * growth
        norms += 1e-3 * np.arange(study.networks)[:, None]  # networks differ
        found.append(norms)
    return found


@pytest.mark.statement("luckmatters.theorem5")
def test_claims_of_theorem5s_figure_can_fail():
    """The paper's picture holds; a gap that grows from far starts, and an SGD that stands still, are refuted."""
    study = FanOutStudy(networks=4, over_realisations=(2,))
    outcomes = {}
    for name, world in {"paper": (0.5, -0.1, 1.0), "other": (-0.5, 0.3, 0.0)}.items():
        rows = [summary(study, norms) for norms in runs_with(study, *world)]
        outcomes[name] = {check.claim: check.outcome for check in checks(dataset(study, rows))}
    grows = "W far, V near: the gap does not grow (flow)"
    apart = "W near its teacher, V not: u-set and r-set come apart (flow)"
    follows = "SGD follows the flow: share of the flow's movement it makes"
    wider = "V near its teacher makes the initial gap larger"
    assert [outcomes["paper"][claim] for claim in (grows, apart, follows, wider)] == ["observed"] * 4
    assert [outcomes["other"][claim] for claim in (grows, apart, follows)] == ["not observed"] * 3


def test_dominance_is_the_share_of_a_teacher_nodes_energy():
    """1 for a diagonal map whatever its entries, 1/m for an even one, by hand between; silent nodes are left out."""
    diagonal = np.diag([1.0, -5.0, 0.2])
    even = np.ones((3, 3))
    mixed = np.array([[2.0, 1.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])  # columns: teacher nodes
    maps = Maps(np.stack([diagonal, even, mixed])[:, None, None])
    np.testing.assert_allclose(maps.dominance[:, 0, 0], [1.0, 1 / 3, (4 / 5 + 1 / 2) / 2])


@pytest.mark.parametrize(
    ("name", "change", "named"),
    [
        ("luckmatters.theorem5", "networks=2", "networks: expected at least 3"),
        ("luckmatters.theorem5", "over_realisations=1", "over_realisations: expected n/m >= 2"),
        ("luckmatters.theorem5", "p_W=1", "p_W: expected 2 or more different numbers"),
        ("luckmatters.theorem5", "p_V=0,0", "p_V: expected 2 or more different numbers"),
        ("luckmatters.theorem5", "p_V=-1,1", "p_V: expected numbers >= 0"),
        ("luckmatters.theorem5", "t_end=0.1", "t_end: expected at least 10 steps"),
        ("luckmatters.theorem5", "lr=0", "lr: expected a positive finite number"),
        ("luckmatters.theorem5", "batch_size=0", "batch_size: expected a positive integer"),
        ("luckmatters.modulation-maps", "networks=2", "networks: expected at least 3"),
        ("luckmatters.modulation-maps", "teacher_widths=5,1", "teacher_widths: expected two or more"),
        ("luckmatters.modulation-maps", "batch_norm=2", "batch_norm: expected 0 or 1"),
        ("luckmatters.modulation-maps", "epochs=0", "epochs: expected a positive integer"),
        ("luckmatters.modulation-maps", "lr=-1", "lr: expected a positive finite number"),
        ("luckmatters.modulation-maps", "eval_samples=8", "eval_samples: expected at least 32"),
    ],
)
def test_bad_settings_are_one_line_and_exit_2(name, change, named, tmp_path, capsys):
    assert run(["figure", name, "--set", change, "--out", str(tmp_path)]) == 2
    streams = capsys.readouterr()
    assert named in streams.err
    assert streams.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
