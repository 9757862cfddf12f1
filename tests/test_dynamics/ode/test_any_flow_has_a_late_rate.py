"""The rate of a flow of one's own: the slowest eigenvalue at its state of rest, by differences of its field."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamics.ode.late_rate import jacobian_by_differences
from luckproof import (
    Array,
    Flow,
    ProjectedFlow,
    TeacherStudent,
    TwoLayerFlow,
    converged,
    integrate,
    spectral_rate,
    teachers,
)


class Linear(Flow):
    """``dx/dt = -(x - 1) A^T``, a matrix A (..., k, k) an instance; it watches how far it is."""

    dimensions = {"x": ("node",)}  # noqa: RUF012

    def __init__(self, A: Array) -> None:
        self.A = A

    @property
    def initial_arrays(self) -> dict[str, Array]:
        return {"x": np.zeros(self.A.shape[:-1])}

    def __call__(self, t: float, y: Array) -> Array:
        x = self.unpack(y)["x"]
        return -np.einsum("...ij,...j->...i", self.A, x - 1).ravel()

    def observables(self, y: Array) -> dict[str, Any]:
        return {"distance": np.abs(self.unpack(y)["x"] - 1)}


def symmetric(seed: int, lead: tuple[int, ...] = (), size: int = 4) -> tuple[Array, Array]:
    """Matrices with given eigenvalues between .1 and 3."""
    rng = np.random.default_rng(seed)
    values = np.sort(rng.uniform(0.1, 3.0, (*lead, size)), axis=-1)
    Q = np.linalg.qr(rng.standard_normal((*lead, size, size)))[0]
    return (Q * values[..., None, :]) @ np.swapaxes(Q, -1, -2), values


@settings(max_examples=30)
@given(st.integers(0, 2**16), st.sampled_from([(), (3,), (2, 2)]))
def test_a_linear_flow_has_its_own_eigenvalues(seed: int, lead: tuple[int, ...]) -> None:
    """Of every instance, to the rounding of the differences (1e-16 over the step of 5e-6)."""
    A, values = symmetric(seed, lead)
    flow = Linear(A)
    rate, spectrum = spectral_rate(flow, np.ones(A[..., 0].size), return_spectrum=True)
    np.testing.assert_allclose(spectrum, values, atol=1e-9)
    np.testing.assert_allclose(rate, values[..., 0], atol=1e-9)
    assert isinstance(rate, float) == (lead == ())


def test_it_is_the_late_rate_of_a_run() -> None:
    """A run that has converged fell at that rate in the end; ``converged`` watches the flow's own observable."""
    A, values = symmetric(3)
    run = integrate(
        Linear(A), (0.0, 500.0), t_eval=np.linspace(0, 500, 5001), events=[converged(1e-6, "distance")],
        rtol=1e-10, atol=1e-14,
    )  # fmt: skip
    assert run.status == "converged"
    sizes = np.linalg.norm(run.observables["distance"], axis=1)
    late = sizes < 1e-4
    fitted = -np.polyfit(run.t[late], np.log(sizes[late]), 1)[0]
    assert fitted == pytest.approx(spectral_rate(Linear(A), np.ones(4)), rel=1e-3)
    assert values[0] == pytest.approx(fitted, rel=1e-3)


def test_it_agrees_with_the_closed_form() -> None:
    """A two-layer flow that hides what it is: the same rate where V and free columns are its whole tangent space."""

    class Hidden(Flow):
        dimensions = TwoLayerFlow.dimensions

        def __init__(self, known: TwoLayerFlow) -> None:
            self.known = known

        @property
        def initial_arrays(self) -> dict[str, Array]:
            return self.known.unpack(self.known.initial_state())

        def __call__(self, t: float, y: Array) -> Array:
            return self.known(t, y)

    known = ProjectedFlow(TeacherStudent.at_angle(teachers.orthonormal(5, 3, 0), 0.3, 0))
    own = Hidden(known)
    # Off the spheres the projected flow stands still: three directions are flat.
    found = spectral_rate(own, known.equilibrium(), flat=3)
    assert found == pytest.approx(spectral_rate(known), rel=1e-6)


def test_what_is_missing_is_told() -> None:
    """The state, one at rest, of its size; flat directions that nobody has counted; too many components."""
    flow = Linear(np.diag([1.0, 0.0]))
    with pytest.raises(
        ValueError, match=r"^state: expected the flat state at which Linear rests, .* got None$"
    ):
        spectral_rate(flow)
    with pytest.raises(ValueError, match=r"^state: expected a flat state of shape \(2,\), got shape \(3,\)$"):
        spectral_rate(flow, np.ones(3))
    with pytest.raises(ValueError, match=r"^state: expected an equilibrium of the flow"):
        spectral_rate(Linear(np.eye(2)), np.zeros(2))
    with pytest.raises(
        ValueError, match=r"^state: expected a rate that can be told from zero; 1 eigenvalues .* pass flat"
    ):
        spectral_rate(flow, np.ones(2))
    assert spectral_rate(flow, np.ones(2), flat=1) == pytest.approx(1.0)
    with pytest.raises(TypeError, match=r"^flow: expected a Flow, got "):
        spectral_rate(lambda t, y: -y, np.ones(2))  # type: ignore[arg-type]


def test_an_unstable_state_has_a_negative_rate() -> None:
    """The slowest of -J, whatever its sign."""
    assert spectral_rate(Linear(np.diag([1.0, -0.5])), np.ones(2)) == pytest.approx(-0.5)


def test_instances_do_not_mix() -> None:
    """One Jacobian an instance, in the order of its own components."""
    A, _ = symmetric(5, (2,), size=3)
    np.testing.assert_allclose(jacobian_by_differences(Linear(A), np.ones(6)), -A, atol=1e-9)


@pytest.mark.parametrize(
    ("field", "error", "words"),
    [
        (lambda y: y[:-1], ValueError, r"expected shape \(3,\), got \(2,\)"),
        (lambda y: y[None], ValueError, r"expected shape \(3,\), got \(1, 3\)"),
        (lambda y: y * np.nan, ValueError, "expected finite numbers near the state"),
        (lambda y: y + 0j, TypeError, "expected an array of real numbers"),
        (lambda y: None, TypeError, "expected an array of real numbers"),
    ],
)
def test_a_field_that_is_none_is_named(field: Any, error: type[Exception], words: str) -> None:
    """As where it is integrated: in one line, which says what it gave."""

    class Own(Linear):
        def __call__(self, t: float, y: Array) -> Any:
            return field(y)

    with pytest.raises(error, match=rf"^flow\(t, y\): {words}"):
        spectral_rate(Own(np.eye(3)), np.zeros(3))


def test_a_field_may_fill_the_same_array_at_every_call() -> None:
    """As where it is integrated; a difference of the array and itself would be zero."""
    A, _ = symmetric(0)

    class Reusing(Linear):
        array = np.empty(4)

        def __call__(self, t: float, y: Array) -> Array:
            self.array[:] = super().__call__(t, y)
            return self.array

    assert spectral_rate(Reusing(A), np.ones(4)) == spectral_rate(Linear(A), np.ones(4))


def test_a_field_as_steep_as_float64_allows_has_its_rate() -> None:
    """Twice a slope of 1e308 would be infinite."""
    assert spectral_rate(Linear(1e308 * np.eye(3)), np.ones(3)) == pytest.approx(1e308, rel=1e-7)
