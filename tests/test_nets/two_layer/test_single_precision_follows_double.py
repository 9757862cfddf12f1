"""Training in float32 stays beside training in float64, within a bound that is the sum of what each step rounds."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from luckproof import Array, EmpiricalMeasure, TeacherStudent, Trajectory, TwoLayerStudents, train

NETWORKS, D, M, N, C, ATOMS, BATCH, STEPS = 24, 3, 2, 3, 2, 10, 4, 150
U = 2.0**-24
"""Half an ulp of 1 in float32: what one operation may lose."""


def problem() -> TeacherStudent:
    """Weights and samples that float32 holds exactly, so that both trainings start from the same networks."""
    rng = np.random.default_rng(0)
    shapes = ((NETWORKS, D, M), (NETWORKS, D, N), (NETWORKS, M, C), (NETWORKS, N, C), (ATOMS, D))
    W1, W, V1, V, x = (rng.standard_normal(shape).astype(np.float32).astype(float) for shape in shapes)
    return TeacherStudent(W1, W, V1, V, EmpiricalMeasure(x))


def trained(dtype: torch.dtype, lr: float, seed: int = 3) -> Trajectory:
    return train(
        TwoLayerStudents.from_problem(problem(), "cpu", dtype=dtype),
        lr=lr, batch_size=BATCH, steps=STEPS, seed=seed, projected=False, train_V=False, record_every=1,
    )  # fmt: skip


def largest_rate(instances: TeacherStudent) -> float:
    """A power of two up to which a step with fixed gates brings no two students further apart.

    The gradient is then affine in W, with the matrix ``mean_b (D V V^T D) x (x x^T) <= ||V||^2 max |x|^2``.
    """
    curvature = np.linalg.norm(instances.student_V, ord=2, axis=(-2, -1)).max() ** 2 * longest(instances) ** 2
    return float(2.0 ** np.floor(np.log2(2 / curvature)))


def longest(instances: TeacherStudent) -> float:
    return float(np.linalg.norm(instances.measure.samples, axis=1).max())


def bound(instances: TeacherStudent, W: Array, lr: float) -> Array:
    """Frobenius distance of the two paths while no gate differs, (records, networks), from the float64 path W.

    A step rounds the sum and, in the gradient, products of absolute values once for every term of its five sums
    (Higham 2002, section 3.5); a Frobenius norm is that of the absolute values. Steps do not enlarge what there is.
    """
    size = np.linalg.norm(W, axis=(-2, -1))
    fan_out = np.linalg.norm(instances.student_V, axis=(-2, -1))
    of_teacher = np.linalg.norm(instances.teacher_V, axis=(-2, -1)) * np.linalg.norm(
        instances.teacher_W, axis=(-2, -1)
    )
    terms = 2 * D + N + M + C + BATCH + 4
    gradient = longest(instances) ** 2 * fan_out * (fan_out * size + of_teacher)
    # What is rounded is of the float32 path, which is no larger than 1.01 of these while the bound is small.
    of_a_step = 1.01 * U * (size + lr * (terms + 2) * gradient)
    return np.concatenate([np.zeros((1, NETWORKS)), np.cumsum(of_a_step, axis=0)[:-1]])


def gates_agree(instances: TeacherStudent, W: Array, allowed: Array) -> Array:
    """Networks of which no sample comes so near a boundary that the two paths might see it on different sides."""
    z = np.abs(np.asarray(instances.measure.samples) @ W).min(axis=-1)  # (records, networks, atoms)
    reach = np.linalg.norm(instances.measure.samples, axis=1) * allowed[..., None]
    # float32 rounds the pre-activation itself, by at most D + 1 half ulps of |w| |x|
    rounded = 1.01 * (D + 1) * U * np.linalg.norm(W, axis=(-2, -1))[..., None] * longest(instances)
    return np.asarray((z > reach + rounded).all(axis=(0, -1)))


def distance(one: Trajectory, other: Trajectory) -> Array:
    return np.linalg.norm(one.state["W"].astype(float) - other.state["W"], axis=(-2, -1))


def test_float32_stays_within_what_its_steps_round() -> None:
    """Every network whose gates agree, at every step; a rate 1 % higher and other batches do not stay there."""
    instances = problem()
    lr = largest_rate(instances)
    double, single = trained(torch.float64, lr), trained(torch.float32, lr)
    W = double.state["W"]
    allowed = bound(instances, W, lr)
    judged = gates_agree(instances, W, allowed)
    assert judged.sum() >= NETWORKS // 4
    assert np.all(distance(single, double)[:, judged] <= allowed[:, judged])
    for other in (trained(torch.float64, lr * 1.01), trained(torch.float64, lr, seed=4)):
        assert np.all(distance(other, double)[-1, judged] > allowed[-1, judged])  # control


def test_float32_is_not_float64() -> None:
    """Control: the paths do differ, by no less than a ten-thousandth of the bound; each of them is repeatable."""
    instances = problem()
    lr = largest_rate(instances)
    double, single = trained(torch.float64, lr), trained(torch.float32, lr)
    assert np.all(distance(single, double)[-1] > 1e-4 * bound(instances, double.state["W"], lr)[-1])
    assert np.array_equal(single.state["W"], trained(torch.float32, lr).state["W"])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_precision_is_told(dtype: torch.dtype) -> None:
    """A run says in what it was computed."""
    assert trained(dtype, 2.0**-10).attributes["dtype"] == str(dtype).removeprefix("torch.")
