"""The end of the two-layer checker alone: certificates of no step, as far out as it accepts, then integrated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from luckproof import TeacherStudent, TwoLayerFlow, angles, integrate, unit_columns

pytest.importorskip("flint")
from verify.certificates import two_layer_checker as checker

Point = tuple[np.ndarray, np.ndarray]

TEACHER, FAN_OUT = np.eye(4, 1), np.eye(1, 2)
KINDS = {"rest": 2, "pair": 3, "pair and rest": 4}
LATE = 40.0


def document(point: Point, pairs: list[list[int]]) -> dict[str, Any]:
    """A certificate of no step: (W, V) with nodes in rows, of which the first takes the only teacher."""
    teacher, fan_out, W, V = (
        [[float(x).hex() for x in row] for row in rows] for rows in (TEACHER.T, FAN_OUT, *point)
    )
    sizes = {"n": len(W), "m": 1, "d": len(W[0]), "c": len(V[0]), "students": [0], "pairs": pairs}
    points = {"teacher_W": teacher, "teacher_V": fan_out, "points": [[W, V]], "steps": [], "lam": []}
    return {"format": checker.FORMAT, **sizes, **points}


def proved_at(point: Point, pairs: list[list[int]]) -> dict[str, Any] | None:
    try:
        return checker.check(document(point, pairs))
    except checker.RefusedError:
        return None


def edge(kind: str, rng: np.random.Generator) -> tuple[Point, list[list[int]], dict[str, Any]]:
    """A solution, left in a random direction as far as (to 5 %) the end still holds."""
    n, pairs = KINDS[kind], [[1, 2]] if "pair" in kind else []
    W = np.eye(n, 4) + 0.2 * rng.standard_normal((n, 4))
    V = np.zeros((n, 2))
    W[0], V[0] = TEACHER[:, 0], FAN_OUT[0]
    if pairs:
        W[2], V[1] = W[1], [0.2, 1.0]
        V[2] = -V[1]
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    aside, out = rng.standard_normal(W.shape), rng.standard_normal(V.shape)

    def at(scale: float) -> Point:
        return unit_columns((W + scale * aside).T).T, V + scale * out

    low, high = 0.0, 0.5
    while high - low > 0.05 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if proved_at(at(middle), pairs) else (low, middle)
    found = proved_at(at(low), pairs)
    assert found
    assert low > 0
    return at(low), pairs, found


def distance(W: np.ndarray, V: np.ndarray, pairs: list[list[int]]) -> float:
    """Theorem V3's, of (W, V) with nodes in columns of W and rows of V."""
    theta, total = angles(W, W), angles(W[:, :1], TEACHER)[0, 0] ** 2 + np.sum((V[:1] - FAN_OUT) ** 2)
    for a, b in pairs:
        total += (theta[a, b] ** 2 + np.sum((V[a] + V[b]) ** 2)) / 2
    rest = [j for j in range(1, len(V)) if j not in np.ravel(pairs)]
    return float(np.sqrt(total + np.sum(V[rest] ** 2)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.deep)])
def test_from_the_edge_the_flow_does_what_is_proved(kind: str, seed: int) -> None:
    """R holds, the distance falls at the proved rate at every time, and the pair keeps what it is said to keep."""
    (W, V), pairs, proved = edge(kind, np.random.default_rng(seed))
    times = np.linspace(0.0, LATE, 9)
    problem = TeacherStudent(TEACHER, W.T, FAN_OUT, V)
    run = integrate(TwoLayerFlow(problem), (0.0, LATE), t_eval=times, rtol=1e-10, atol=1e-12)
    R = [distance(unit_columns(w), v, pairs) for w, v in zip(run.state["W"], run.state["V"], strict=True)]
    assert R[0] <= proved["R"] < 1.0001 * R[0]
    fallen = -np.log(np.array(R[1:]) / R[0]) / times[1:]
    assert np.all(fallen >= proved["rate"])
    assert np.all(fallen < 0.5)  # the control: a rate that no end has
    for (a, b), left in zip(pairs, proved["left"], strict=True):
        assert min(np.linalg.norm(run.state["V"][-1][[a, b]], axis=1)) >= left - 1e-9
        assert left > 0


def test_figures_are_proved_as_they_are_printed() -> None:
    """Six digits, rounded to the safe side; the nearest six digits would be below this R, and above this pair."""
    W, V = np.eye(3, 4)[[0, 1, 1]], np.array([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    at_rest = proved_at((W, V), [[1, 2]])
    assert at_rest
    assert f"{1 - 3e-8:.6g}" == "1"  # what is proved is below 1
    assert float(at_rest["told"].split(">= ")[1].split(";")[0]) == at_rest["left"][0] < 1
    V[0, 0] += 0.0012345649
    proved = proved_at((W, V), [[1, 2]])
    assert proved
    assert float(f"{0.0012345649:.6g}") < 0.0012345649 <= proved["R"]
    for name in ("R", "rate", "late_rate", "tube"):
        assert float(f"{proved[name]:.6g}") == proved[name]


def test_an_opposite_pair_has_no_middle() -> None:
    """It is not proved, and no crash."""
    W, V = np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, -1, 0, 0]]), np.array([[1, 0], [0, 0.1], [0, -0.1]])
    with pytest.raises(checker.RefusedError) as refused:
        checker.check(document((W, V), [[1, 2]]))
    assert refused.value.args[0] == 1
    W[2] = W[1]
    V[2] = -V[1]
    assert proved_at((W, 10 * V / np.array([[10], [1], [1]])), [[1, 2]])


def test_fan_outs_whose_products_overflow_are_no_certificate() -> None:
    W, V = np.eye(3, 4)[[0, 1, 1]], np.array([[1.0, 0.0], [0.0, 1e300], [0.0, -1e300]])
    with pytest.raises(checker.RefusedError) as refused:
        checker.check(document((W, V), [[1, 2]]))
    assert refused.value.args[0] == 2
