"""Where trajectories of Theorem 5's flow go, proved: fan-outs that vanish, students that merge, never a guess."""

from __future__ import annotations

import numpy as np
import pytest

from luckproof import (
    IsotropicGaussian,
    TeacherStudent,
    TwoLayerFlow,
    certify,
    integrate,
    teachers,
    unit_columns,
)

pytest.importorskip("flint")


def opposite_pair(v: float, moved: float = 0.0, seed: int = 0) -> TeacherStudent:
    """One teacher that is met exactly, and two students at right angles with fan-outs +-v across the teacher's.

    Each number of the start is off by ``moved`` times a normal draw.
    """
    rng = np.random.default_rng(seed)
    W = np.eye(3) + moved * rng.standard_normal((3, 3))
    V = np.array([[1.0, 0.0], [0.0, v], [0.0, -v]]) + moved * rng.standard_normal((3, 2))
    return TeacherStudent(np.eye(3, 1), unit_columns(W), np.eye(1, 2), V)


def test_above_the_threshold_the_pair_merges() -> None:
    """The closed form says |v| -> sqrt(v^2 - .830751257): what is proved to be left is below it, and near it."""
    proved = certify(opposite_pair(1.2), trains_V=True)
    assert proved.limit == (0, None, None)
    [(a, b, left)] = proved.merged
    assert (a, b) == (1, 2)
    limit = np.sqrt(1.2**2 - 0.830751257)
    assert 0.95 * limit < left < limit


def test_below_the_threshold_the_fan_outs_vanish() -> None:
    proved = certify(opposite_pair(0.8), trains_V=True)
    assert (proved.limit, proved.merged) == ((0, None, None), ())


def test_a_start_of_no_symmetry_merges_too() -> None:
    """Against an integration: the fan-outs' norms, and the distance at the entry."""
    problem = opposite_pair(1.2, moved=0.05, seed=1)
    proved = certify(problem, trains_V=True)
    [(a, b, left)] = proved.merged
    run = integrate(TwoLayerFlow(problem), (0.0, 150.0), t_eval=[0.0, 150.0], rtol=1e-9, atol=1e-11)
    W, V = unit_columns(run.state["W"][-1]), run.state["V"][-1]
    assert left < np.linalg.norm(V[a]) < 1.1 * left
    assert np.allclose(V[a], -V[b], atol=1e-6)
    assert W[:, a] @ W[:, b] > 1 - 1e-9


@pytest.mark.parametrize(("d", "m", "n", "c", "theta0"), [(4, 2, 2, 2, 0.4), (5, 2, 3, 3, 0.2)])
@pytest.mark.parametrize("draw", [teachers.orthonormal, teachers.random_unit])
def test_the_trajectory_goes_where_it_is_proved_to_go(
    d: int, m: int, n: int, c: int, theta0: float, draw: object
) -> None:
    """The distance from the entry on, against an integration: below its bound, and falling faster than proved."""
    rng = np.random.default_rng(3)
    teacher_W, teacher_V = draw(d, m, 1), np.eye(m, c)  # type: ignore[operator]
    near = unit_columns(teacher_W + theta0 * rng.standard_normal((d, m)) / np.sqrt(d))
    far = unit_columns(np.linalg.svd(teacher_W)[0][:, m:n])
    V = np.concatenate([teacher_V + 0.2 * rng.standard_normal((m, c)), 0.4 * np.eye(c)[m:n]])
    problem = TeacherStudent(teacher_W, np.concatenate([near, far], axis=1), teacher_V, V)
    proved = certify(problem, trains_V=True)
    assert proved.limit == (*range(m), *[None] * (n - m))
    times = np.array([0.0, proved.time, proved.time + 20.0])
    run = integrate(TwoLayerFlow(problem), (0.0, times[-1]), t_eval=times, rtol=1e-10, atol=1e-12)
    R = []
    for i in (1, 2):
        W, V = unit_columns(run.state["W"][i]), run.state["V"][i]
        angle = 2 * np.arcsin(np.linalg.norm(W[:, :m] - teacher_W, axis=0) / 2)
        R.append(np.sqrt(np.sum(angle**2) + np.sum((V[:m] - teacher_V) ** 2) + np.sum(V[m:] ** 2)))
    assert R[0] <= proved.entry
    assert -np.log(R[1] / R[0]) / 20 > proved.rate
    assert 0 < proved.rate < proved.late_rate


def test_the_input_s_variance_is_the_unit_of_time() -> None:
    slow, fast = (
        certify(TeacherStudent(np.eye(2, 1), np.array([[0.9], [0.3]]) / np.hypot(0.9, 0.3), [[1.0]], [[1.2]],
                               IsotropicGaussian(2, s)), trains_V=True)
        for s in (1.0, 2.0)
    )  # fmt: skip
    assert fast.rate == pytest.approx(4 * slow.rate, rel=1e-12)
    assert fast.time == pytest.approx(slow.time / 4, rel=1e-12)


def test_a_saddle_is_undecided() -> None:
    """Two equal students share one teacher for ever: the reason is told, nothing is proved."""
    W = np.array([[1.0, 1.0], [0.3, 0.3], [0.0, 0.0]])
    start = TeacherStudent(np.eye(3, 2), unit_columns(W), np.eye(2), np.array([[0.4, 0.1], [0.4, 0.1]]))
    found = certify(start, trains_V=True, max_steps=150)
    assert not found.certified
    assert found.reason
    assert found.merged == ()


def test_other_problems_are_refused() -> None:
    W = np.eye(3)
    with pytest.raises(ValueError, match="one instance"):
        certify(TeacherStudent(np.stack([W, W]), W), trains_V=True)
    with pytest.raises(ValueError, match="unit"):
        certify(TeacherStudent(W, 2 * W), trains_V=True)
