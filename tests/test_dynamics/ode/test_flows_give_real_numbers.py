"""What a flow, an event or a Jacobian gives is taken as it is or refused by name: nothing is truncated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from luckproof import METHODS, Array, Event, Flow, integrate
from tests.test_dynamics.ode.ode_problems import Field, at_most

LOSSY: dict[str, Any] = {
    "complex": lambda y: -y + 0j,
    "masked": lambda y: np.ma.masked_less(-y, 0.5),
    "texts": lambda y: (-y).astype(str),
    "objects": lambda y: (-y).astype(object),
    "tensor": lambda y: torch.from_numpy(-y),
    "tensors in a list": lambda y: list(torch.from_numpy(-y)),
    "truth values": lambda y: y > 0,
    "long doubles": lambda y: np.asarray(-y, dtype=np.longdouble),
    "None": lambda y: None,
}
"""What NumPy would make float64 of and lose something, or fail on without a name."""


@pytest.mark.parametrize("method", ["auto", *METHODS])
@pytest.mark.parametrize("kind", LOSSY)
def test_derivatives_are_real(kind: str, method: str) -> None:
    """Refused with the name ``flow(t, y)``, by every method and from the first evaluation."""
    flow = Field(lambda t, y: LOSSY[kind](y), [1.0, -2.0])
    with (
        at_most(20),
        pytest.raises(TypeError, match=r"^flow\(t, y\): expected an array of real numbers, got "),
    ):
        integrate(flow, (0.0, 1.0), method=method)


@pytest.mark.parametrize("method", METHODS)
def test_later_derivatives_are_real_too(method: str) -> None:
    """A field that turns complex half way ends as the flow's own error, not as a method that gave up."""
    flow = Field(lambda t, y: -y if t < 0.5 else -y + 1e-3j, [1.0, -2.0])
    with at_most(20), pytest.raises(TypeError, match=r"^flow\(t, y\): expected .* dtype complex128"):
        integrate(flow, (0.0, 1.0), method=method)


@pytest.mark.parametrize("kind", LOSSY)
def test_starts_and_events_are_real(kind: str) -> None:
    """``initial_state()`` and the value of an event likewise."""

    class Start(Field):
        def initial_state(self) -> Any:
            return LOSSY[kind](np.array([1.0, 2.0]))

    with pytest.raises(TypeError, match=r"^flow\.initial_state\(\): expected an array of real numbers, got "):
        integrate(Start(lambda t, y: -y, None), (0.0, 1.0))
    event = Event("low", lambda t, y: LOSSY[kind](y))
    with pytest.raises(TypeError, match=r"^events: event 'low'\(t, y\): expected "):
        integrate(Field(lambda t, y: -y, [1.0, 2.0]), (0.0, 1.0), events=[event])


def test_an_event_is_one_number() -> None:
    """An array of one element has no sign of its own; integers are numbers (control)."""
    flow = Field(lambda t, y: -y, [1.0])
    with pytest.raises(
        TypeError, match=r"^events: event 'low'\(t, y\): expected a number, got an array of shape \(1,\)"
    ):
        integrate(flow, (0.0, 1.0), events=[Event("low", lambda t, y: y - 0.5)])
    run = integrate(flow, (0.0, 1.0), events=[Event("step", lambda t, y: 1 if y[0] > 0.5 else -1)])
    assert run.t[-1] == pytest.approx(np.log(2), abs=1e-6)


@pytest.mark.parametrize("kind", ["complex", "masked", "objects", "tensor"])
def test_observables_are_real(kind: str) -> None:
    """Before the run, by the observable's name."""

    class Watched(Field):
        def observables(self, y: Any) -> dict[str, Any]:
            return {"size": LOSSY[kind](y)}

    with pytest.raises(TypeError, match=r"^size: expected "):
        integrate(Watched(lambda t, y: -y, [1.0, 2.0]), (0.0, 1.0))


class Descent(Flow):
    """y' = -y of the loss y^2 / 2, which comes as ``kind``."""

    dimensions = {"y": ("node",)}  # noqa: RUF012
    initial_arrays = {"y": np.array([1.0])}  # noqa: RUF012

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __call__(self, t: float, y: Array) -> Array:
        return -y

    def with_loss(self, t: float, y: Array) -> Any:
        loss = np.array(y @ y / 2)
        return (-y, LOSSY[self.kind](-loss[None])[0] if self.kind else loss, -(y @ y))


@pytest.mark.parametrize("kind", ["complex", "texts", "truth values"])
def test_losses_are_real(kind: str) -> None:
    """Of a flow that tells its loss; a real one runs (control)."""
    with pytest.raises(TypeError, match=r"^flow\.with_loss\(t, y\)\[1\]: expected an array of real numbers"):
        integrate(Descent(kind), (0.0, 1.0), method="HeunDescent")
    assert integrate(Descent(""), (0.0, 1.0), method="HeunDescent").success


@pytest.mark.parametrize("method", METHODS)
def test_integers_and_single_precision_are_taken(method: str) -> None:
    """Control: nothing is lost from lists, integers and float32."""
    for give in (lambda y: list(-y), lambda y: [0, 0], lambda y: (-y).astype(np.float32)):
        assert integrate(
            Field(lambda t, y, give=give: give(y), [1.0, 2.0]), (0.0, 1.0), method=method, rtol=1e-4
        ).success
