"""Eqn 10's residual in its four forms: same turning, different norms; the exact form is the gradient flow."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from dynamics.geometry.angles import norms, tangent_projection
from dynamics.two_layer.residual_flow import node_residuals
from luckproof import BiasedGaussian, GradientFlow, IsotropicGaussian, ResidualFlow, TeacherStudent, integrate

pytestmark = pytest.mark.statement("specialization.eqn6", "specialization.eqn10", "specialization.theorem6")

BATCH, D, M, N, C = (3, 2), 4, 2, 3, 2


def ensemble(seed: int = 0, std: float = 1.3) -> TeacherStudent:
    rng = np.random.default_rng(seed)
    arrays = (rng.standard_normal((*BATCH, *shape)) for shape in ((D, M), (D, N), (M, C), (N, C)))
    return TeacherStudent(*arrays, IsotropicGaussian(D, std))


def field(problem: TeacherStudent, form: str) -> np.ndarray:
    flow = ResidualFlow(problem, form=form)
    return flow.unpack(flow(0.0, flow.initial_state()))["W"]


def test_exact_form_is_the_gradient_flow():
    """Written from Eqn 10's angles it equals the flow written from Theorem 6's vectors, W and V, ensembles included."""
    problem = ensemble()
    ours, theirs = ResidualFlow(problem, trains_V=True), GradientFlow(problem)
    y = ours.initial_state()
    assert ours(0.0, y) == pytest.approx(theirs(0.0, y), abs=1e-13)


@pytest.mark.parametrize(
    ("form", "speed"), [("projected", 1), ("plain", 1), ("exact", 1), ("multiplicative", "norm")]
)
def test_every_form_turns_alike(form, speed):
    """Across each column all forms are P_perp r, the multiplicative one times the norm."""
    problem = ensemble()
    W = problem.student_W
    r = node_residuals(problem, W, problem.student_V)[0]
    factor = norms(W)[..., None, :] if speed == "norm" else 1.0
    assert tangent_projection(W, field(problem, form)) == pytest.approx(
        factor * tangent_projection(W, r), abs=1e-13
    )


def test_a_stack_is_a_loop():
    """Each instance of an ensemble moves as it does alone."""
    problem = ensemble()
    alone = field(problem.instance((2, 1)), "exact")
    assert field(problem, "exact")[2, 1] == pytest.approx(alone, abs=1e-14)


def test_second_moment_scales_the_field():
    """Only c of the spherical law enters, as a factor of r."""
    wide, narrow = ensemble(std=2.0), ensemble(std=1.0)
    assert field(wide, "plain") == pytest.approx(4 * field(narrow, "plain"), rel=1e-13)


def test_norms_along_a_run():
    """The projected form keeps every norm; the exact form keeps ||w||^2 - ||v||^2."""
    problem = ensemble()
    kept = integrate(ResidualFlow(problem, form="projected"), (0.0, 3.0), rtol=1e-10)
    start, end = kept.observables["fan_in_norm"][[0, -1]]
    assert end == pytest.approx(start, rel=1e-8)
    free = integrate(ResidualFlow(problem, trains_V=True), (0.0, 3.0), rtol=1e-10).observables
    balance = free["fan_in_norm"] ** 2 - free["fan_out_norm"] ** 2
    assert balance[-1] == pytest.approx(balance[0], abs=1e-7)
    assert np.abs(free["fan_in_norm"][-1] - free["fan_in_norm"][0]).max() > 0.1
    assert np.all(np.diff(free["loss"], axis=0) < 1e-9)


def test_zero_columns_are_states():
    """A student that has shrunk to nothing still has a field, and stands still in the multiplicative form."""
    problem = ensemble()
    flow = ResidualFlow(problem, form="multiplicative")
    W = problem.student_W.copy()
    W[..., 0] = 0.0
    moved = flow.unpack(flow(0.0, flow.of_matrices(W, problem.student_V)))["W"]
    assert np.all(np.isfinite(moved))
    assert np.all(moved[..., 0] == 0)
    assert np.all(flow.observables(flow.of_matrices(W, problem.student_V))["cosine"][..., 0, :] == 0)


def test_bad_input_is_named():
    """Unknown forms and measures without spherical symmetry are refused."""
    with pytest.raises(ValueError, match="form: expected one of projected"):
        ResidualFlow(ensemble(), form="normalised")
    problem = dataclasses.replace(ensemble(), measure=BiasedGaussian(D - 1))
    with pytest.raises(TypeError, match="measure: expected IsotropicGaussian"):
        ResidualFlow(problem)


def test_a_run_describes_itself():
    """Names, shapes and configuration reach the result; fewer students than teachers are fine."""
    rng = np.random.default_rng(0)
    problem = TeacherStudent(rng.standard_normal((3, 4)), rng.standard_normal((3, 1)))
    run = integrate(ResidualFlow(problem, form="plain"), (0.0, 0.1))
    assert run.observables["cosine"].shape[1:] == (1, 4)
    assert run.attributes["configuration"]["form"] == "plain"
    assert run.to_xarray()["cosine"].dims[-2:] == ("node", "teacher")
