"""Certificates with random errors of every size: what the checker still accepts is what a fine integration finds."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from luckproof import ProjectedFlow, TeacherStudent, certify, integrate, unit_columns

pytest.importorskip("flint")
from verify.certificates import checker

PLACES = ("start", "point", "teacher", "lam", "step")


def shaken(document: dict[str, Any], place: str, size: float, rng: np.random.Generator) -> dict[str, Any]:
    """A copy with a normal error of ``size`` at ``place``, somewhere along the way."""
    c = copy.deepcopy(document)
    i = int(rng.integers(len(c["steps"])))

    def moved(number: str) -> str:
        return (float.fromhex(number) + size * rng.standard_normal()).hex()

    if place in ("start", "point", "teacher"):
        columns = c["teacher"] if place == "teacher" else c["points"][0 if place == "start" else i]
        columns[:] = [[moved(x) for x in column] for column in columns]
    else:
        numbers = c["lam" if place == "lam" else "steps"]
        numbers[i] = moved(numbers[i])
    return c


def columns_of(rows: list[list[str]]) -> np.ndarray:
    return unit_columns(np.array([[float.fromhex(x) for x in row] for row in rows]).T)


def limit_by_integration(document: dict[str, Any]) -> tuple[list[int], float]:
    """The teachers nearest at t = 150, and the distance to them."""
    T = columns_of(document["teacher"])
    flow = ProjectedFlow(TeacherStudent(T, columns_of(document["points"][0])))
    run = integrate(flow, (0.0, 150.0), t_eval=[0.0, 150.0], rtol=1e-9, atol=1e-11)
    W = unit_columns(run.state["W"][-1])
    goal = [int(k) for k in np.argmax(T.T @ W, axis=0)]
    return goal, float(np.linalg.norm(W - T[:, goal]))


def accepted(draws: int, seed: int) -> tuple[int, int]:
    """How many of the draws are accepted, each then found true, and how many refused."""
    rng = np.random.default_rng(seed)
    kept = refused = 0
    while kept + refused < draws:
        m = int(rng.integers(1, 4))
        problem = TeacherStudent.at_angle(np.eye(m + 1, m), rng.uniform(0.3, 1.2, m), rng)
        document = certify(problem, max_steps=150).document
        if document is None or not document["steps"]:
            continue
        for place in PLACES:
            c = shaken(document, place, 10 ** rng.uniform(-7, -0.5), rng)
            try:
                proved = checker.check(c)
            except checker.RefusedError:
                refused += 1
                continue
            kept += 1
            goal, distance = limit_by_integration(c)
            assert goal == proved["limit"]
            assert distance < 1e-3
    return kept, refused


def test_what_is_accepted_is_true() -> None:
    """Both happen: some errors are within the tube, some break the proof; no accepted one is wrong."""
    kept, refused = accepted(15, seed=0)
    assert kept > 2
    assert refused > 2


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(1, 9))
def test_what_is_accepted_is_true_on_many_draws(seed: int) -> None:
    assert min(accepted(250, seed)) > 30


def each_point(c: dict[str, Any], change: Any) -> None:
    c["points"] = [change(columns) for columns in c["points"]]


def hexadecimal(A: np.ndarray) -> list[list[str]]:
    return [[float(x).hex() for x in row] for row in A]


def numbers(rows: list[list[str]]) -> np.ndarray:
    return np.array([[float.fromhex(x) for x in row] for row in rows])


def time_stretched(c: dict[str, Any], size: float, rng: np.random.Generator) -> None:
    c["steps"] = [(float.fromhex(h) * (1 + size)).hex() for h in c["steps"]]


def lam_moved_everywhere(c: dict[str, Any], size: float, rng: np.random.Generator) -> None:
    c["lam"] = [(float.fromhex(x) + size * rng.choice([-1, 1])).hex() for x in c["lam"]]


def columns_scaled(c: dict[str, Any], size: float, rng: np.random.Generator) -> None:
    """Every point's columns by powers of two of their own, the teachers' by another."""
    scale = 2.0 ** rng.integers(-60, 60, (c["m"], 1))
    each_point(c, lambda columns: hexadecimal(numbers(columns) * scale))
    c["teacher"] = hexadecimal(numbers(c["teacher"]) * 2.0 ** float(rng.integers(-60, 60)))


def students_renumbered(c: dict[str, Any], size: float, rng: np.random.Generator) -> None:
    order = rng.permutation(c["m"]).tolist()
    each_point(c, lambda columns: [columns[k] for k in order])
    if rng.random() < 0.7:  # else the target stays behind
        c["target"] = [c["target"][k] for k in order]


def all_turned(c: dict[str, Any], size: float, rng: np.random.Generator) -> None:
    Q = np.linalg.qr(rng.standard_normal((c["d"], c["d"])))[0]
    each_point(c, lambda columns: hexadecimal(numbers(columns) @ Q.T))
    c["teacher"] = hexadecimal(numbers(c["teacher"]) @ Q.T)


def bent_towards_the_target(c: dict[str, Any], size: float, rng: np.random.Generator) -> None:
    goal = numbers(c["teacher"])[c["target"]]
    shares = size * np.linspace(0, 1, len(c["points"]))
    c["points"] = [
        hexadecimal((1 - s) * numbers(columns) + s * goal)
        for s, columns in zip(shares, c["points"], strict=True)
    ]


def point_repeated(c: dict[str, Any], size: float, rng: np.random.Generator) -> None:
    i = int(rng.integers(len(c["steps"])))
    c["points"].insert(i, c["points"][i])
    c["steps"].insert(i, (size * 1e-3).hex())
    c["lam"].insert(i, c["lam"][i])


def students_nearly_merged(c: dict[str, Any], size: float, rng: np.random.Generator) -> None:
    def nearer(columns: list[list[str]]) -> list[list[str]]:
        W = numbers(columns)
        W[0] = (1 - size) * W[0] + size * W[-1]
        return hexadecimal(W)

    each_point(c, nearer)


EDITS = (
    time_stretched,
    lam_moved_everywhere,
    columns_scaled,
    students_renumbered,
    all_turned,
    bent_towards_the_target,
    point_repeated,
    students_nearly_merged,
)


def tube_and_entry(c: dict[str, Any]) -> tuple[float, float]:
    """The largest distance of the true trajectory from the points at their times, and that to the target at the end."""
    T = columns_of(c["teacher"])
    times = np.concatenate([[0.0], np.cumsum([float.fromhex(h) for h in c["steps"]])])
    flow = ProjectedFlow(TeacherStudent(T, columns_of(c["points"][0])))
    run = integrate(flow, (0.0, times[-1]), t_eval=times, rtol=1e-10, atol=1e-12)
    W = unit_columns(run.state["W"])
    chords = np.linalg.norm(W - np.stack([columns_of(rows) for rows in c["points"]]), axis=1)
    apart = np.linalg.norm(2 * np.arcsin(np.minimum(chords / 2, 1)), axis=1)
    return float(apart.max()), float(np.linalg.norm(W[-1] - T[:, c["target"]]))


def edits_accepted(draws: int, seed: int) -> int:
    """How many of some certificates, changed in one to three ways at once, are accepted and found true."""
    rng, kept = np.random.default_rng(seed), 0
    documents = [
        certify(TeacherStudent.at_angle(np.eye(m + 1, m), 0.5, m)).document for m in (1, 2, 3)
    ]  # all with steps
    for _ in range(draws):
        c = copy.deepcopy(documents[int(rng.integers(3))])
        assert c is not None
        for k in rng.choice(len(EDITS), size=rng.integers(1, 4), replace=False):
            EDITS[k](c, 10 ** rng.uniform(-8, -1), rng)
        try:
            proved = checker.check(c)
        except checker.RefusedError:
            continue
        kept += 1
        tube, entry = tube_and_entry(c)
        assert tube <= proved["tube"] + 1e-8
        assert entry <= proved["R"] + 1e-8
        goal, distance = limit_by_integration(c)
        assert goal == proved["limit"]
        assert distance < 1e-3
    return kept


def test_certificates_changed_in_several_ways_at_once_are_true_where_accepted() -> None:
    """Limit, tube and entry of what the checker accepts are those of a fine integration, at every edit."""
    assert 8 < edits_accepted(30, seed=0) < 30


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(1, 5))
def test_certificates_changed_in_several_ways_at_once_on_many_draws(seed: int) -> None:
    assert 100 < edits_accepted(400, seed) < 400
