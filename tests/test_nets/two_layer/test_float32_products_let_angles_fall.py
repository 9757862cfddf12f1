"""Students whose products are in float32 and whose weights are not: the error of a gradient, and where angles stop."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from luckproof import (
    IsotropicGaussian,
    LeakyKernels,
    TeacherStudent,
    Trajectory,
    TwoLayerStudents,
    teachers,
    train,
)
from nets.products import PRODUCTS, Products
from nets.two_layer.networks import BatchGradient
from nets.two_layer.rounded_gradient import StepGradient, step_gradient
from tests.test_nets.documented_precision import ROWS, levels

UNIT = 2.0**-24
"""Half an ulp of 1 in float32."""


def gradients(found: StepGradient, x: Tensor) -> list[Tensor]:
    """Residual and sums of minus the gradients of one batch, as copies."""
    residual = found.residual(x).clone()
    return [residual, found.for_fan_in(x).clone(), found.for_readout().clone()]


@given(
    *(st.integers(1, most) for most in (3, 8, 5, 5, 3, 40)), st.integers(0, 2**31), st.sampled_from([0.0, -9.0])
)  # fmt: skip
def test_the_error_of_a_gradient_is_bounded(
    count: int, d: int, m: int, n: int, c: int, batch: int, seed: int, near: float
) -> None:
    """By that of its own roundings, also 1e-9 from the teacher; the residual of products in float32 is wrong there."""
    rng = np.random.default_rng(seed)
    draw = rng.standard_normal
    n += m
    W1, V1 = draw((count, d, m)), draw((count, m, c))
    W, V = draw((count, d, n)), draw((count, n, c))
    if near:
        n, W, V = m, W1 + 10**near * draw((count, d, m)), V1
    students = TwoLayerStudents(TeacherStudent(W1, W, V1, V), torch.device("cpu"))
    x = torch.tensor(draw((count, d, batch)))
    exact = gradients(step_gradient(students, batch, "own"), x)
    found = gradients(step_gradient(students, batch, "float32-backward"), x)
    hidden = torch.relu(students.W.mT @ x)
    through = students.V.abs() @ exact[0].abs() * (hidden > 0)
    scales = [through @ x.abs().mT, exact[0].abs() @ hidden.mT]
    terms = [c + batch + 4, batch + 2]
    assert torch.equal(found[0], exact[0])
    for ours, right, scale, chain in zip(found[1:], exact[1:], scales, terms, strict=True):
        assert bool(((ours - right).abs() <= scale * ((1 + UNIT) ** chain - 1) + 1e-13 * scale).all())
    outputs = students.fan_in.abs() @ x.abs()
    rounded = gradients(step_gradient(students, batch, "float32"), x)
    most = (students.readout.abs() @ outputs) * ((1 + UNIT) ** (d + m + n + 4) - 1)
    assert bool(((rounded[0] - exact[0]).abs() <= 1.001 * most).all())
    if near and batch * count > 3 and hidden.any():
        assert float((rounded[0] - exact[0]).norm()) > 1e-3 * float(exact[0].norm())  # the control


def problem(start: float, slope: float = 0.0) -> TeacherStudent:
    """Three orthonormal teachers in six dimensions and students at an angle to them."""
    teacher = teachers.orthonormal(6, 3, np.random.default_rng(0))
    measure = LeakyKernels(IsotropicGaussian(6), slope) if slope else None
    return TeacherStudent.at_angle(teacher, start, np.random.default_rng(1), measure=measure)


def trained(
    products: Products = "own", dtype: torch.dtype = torch.float64, start: float = 0.3, slope: float = 0.0,
    **options: object,
) -> Trajectory:  # fmt: skip
    students = TwoLayerStudents.from_problem(problem(start, slope), "cpu", dtype)
    settings = {"lr": 0.1, "batch_size": 16, "steps": 20, "seed": 0, "record_at": ()} | options
    return train(students, products=products, **settings)  # type: ignore[arg-type]


MODES: list[dict[str, object]] = [
    {},
    {"train_V": True, "momentum": 0.5, "weight_decay": 0.01},
    {"projected": False},
    {"projected": False, "momentum": 0.5, "slope": 0.1},
]


@pytest.mark.parametrize(
    "mode", MODES, ids=["Theorem 4", "Theorem 5, momentum", "plain", "plain, leaky, momentum"]
)
@pytest.mark.parametrize("products", PRODUCTS[1:])
def test_a_few_steps_are_those_of_float64(products: Products, mode: dict[str, object]) -> None:
    """To 1e-5 in every mode, and not to 1e-12: the products are rounded."""
    exact, found = trained(**mode), trained(products, **mode)  # type: ignore[arg-type]
    for name, value in exact.state.items():
        np.testing.assert_allclose(found.state[name], value, rtol=0, atol=1e-5)
    assert np.abs(found.state["W"] - exact.state["W"]).max() > 1e-12


def test_by_default_the_gradient_is_that_without_the_option() -> None:
    """The same object that made it before there were two."""
    students = TwoLayerStudents(problem(0.3), torch.device("cpu"))
    assert type(step_gradient(students, 4, "own")) is BatchGradient


@pytest.mark.parametrize("row", ROWS)
def test_angles_stop_where_the_documentation_says(row: str) -> None:
    """Within a factor of 5 of its table: float32 weights stop at an angle that grows as 1 / lr, products do not."""
    runs = ((0.5, 3000), (0.05, 6000), (0.005, 12000))
    for (lr, steps), level in zip(runs, levels(row, 1), strict=True):
        found = trained(*ROWS[row], start=1e-5, lr=lr, steps=steps).observables["sin_theta"][-1].max()
        assert level / 5 < found < level * 5


def test_a_run_says_its_products() -> None:
    """In its attributes, unless they are the default's."""
    assert "products" not in trained().attributes
    assert trained("float32").attributes["products"] == "float32"


def test_products_that_cannot_be_are_told() -> None:
    """Another word, and networks without more to keep; nothing is trained."""
    with pytest.raises(
        ValueError, match="products: expected one of own, float32, float32-backward, got 'half'"
    ):
        trained("half")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="products: expected 'own' for networks in float32, got 'float32'"):
        trained("float32", torch.float32)
