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
