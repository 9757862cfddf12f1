"""A saved run says what it ran on: the problem can be made again, and no two problems look alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from luckproof import (
    BiasedGaussian,
    DeepFlow,
    DeepProblem,
    EmpiricalMeasure,
    Flow,
    GradientFlow,
    InputMeasure,
    IsotropicGaussian,
    LotkaVolterraFlow,
    OneTeacherFlow,
    PassageFlow,
    ResidualFlow,
    SharedResidualFlow,
    TeacherStudent,
    Trajectory,
    TwoLayerFlow,
    integrate,
    spectral_rate,
    teachers,
)
from tests.test_dynamics.deep.deep_cases import drawn
from tests.test_dynamics.ode.ode_problems import Field

RNG = np.random.default_rng(0)
MEASURES: list[InputMeasure] = [
    IsotropicGaussian(4, 0.3),
    BiasedGaussian(3),
    EmpiricalMeasure(RNG.standard_normal((7, 4))),
    EmpiricalMeasure(RNG.standard_normal((7, 4)), RNG.random(7)),
]


def problem(
    measure: InputMeasure | None = None, batch: tuple[int, ...] = (2,), seed: int = 1
) -> TeacherStudent:
    rng = np.random.default_rng(seed)
    W, start = teachers.random_unit(4, 2, rng, batch), teachers.random_unit(4, 3, rng, batch)
    return TeacherStudent(W, start, rng.standard_normal((2, 2)), rng.standard_normal((3, 2)), measure)


def reread(flow: Any, folder: Path) -> Trajectory:
    integrate(flow, (0.0, 0.01), rtol=1e-3).save(folder / "run.nc")
    return Trajectory.load(folder / "run.nc")


@pytest.mark.parametrize("measure", MEASURES, ids=repr)
def test_the_problem_of_a_saved_run_is_the_problem(tmp_path: Path, measure: InputMeasure) -> None:
    """Bit for bit, with its ensemble and its law of the inputs."""
    one = problem(measure)
    again = TeacherStudent.from_description(reread(TwoLayerFlow(one), tmp_path).problem)
    for name in ("teacher_W", "student_W", "teacher_V", "student_V"):
        assert getattr(again, name).tobytes() == getattr(one, name).tobytes()
        assert getattr(again, name).shape == getattr(one, name).shape
    assert repr(again.measure) == repr(one.measure)
    W = one.student_W
    for mine, theirs in zip(one.measure.kernels(W, W), again.measure.kernels(W, W), strict=True):
        assert np.array_equal(mine, theirs)


@pytest.mark.parametrize("biased", [False, True])
def test_deep_problems_likewise(tmp_path: Path, biased: bool) -> None:
    """All weight matrices, the samples, the slope, and whether nodes are augmented."""
    one = drawn(0, (3, 4, 4, 2), (3, 2, 3, 2), batch=(2,), biased=biased, slope=0.1)
    again = DeepProblem.from_description(reread(DeepFlow(one, watch_gaps=False), tmp_path).problem)
    assert (again.slope, again.biased, again.depth) == (one.slope, one.biased, one.depth)
    for mine, theirs in zip((*one.teacher, *one.student), (*again.teacher, *again.student), strict=True):
        assert mine.tobytes() == theirs.tobytes()
    assert one.measure.samples.tobytes() == again.measure.samples.tobytes()  # type: ignore[attr-defined]


def test_a_measure_of_ones_own_must_be_passed() -> None:
    """A subclass is no Gaussian again, whatever it inherits; another kind of problem is refused."""

    class Halved(IsotropicGaussian):
        def kernels(self, A: Any, B: Any) -> Any:
            return tuple(0.5 * part for part in super().kernels(A, B))

    held = problem(Halved(4)).description()
    with pytest.raises(
        ValueError, match=r"^description: measure: expected one of IsotropicGaussian.*got 'Halved'"
    ):
        TeacherStudent.from_description(held)
    assert TeacherStudent.from_description(held, measure=Halved(4)).n == 3
    with pytest.raises(ValueError, match=r"^description: .*DeepProblem, got kind 'TeacherStudent'"):
        DeepProblem.from_description(held)
    with pytest.raises(ValueError, match=r"^description: .*TeacherStudent, got kind None"):
        TeacherStudent.from_description({})


OTHERS: dict[str, Callable[[float], Any]] = {
    "two layers": lambda shift: TwoLayerFlow(problem(seed=1 + (shift > 0))),
    "gradient": lambda shift: GradientFlow(problem(seed=1 + (shift > 0))),
    "standard deviation": lambda shift: TwoLayerFlow(problem(IsotropicGaussian(4, 1 + shift))),
    "residual": lambda shift: ResidualFlow(problem(seed=1 + (shift > 0))),
    "target": lambda shift: SharedResidualFlow(np.full(3, 1 + shift), np.eye(3), np.ones(3)),
    "boost": lambda shift: SharedResidualFlow(np.ones(3), np.eye(3), np.ones(3), shift),
    "growth": lambda shift: LotkaVolterraFlow(np.full(2, 1 + shift), np.eye(2), np.ones(2)),
    "interaction": lambda shift: LotkaVolterraFlow(np.ones(2), (1 + shift) * np.eye(2), np.ones(2)),
    "one teacher": lambda shift: OneTeacherFlow(0.5, teacher_v=1 + shift),
    "passage": lambda shift: PassageFlow(0.5 + shift),
    "bare": lambda shift: Field(lambda t, y: -y, [1.0 + shift]),
}


@pytest.mark.parametrize("name", OTHERS)
def test_two_problems_are_told_apart(name: str, tmp_path: Path) -> None:
    """Runs on a problem and on one that differs a little, at times that hide the start: different; repeated: equal."""

    def kept(shift: float) -> str:
        run = integrate(OTHERS[name](shift), (0.0, 0.01), t_eval=[0.01])
        run.save(tmp_path / "run.nc")
        parts = Trajectory.load(tmp_path / "run.nc").problem
        return repr({key: np.asarray(part).tolist() for key, part in sorted(parts.items())})

    assert kept(0.0) == kept(0.0)
    assert kept(0.0) != kept(1e-9)


def test_flows_say_what_their_time_is() -> None:
    """Time, unless a flow has another clock."""
    flows: list[tuple[Flow, str]] = [
        (TwoLayerFlow(problem()), "time"),
        (PassageFlow(0.5), "share of the way"),
    ]
    for flow, expected in flows:
        assert integrate(flow, (0.0, 0.01)).time_counts.startswith(expected)


def test_deep_runs_have_labelled_layers(tmp_path: Path) -> None:
    """Weight matrices from 0, hidden layers from 1, groups of nodes by name; in the file too."""
    run = reread(DeepFlow(drawn(0, (3, 4, 4, 2), (3, 2, 3, 2))), tmp_path)
    data = run.to_xarray()
    assert data["layer"].to_numpy().tolist() == [0, 1, 2]
    assert data["hidden_layer"].to_numpy().tolist() == [1, 2]
    assert np.array_equal(run.at("beta_gap", hidden_layer=2), run.observables["beta_gap"][..., 1])
    unlucky = run.at("block_norm", layer=1, below="unlucky", above="lucky")
    assert np.array_equal(unlucky, run.observables["block_norm"][..., 1, 1, 0], equal_nan=True)
    assert data.block_norm.sel(layer=1, below="unlucky", above="lucky").dims == ("time",)


def test_the_final_state_is_what_the_flow_takes() -> None:
    """The decay rate at the end of a converged run, of the run alone."""
    one = TeacherStudent.at_angle(teachers.orthonormal(4, 3, 0), 0.5, 1)
    flow = TwoLayerFlow(one, trains_V=False)
    run = integrate(flow, (0.0, 200.0))
    assert spectral_rate(flow, run.final_state) == pytest.approx(spectral_rate(flow), rel=1e-5)
