"""What exact gradient flow must do: lose energy at the rate of its squared gradient and keep every node's balance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dynamics.deep.observables import balances
from dynamics.deep.sample_means import evaluate
from luckproof import DeepFlow, DeepProblem, integrate
from tests.test_dynamics.deep.deep_cases import drawn, unit


def balance_rates(problem: DeepProblem, flow: DeepFlow) -> np.ndarray:
    """``d/dt (||fan-in||^2 - ||fan-out||^2)`` of all hidden nodes over the largest of the two parts."""
    y = flow.initial_state()
    field = list(flow.unpack(flow(0.0, y)).values())
    rates, sizes = [], []
    for level in range(problem.depth - 1):
        grows = 2 * (problem.student[level] * field[level]).sum(axis=-2)
        loses = 2 * (problem.student[level + 1] * field[level + 1]).sum(axis=-1)
        real = slice(None, -1) if problem.biased else slice(None)
        rates.append((grows - loses)[..., real].ravel())
        sizes.append(np.maximum(np.abs(grows), np.abs(loses))[..., real].ravel())
    return np.concatenate(rates) / max(np.concatenate(sizes).max(), 1e-300)


cases = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 10**6),
        "slope": st.sampled_from([0.0, 0.3]),
        "biased": st.booleans(),
        "weighted": st.booleans(),
        "batch": st.sampled_from([(), (2,)]),
    }
)


@given(case=cases)
def test_every_nodes_balance_is_conserved(case: dict) -> None:
    """Incoming minus outgoing squared norm of a node, biases counted as incoming: rate 0 to rounding.

    Nothing in the flow's formula puts it there; it holds only for the exact gradient of homogeneous units.
    """
    problem = drawn(case.pop("seed"), (4, 3, 2, 3, 2), (4, 5, 4, 5, 2), **case)
    assert np.abs(balance_rates(problem, DeepFlow(problem))).max() < 1e-12


def test_the_closure_does_not_conserve_it() -> None:
    """Control: under the separated closure balances move at a rate of the order of the norms' own."""
    rates = []
    for seed in range(20):
        problem = drawn(seed, (4, 3, 2), (4, 5, 2), samples=100)
        rates.append(np.abs(balance_rates(problem, DeepFlow(problem, "separated"))).max())
    assert min(rates) > 0.01
    assert np.median(rates) > 0.1


@given(case=cases, projected=st.booleans(), modulation=st.sampled_from(["per_sample", "separated"]))
def test_the_loss_changes_at_the_rate_told(case: dict, projected: bool, modulation: str) -> None:
    """``dJ/dt`` of ``with_loss`` against a central difference of the loss along the field, in every mode; with
    per-sample modulation it is never positive. Instances with a gate that switches within the difference are left out.
    """
    problem = unit(drawn(case.pop("seed"), (4, 3, 3, 2), (4, 5, 4, 2), **case))
    flow = DeepFlow(problem, modulation, projected=projected, watch_gaps=False)  # type: ignore[arg-type]
    y = flow.initial_state()
    field, _, slope = flow.with_loss(0.0, y)
    h = 1e-6
    ends = [y + sign * h * field for sign in (1, -1)]
    gates = [evaluate(flow.weights(end), problem.measure.samples, problem.slope).gates for end in ends]
    assume(all(np.array_equal(*pair) for pair in zip(*gates, strict=True)))
    up, down = (flow.observables(end)["loss"] for end in ends)
    # Losses of order 1 to 100 are exact to 1e-14: over h that is 1e-8.
    np.testing.assert_allclose((up - down) / (2 * h), slope, rtol=1e-6, atol=1e-7)
    if modulation == "per_sample":
        assert np.all(slope <= 0)


@pytest.mark.parametrize("biased", [False, True])
def test_a_run_descends_in_balance(biased: bool) -> None:
    """Over a run the loss never rises, the energy lost is the integral of the squared gradient, and the drift of the
    balances falls with the tolerance: it is the method's error, not the flow's."""
    problem = drawn(11, (5, 4, 4, 2), (5, 8, 8, 2), samples=200, biased=biased, batch=(3,))
    flow = DeepFlow(problem, watch_gaps=False)
    drifts = []
    for rtol in (1e-5, 1e-7, 1e-9):
        run = integrate(flow, (0.0, 20.0), rtol=rtol, atol=1e-12)
        assert run.success, run.message
        assert np.all(np.diff(run.observables["loss"], axis=0) <= 0)
        states = np.concatenate(
            [run.state[f"W{level}"].reshape(len(run.t), -1) for level in range(3)], axis=1
        )
        slopes = np.array([flow.with_loss(0.0, y)[2] for y in states])
        lost = run.observables["loss"][0] - run.observables["loss"][-1]
        np.testing.assert_allclose(-np.trapezoid(slopes, run.t, axis=0), lost, rtol=30 * np.sqrt(rtol))
        drifts.append(run.observables["balance_drift"].max())
    assert drifts[2] < drifts[1] / 3 < drifts[0] / 9
    assert drifts[2] < 1e-5 * max(np.abs(b).max() for b in balances(problem, problem.student))
