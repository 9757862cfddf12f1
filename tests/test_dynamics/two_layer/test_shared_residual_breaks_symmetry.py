"""Students after one target: what each form conserves, where alignment stops, how an advantage grows."""

from __future__ import annotations

import numpy as np
import pytest

from luckproof import LotkaVolterraFlow, SharedResidualFlow, integrate, teachers

pytestmark = pytest.mark.statement("specialization.theorem7", "specialization.eqn8")


def four(form: str, boost: float = 0.05) -> SharedResidualFlow:
    """Four equal students along the target, sum of weights 1, the first at an advantage."""
    target = np.array([0.6, 0.8])
    return SharedResidualFlow(
        target, np.repeat(target[:, None], 4, axis=1), np.full(4, 0.25), [boost, 0, 0, 0], form=form
    )


def norms_at(flow: SharedResidualFlow, time: float) -> np.ndarray:
    run = integrate(flow, (0.0, time), t_eval=[time], rtol=1e-11, atol=1e-14)
    return np.array([0.6, 0.8]) @ run.state["W"][-1]


def test_multiplicative_advantage_is_exponential():
    """54.6 at t = 80, 2981 at t = 160."""
    for time, expected in ((80.0, np.exp(4.0)), (160.0, np.exp(8.0))):
        x = norms_at(four("multiplicative"), time)
        assert x[0] / x[1] == pytest.approx(expected, rel=1e-8)


def test_plain_advantage_is_linear_and_losers_turn_round():
    """w_1 - w_2 = eps t w*; the others are at -0.99 w* at t = 160."""
    x = norms_at(four("plain"), 160.0)
    assert x[0] - x[1] == pytest.approx(8.0, rel=1e-9)
    assert x[1] == pytest.approx(-0.9875, abs=1e-8)


@pytest.mark.parametrize("form", ["projected", "plain", "multiplicative"])
def test_conserved(form):
    """Projected keeps norms; plain keeps differences of equally pulled students."""
    rng = np.random.default_rng(1)
    flow = SharedResidualFlow(
        teachers.random_unit(5, 1, rng)[:, 0], rng.standard_normal((5, 3)), np.full(3, 0.4), form=form
    )
    W = integrate(flow, (0.0, 5.0), rtol=1e-10).state["W"][[0, -1]]
    kept = {
        "projected": lambda w: np.linalg.norm(w, axis=0),
        "plain": lambda w: w[:, :1] - w[:, 1:],
        "multiplicative": lambda w: 0.0,
    }[form]
    assert kept(W[1]) == pytest.approx(kept(W[0]), abs=1e-8)
    assert np.abs(W[1] - W[0]).max() > 0.1


def test_heavy_students_stop_before_they_align():
    """Sum of weights 2: the residual is gone while directions differ; one student alone does align."""
    rng = np.random.default_rng(0)
    target = teachers.random_unit(6, 1, rng, (8,))[..., 0]
    start = teachers.random_unit(6, 4, rng, (8,))
    heavy = integrate(SharedResidualFlow(target, start, np.full(4, 0.5)), (0.0, 60.0)).observables
    assert heavy["residual_norm"][-1].max() < 1e-6
    assert heavy["cosine"][-1].min(axis=-1).max() < 0.95
    alone = integrate(SharedResidualFlow(target, start[..., :1], [2.0]), (0.0, 60.0)).observables
    assert alone["cosine"][-1] == pytest.approx(1.0, abs=1e-9)


def test_a_stack_is_a_loop():
    """Targets, weights and boosts broadcast against the starts."""
    rng = np.random.default_rng(2)
    target, start = rng.standard_normal((5, 3)), rng.standard_normal((5, 3, 2))
    stack = SharedResidualFlow(target, start, [0.1, 0.2], [0.3, 0.0], form="multiplicative")
    whole = stack.unpack(stack(0.0, stack.initial_state()))["W"]
    alone = SharedResidualFlow(target[3], start[3], [0.1, 0.2], [0.3, 0.0], form="multiplicative")
    assert stack.instances == 5
    assert whole[3].ravel() == pytest.approx(alone(0.0, alone.initial_state()), abs=1e-15)


def test_lotka_volterra_excludes_and_coexists():
    """Equal rows: the fittest alone is left. Weak competition between two: both stay, at A^-1 g."""
    exclusion = LotkaVolterraFlow([1.2, 1.0, 1.1], np.ones((3, 3)), [0.1, 1.0, 0.5])
    run = integrate(exclusion, (0.0, 300.0))
    assert run.state["x"][-1] == pytest.approx([1.2, 0.0, 0.0], abs=1e-7)
    A, g = np.array([[1.0, 0.4], [0.3, 1.0]]), np.array([1.0, 0.8])
    both = integrate(LotkaVolterraFlow(g, A, np.array([[0.1, 2.0], [1.5, 0.01]])), (0.0, 100.0))
    assert both.state["x"][-1] == pytest.approx(np.tile(np.linalg.solve(A, g), (2, 1)), abs=1e-7)
    assert both.observables["share"].sum(axis=-1) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: SharedResidualFlow([1, 0], np.ones((2, 2)), [1, 1], form="exact"), "form"),
        (lambda: SharedResidualFlow([1, 0, 0], np.ones((2, 2)), [1, 1]), "target"),
        (lambda: SharedResidualFlow([1, 0], np.ones(2), [1, 1]), "start"),
        (lambda: SharedResidualFlow([0, 0], np.ones((2, 2)), [1, 1]), "start, target"),
        (lambda: SharedResidualFlow([1, 0], np.ones((2, 2)), [1, np.nan]), "weights"),
        (lambda: LotkaVolterraFlow([1, 1], np.ones((3, 3)), [1, 1]), "growth, interaction, start"),
        (lambda: LotkaVolterraFlow([1, 1], np.ones((2, 2)), [1, 0]), "start: expected positive"),
        (lambda: LotkaVolterraFlow([1, np.inf], np.ones((2, 2)), [1, 1]), "growth: expected finite"),
    ],
)
def test_bad_input_is_named(make, name):
    """One ValueError that names the argument."""
    with pytest.raises(ValueError, match=f"^{name}"):
        make()
