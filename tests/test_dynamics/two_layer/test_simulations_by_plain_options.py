"""Two-layer simulations by plain options: what is built is what the options say, and the run is that of the flow."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from dynamics.two_layer.problem_options import FlowName, MeasureName, TeacherName
from dynamics.two_layer.simulation import TwoLayerSimulation
from luckproof import (
    AnisotropicGaussian,
    BiasedGaussian,
    EmpiricalMeasure,
    GaussianMixture,
    GradientFlow,
    InputMeasure,
    IsotropicGaussian,
    ProjectedFlow,
    Status,
    TeacherStudent,
    TwoLayerFlow,
    UniformSphere,
    integrate,
)

FLOWS = {
    FlowName.PROJECTED: ProjectedFlow,
    FlowName.TWO_LAYER: TwoLayerFlow,
    FlowName.GRADIENT: GradientFlow,
}
SMALL = {"d": 4, "m": 2, "t_end": 2.0, "points": 3}


LAWS: dict[str, type[InputMeasure]] = {
    MeasureName.ISOTROPIC: IsotropicGaussian,
    MeasureName.BIASED: BiasedGaussian,
    MeasureName.ANISOTROPIC: AnisotropicGaussian,
    MeasureName.SPHERE: UniformSphere,
    MeasureName.RADEMACHER: EmpiricalMeasure,
    MeasureName.LAPLACE: EmpiricalMeasure,
    MeasureName.MIXTURE: GaussianMixture,
}

CHOICES = list(itertools.product(FLOWS, TeacherName, MeasureName))


@pytest.mark.parametrize(("flow", "teacher", "measure"), CHOICES)
def test_the_flow_is_the_one_that_is_named(
    flow: FlowName, teacher: TeacherName, measure: MeasureName
) -> None:
    """Its kind, its sizes and measure; the teachers' directions; students at the angle that is asked for."""
    built = TwoLayerSimulation(flow=flow, teacher=teacher, measure=measure, theta0=0.2, **SMALL).build()
    assert type(built) is FLOWS[flow]
    problem = built.problem
    assert (problem.m, problem.n) == (2, 2)
    assert type(problem.measure) is LAWS[measure]
    directions = problem.teacher_W[:4]
    gram = directions.T @ directions
    assert (abs(gram[0, 1]) < 1e-12) == (teacher is not TeacherName.RANDOM)
    turned = np.arccos(np.sum(problem.teacher_W * problem.student_W, axis=0))
    np.testing.assert_allclose(turned, 0.2, rtol=1e-7)


def test_thresholds_shut_the_teachers() -> None:
    """The bias is minus the threshold, in units of the direction."""
    built = TwoLayerSimulation(measure=MeasureName.BIASED, threshold=0.7, **SMALL).build()
    W = built.problem.teacher_W
    np.testing.assert_allclose(W[-1] / np.linalg.norm(W[:-1], axis=0), -0.7, rtol=1e-14)


def test_perturbed_starts_hold_their_share_of_the_teacher() -> None:
    """With all the weight on it the first students and fan-outs are the teacher's; the others' fan-outs vanish."""
    options = TwoLayerSimulation(flow=FlowName.GRADIENT, n=3, c=2, p_W=1.0, p_V=1.0, **SMALL)
    assert not options.starts_at_an_angle
    problem = options.problem()
    assert problem.student_V.shape == (3, 2)
    drawn = options.problem()
    np.testing.assert_array_equal(problem.student_W, drawn.student_W)
    other = TwoLayerSimulation(flow=FlowName.GRADIENT, n=3, c=2, p_W=0.5, p_V=0.5, **SMALL).problem()
    np.testing.assert_array_equal(problem.teacher_W, other.teacher_W)
    assert not np.array_equal(problem.student_W, other.student_W)


def test_a_run_is_that_of_its_flow() -> None:
    """The same bits as ``integrate`` with the same words; every option is in the attributes."""
    options = TwoLayerSimulation(instances=2, seed=7, method="DOP853", rtol=1e-6, atol=1e-9, **SMALL)
    built = options.build()
    run = options.run(built)
    plain = integrate(
        built, (0.0, 2.0), t_eval=[0.0, 1.0, 2.0], method="DOP853", rtol=1e-6, atol=1e-9, max_steps=100_000
    )
    np.testing.assert_array_equal(run.state["W"], plain.state["W"])
    assert run.state["W"].shape == (3, 2, 4, 2)
    assert run.attributes["simulation"]["seed"] == run.problem["seed"] == 7
    assert run.attributes["simulation"]["flow"] == "projected"


def test_until_ends_a_run() -> None:
    """Once every angle is below it; without it the run goes on."""
    found = TwoLayerSimulation(d=4, m=2, t_end=1000.0, points=3, until=1e-3)
    run = found.run(found.build())
    assert run.status is Status.CONVERGED
    assert run.observables["sin_theta"][-1].max() <= 1e-3
    assert TwoLayerSimulation(**SMALL).events == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"d": 0}, "d: expected"),
        ({"m": -1}, "m: expected"),
        ({"n": 0}, "n: expected"),
        ({"c": 2}, "c: expected 1 in the projected flow"),
        ({"n": 3}, "n: expected n = m = 2"),
        ({"threshold": 0.5}, "threshold: expected 0 without the biased measure"),
        ({"p_W": 0.5}, "p_W: the projected flow starts at an angle"),
        (
            {"flow": FlowName.GRADIENT, "theta0": 0.1, "p_V": 0.5},
            "theta0: expected either theta0 or p_W and p_V",
        ),
        ({"until": 0.0}, "until: expected"),
        ({"t_end": -1.0}, "t_end: expected"),
        ({"seed": -1}, "seed: expected"),
        ({"instances": 0}, "instances: expected"),
        ({"points": 1}, "points: expected"),
        ({"d": 10**9}, r"d: the run takes about .* GiB \(d = 1000000000, .* are available"),
        ({"points": 10**12}, r"points: the run takes about .* GiB"),
    ],
    ids=str,
)
def test_options_that_do_not_go_together_are_refused(options: dict[str, Any], words: str) -> None:
    """When they are made, by name, sizes beyond the memory with the estimate; one of them alone is at fault."""
    with pytest.raises(ValueError, match=f"^{words}"):
        TwoLayerSimulation(**{**SMALL, **options})


def test_the_estimate_grows_as_the_arrays_do() -> None:
    """Twice the instances, twice the bytes; records of a long run outweigh the rest."""
    one, two = (TwoLayerSimulation(instances=k, **SMALL) for k in (1, 2))
    assert two.memory == 2 * one.memory
    assert one.memory >= one.build().initial_state().nbytes * one.points
    problem: TeacherStudent = one.problem()
    assert one.state_size >= problem.student_W.size
