"""``max_step`` and ``first_step`` bind every method; further options go where SciPy's go, or are warned of."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from scipy.integrate import RK45, solve_ivp

from dynamics.ode.steppers.methods import LOSS_CONTROLLED
from luckproof import METHODS, Trajectory, integrate
from tests.test_dynamics.ode.ode_problems import Field
from tests.test_dynamics.ode.test_flows_give_real_numbers import Descent

FLOW = Field(lambda t, y: -y * np.array([1.0, 30.0]), [1.0, 2.0])
EVERY = [*METHODS, *LOSS_CONTROLLED]


def run_of(method: str, **options: Any) -> Trajectory:
    """Over t = 0 ... 1, each step a row."""
    flow: Any = Descent("") if method in LOSS_CONTROLLED else FLOW
    return integrate(flow, (0.0, 1.0), method=method, rtol=1e-4, atol=1e-6, **options)


@pytest.mark.parametrize("method", EVERY)
def test_no_step_is_longer_than_max_step(method: str) -> None:
    """Beyond rounding of the times; without the bound there is a longer one (control)."""
    bound = 0.004
    run = run_of(method, max_step=bound)
    assert run.success
    assert np.diff(run.t).max() <= bound * (1 + 1e-12)
    assert np.diff(run_of(method).t).max() > bound
    assert run.attributes["max_step"] == bound


@pytest.mark.parametrize("method", EVERY)
def test_the_first_step_is_the_one_asked_for(method: str) -> None:
    """Or shorter, where it was rejected; a tiny one is taken as it is."""
    run = run_of(method, first_step=1e-7)
    assert run.t[1] == pytest.approx(1e-7, rel=1e-6)
    assert run.attributes["first_step"] == 1e-7
    assert run_of(method, first_step=1.0).success


@pytest.mark.parametrize("method", [*EVERY, "auto"])
@pytest.mark.parametrize("name", ["max_step", "first_step"])
@pytest.mark.parametrize(
    ("value", "kind"),
    [(0.0, ValueError), (-1.0, ValueError), (np.nan, ValueError), ("1", TypeError), (True, TypeError)],
)
def test_bad_bounds_name_themselves(method: str, name: str, value: Any, kind: type[Exception]) -> None:
    """Whatever the method, by the same words."""
    with pytest.raises(kind, match=f"^{name}: expected a "):
        run_of(method, **{name: value})


def test_a_first_step_beyond_the_span_is_refused() -> None:
    """An infinite longest step is none (control)."""
    with pytest.raises(ValueError, match=r"^first_step: expected at most the span 1\.0, got 2\.0"):
        run_of("RK45", first_step=2.0)
    assert run_of("RK45", max_step=np.inf, first_step=None).attributes["max_step"] is None


@pytest.mark.parametrize("method", EVERY)
def test_unused_options_warn_as_scipy_does(method: str) -> None:
    """The words and category of ``solve_ivp``, once, and the run is as without; used ones do not warn (control)."""
    with pytest.warns(UserWarning, match="no effect for a chosen solver: `lbnd`") as told:
        run = run_of(method, lbnd=1)
    assert len(told) == 1
    assert told[0].filename == __file__
    assert run.state["y"].tolist() == run_of(method).state["y"].tolist()
    with pytest.warns(UserWarning, match="no effect for a chosen solver: `lbnd`"):
        solve_ivp(FLOW, (0.0, 1.0), FLOW.start, method="RK45", lbnd=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run_of(method, max_step=0.5)


@pytest.mark.parametrize("method", ["LSODA", "Radau", "BDF"])
def test_a_given_jacobian_saves_evaluations(method: str) -> None:
    """And what is wrong with it is said by its name; its own errors pass."""
    stiff = Field(lambda t, y: -y * np.array([1.0, 3000.0]), [1.0, 2.0])
    exact = integrate(stiff, (0.0, 1.0), method=method, jac=lambda t, y: np.diag([-1.0, -3000.0]))
    assert exact.success
    assert exact.nfev < integrate(stiff, (0.0, 1.0), method=method).nfev
    with pytest.raises(ValueError, match=r"^jac\(t, y\): expected shape \(2, 2\), got \(2,\)"):
        integrate(stiff, (0.0, 1.0), method=method, jac=lambda t, y: np.array([-1.0, -3000.0]))
    with pytest.raises(TypeError, match=r"^jac\(t, y\): expected an array of real numbers"):
        integrate(stiff, (0.0, 1.0), method=method, jac=lambda t, y: np.diag([-1.0, -3000.0]) + 0j)

    def broken(t: float, y: Any) -> Any:
        raise ValueError("mine")

    with pytest.raises(ValueError, match=r"^mine$"):
        integrate(stiff, (0.0, 1.0), method=method, jac=broken)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"lband": -1}, "^lband: expected a non-negative integer"),
        ({"uband": 2}, "^uband: expected fewer diagonals than the 2 components"),
        ({"min_step": -1.0}, "^min_step: expected a number >= 0"),
        ({"jac": np.eye(3)}, r"^jac: expected shape \(2, 2\)"),
        ({"jac_sparsity": np.eye(3)}, r"^jac_sparsity: expected shape \(2, 2\)"),
    ],
)
def test_bad_options_name_themselves(options: dict[str, Any], match: str) -> None:
    """Before the run, whether the method uses them or not."""
    for method in ("LSODA", "RK45"):
        with pytest.raises(ValueError, match=match):
            run_of(method, **options)


def test_a_solver_of_ones_own_gets_what_is_given() -> None:
    """A subclass of SciPy's ``OdeSolver`` is given every option."""
    seen: dict[str, Any] = {}

    class Mine(RK45):  # type: ignore[misc]
        def __init__(self, *args: Any, colour: str = "", **options: Any) -> None:
            seen.update(colour=colour, **options)
            super().__init__(*args, **options)

    assert integrate(FLOW, (0.0, 1.0), method=Mine, colour="red", max_step=0.25).success
    assert (seen["colour"], seen["max_step"]) == ("red", 0.25)
