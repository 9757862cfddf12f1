"""Fields and losses from deviations against many digits, at every size of the deviation."""

from __future__ import annotations

from dataclasses import dataclass

import mpmath as mp
import numpy as np
import pytest

from dynamics.two_layer.deviations.field import DeviationField, Terms
from dynamics.two_layer.deviations.loss import loss_of_deviations
from luckproof import Array, IsotropicGaussian, TeacherStudent, TwoLayerFlow
from tests.test_dynamics.two_layer import exact_flow

SCALES = (1.0, 1e-3, 1e-8, 1e-30, 1e-100)
# A loss of 1e-200 from kernels of order one, to 50 digits more.
DIGITS = 260


@dataclass(frozen=True)
class Case:
    """A teacher and a direction of deviation from it; ``narrow``: the angle at which two teachers are made to stand."""

    projected: bool = True
    along: bool = False
    d: int = 3
    n: int = 3
    orthonormal: bool = False
    ones: bool = False
    narrow: float = 0.0

    def arrays(self) -> tuple[Array, Array, Array, Array | None]:
        """``(W*, V*, Z, E)``: two teachers, n students."""
        rng = np.random.default_rng(7)
        W, V = rng.standard_normal((self.d, 2)), rng.standard_normal((2, 2))
        if self.narrow:
            W[:, 1] = -1.3 * W[:, 0] + self.narrow * rng.standard_normal(self.d)
        if self.orthonormal:
            W = np.linalg.qr(W)[0]
        if self.projected:
            W /= np.linalg.norm(W, axis=0)
        Z, E = rng.standard_normal((self.d, self.n)), rng.standard_normal((self.n, 2))
        if self.projected:
            Z[:, :2] -= W * np.sum(W * Z[:, :2], axis=0)
        return (W, np.ones((2, 1)), Z, None) if self.ones else (W, V, Z, E)


CASES = {
    "projected": Case(),
    "orthonormal": Case(d=4, orthonormal=True),
    "Theorem 4": Case(n=2, ones=True),
    "Theorem 4, orthonormal": Case(n=2, ones=True, orthonormal=True),
    "Eqn 6 as printed": Case(projected=False),
    "gradient": Case(projected=False, along=True),
    "nearly opposite teachers": Case(projected=False, along=True, narrow=1e-3),
}


def evaluated(case: Case, scale: float) -> tuple[Array, Array | None, float]:
    """W', V' and the loss from deviations, in units of the deviation (the r-set's W' as it is)."""
    W, V, Z, E = case.arrays()
    terms = Terms(1.0, case.projected, not case.ones, along=case.along, ones=case.ones)
    field, size = DeviationField(W, V, terms), np.full((1, 1), scale)
    turned = field.teacher.from_given(Z)
    dW, dV, _ = field(turned, E, size)
    return field.teacher.to_given(dW), dV, float(loss_of_deviations(field, field.seen(turned, E, size)))


def exactly(case: Case, scale: float) -> tuple[Array, Array, float]:
    """The same in many digits, from W and V themselves."""
    W, V, Z, E = case.arrays()
    m, size = 2, mp.mpf(scale)
    centre = np.concatenate([W, Z[:, m:]], axis=1)
    fan_outs = np.concatenate([V, np.zeros((case.n - m, V.shape[1]))])
    teacher = exact_flow.network(W, V)
    moved = np.where(np.arange(case.n) < m, Z, 0.0)
    student = exact_flow.network(centre, fan_outs, moved, E, size)
    if case.projected:  # the teachers' columns count as unit columns, beyond their rounding
        teacher = exact_flow.Network([exact_flow.unit(w) for w in teacher.fan_ins], teacher.fan_outs)
        for k, w in enumerate(teacher.fan_ins):
            student.fan_ins[k] = [x + size * mp.mpf(float(y)) for x, y in zip(w, Z[:, k], strict=True)]
    pulls, slopes = exact_flow.field(teacher, student, projected=case.projected, along=case.along)
    J = exact_flow.loss(teacher, student, projected=case.projected)
    dW = np.array([[float(x / (size if j < m else 1)) for x in pull] for j, pull in enumerate(pulls)]).T
    return dW, np.array([[float(x / size) for x in slope] for slope in slopes]), float(J / size**2)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", CASES)
def test_field_and_loss_are_those_of_many_digits(name: str, scale: float) -> None:
    """Relative error of the field below 1e-12 (of the largest component), of the loss below 1e-6 where it is a form."""
    case = CASES[name]
    with mp.workdps(DIGITS), np.errstate(invalid="ignore"):
        (dW, dV, J), (exact_W, exact_V, exact_J) = evaluated(case, scale), exactly(case, scale)
    assert np.abs(dW - exact_W)[:, :2].max() < 1e-12 * np.abs(exact_W[:, :2]).max()
    if case.n > 2:
        assert np.abs(dW - exact_W)[:, 2:].max() < 1e-12 * np.abs(exact_W[:, 2:]).max()
    if dV is not None:
        assert np.abs(dV - exact_V).max() < 1e-12 * np.abs(exact_V).max()
    if scale < 0.01:
        assert abs(J / exact_J - 1) < 1e-6


def test_the_ordinary_field_has_no_digit_left() -> None:
    """The control: at 1e-16 from the teacher the field of W itself is rounding, which the bound above would reject."""
    case = CASES["projected"]
    W, V, Z, E = case.arrays()
    assert E is not None
    scale = 1e-16
    student = np.concatenate([W, Z[:, 2:] / np.linalg.norm(Z[:, 2:], axis=0)], axis=1)
    student[:, :2] += scale * Z[:, :2]
    problem = TeacherStudent(
        W, student, V, np.concatenate([V + scale * E[:2], scale * E[2:]]), IsotropicGaussian(3)
    )
    flow = TwoLayerFlow(problem)
    plain = flow.unpack(flow(0.0, flow.initial_state()))["W"][:, :2] / scale
    with mp.workdps(DIGITS):
        exact, _, _ = exactly(case, scale)
    assert np.abs(plain - exact[:, :2]).max() > 1e-2 * np.abs(exact[:, :2]).max()
