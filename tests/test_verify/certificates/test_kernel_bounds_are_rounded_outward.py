"""Kernel bounds over caps are floats outside the true bounds: held against the same bounds in ball arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from dynamics.measures import biased_kernel_bounds as biased
from dynamics.measures import kernel_bounds as spherical
from luckproof import BiasedGaussian, IsotropicGaussian, unit_columns

flint = pytest.importorskip("flint")
from flint import arb, ctx  # noqa: E402

from verify.certificates.cap_kernels import BiasedCaps, Caps, unit  # noqa: E402

NAMES = {"d_high": "d", "l_high": "l", "slope_d": "slope_d", "slope_l": "slope_l", "across": "across"}


def caps(bias: bool, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Three centres: one nearly opposite to the first, or near the pole of the bias axis; radii of every size."""
    rng = np.random.default_rng(seed)
    d = int(rng.choice([3, 5, 60, 300]))
    A = rng.standard_normal((d, 3))
    gap = 10.0 ** rng.uniform(-9, -1)
    A[:, 1] = (-1 if rng.random() < 0.5 else 1) * A[:, 0] + gap * rng.standard_normal(d)
    radii = 10.0 ** rng.uniform(-16, -1, 3) * rng.choice([0, 1], 3, p=[0.2, 0.8])
    if bias:
        latitude = np.pi / 2 - 10.0 ** rng.uniform(-6, 0, 3)
        latitude[2] = rng.uniform(-1.4, 1)
        radii = np.minimum(radii, (np.pi / 2 - np.abs(latitude)) * rng.choice([0.3, 0.9]))
        A = unit_columns(A[:-1]) * np.cos(latitude)
        A = np.concatenate([A, np.sin(latitude)[None]])
    return unit_columns(A), radii


def violations(bias: bool, seed: int) -> list[str]:
    """Of the bounds of one draw, those that are not outside what ball arithmetic finds, or far outside."""
    centres, radii = caps(bias, seed)
    measure = BiasedGaussian(len(centres) - 1) if bias else IsotropicGaussian(len(centres), 1.3)
    found = measure.kernel_bounds(centres, radii)
    kind = BiasedCaps if bias else Caps
    wrong = []
    with ctx.workprec(300):  # differences of nearly equal terms, in balls too
        rows = [unit([arb(float(x)) for x in column]) for column in centres.T]
        moment = arb(1) if bias else arb(1.3**2)
        true = kind(rows, [arb(float(x)) for x in radii], moment)
        for j in range(3):
            for k in range(3):
                if not np.isfinite(found.slope_d[j, k]):
                    continue  # a cap that holds the pole: nothing is claimed
                kernel, slack = true.kernel(j, k), arb(2) ** -90
                for name, in_balls in NAMES.items():
                    truth, bound = getattr(kernel, in_balls), arb(float(getattr(found, name)[j, k]))
                    if not bound >= truth * (1 - slack):
                        wrong.append(f"{name} {float(bound)} {float(truth)}")
                    if float(bound) > float(truth) * (1 + 1e-6) + 1e-11:
                        wrong.append(f"{name} loose {float(bound)} {float(truth)}")
                if kernel.d_low > 0 and not arb(float(found.d_low[j, k])) <= kernel.d_low * (1 + slack):
                    wrong.append(f"d_low {found.d_low[j, k]} {float(kernel.d_low)}")
            if not arb(float(found.own_l_low[j])) <= true.own_l(j) + arb(2) ** -200:
                wrong.append(f"own_l_low {found.own_l_low[j]} {float(true.own_l(j))}")
    return wrong


@pytest.mark.parametrize("bias", [False, True])
def test_the_bounds_are_outside_the_true_ones(bias: bool) -> None:
    for seed in range(60):
        assert violations(bias, seed) == [], seed


@pytest.mark.parametrize("bias", [False, True])
def test_without_the_rounding_they_are_not(bias: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: the same formulas, rounded to nearest, are on the wrong side in many draws."""
    for module in (spherical, biased):
        for name in ("above", "below"):
            monkeypatch.setattr(module, name, lambda x, ulps=0.0: np.asarray(x))
    monkeypatch.setattr(biased, "NORMAL", 0.0)
    assert sum(bool(violations(bias, seed)) for seed in range(20)) > 10
