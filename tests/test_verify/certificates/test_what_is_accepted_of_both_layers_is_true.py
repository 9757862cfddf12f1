"""Two-layer certificates with random errors of every size: what is still accepted is what a fine integration finds."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from luckproof import TeacherStudent, TwoLayerFlow, certify, integrate, unit_columns

pytest.importorskip("flint")
from verify.certificates import two_layer_checker as checker

PLACES = ("start", "point", "teacher", "lam", "step")


def shaken(document: dict[str, Any], place: str, size: float, rng: np.random.Generator) -> dict[str, Any]:
    """A copy with normal errors of ``size`` at ``place``, in one layer, somewhere along the way."""
    c = copy.deepcopy(document)
    i, layer = int(rng.integers(len(c["steps"]))), int(rng.integers(2))

    def moved(number: str) -> str:
        return (float.fromhex(number) + size * rng.standard_normal()).hex()

    if place in ("lam", "step"):
        numbers = c["lam" if place == "lam" else "steps"]
        numbers[i] = moved(numbers[i])
        return c
    teacher = ("teacher_W", "teacher_V")[layer]
    rows = c[teacher] if place == "teacher" else c["points"][0 if place == "start" else i][layer]
    rows[:] = [[moved(x) for x in row] for row in rows]
    return c


def numbers(rows: list[list[str]]) -> np.ndarray:
    return np.array([[float.fromhex(x) for x in row] for row in rows])


def distance_by_integration(c: dict[str, Any], until: float) -> float:
    """From the first point for a time ``until``: the distance to the solutions that the certificate names."""
    T, U = unit_columns(numbers(c["teacher_W"]).T), numbers(c["teacher_V"])
    W, V = unit_columns(numbers(c["points"][0][0]).T), numbers(c["points"][0][1])
    run = integrate(
        TwoLayerFlow(TeacherStudent(T, W, U, V)), (0.0, until), t_eval=[0.0, until], rtol=1e-9, atol=1e-11
    )
    W, V, chosen = unit_columns(run.state["W"][-1]), run.state["V"][-1], c["students"]
    free = [j for j in range(c["n"]) if j not in chosen]
    gaps = np.linalg.norm(W[:, chosen] - T), np.linalg.norm(V[chosen] - U), np.linalg.norm(V[free])
    return float(np.hypot.reduce(gaps))


def accepted(draws: int, seed: int) -> tuple[int, int]:
    """How many of the draws are accepted, each then found true, and how many refused."""
    rng = np.random.default_rng(seed)
    kept = refused = 0
    while kept + refused < draws:
        W = unit_columns(np.eye(3, 2) + 0.15 * rng.standard_normal((3, 2)))
        V = np.array([[1.0, 0.0], [0.0, 0.4]]) + 0.15 * rng.standard_normal((2, 2))
        document = certify(
            TeacherStudent(np.eye(3, 1), W, np.eye(1, 2), V), trains_V=True, max_steps=150
        ).document
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
            until = proved["time"] + 40.0
            assert distance_by_integration(c, until) < 1.1 * proved["R"] * np.exp(-40.0 * proved["rate"])
    return kept, refused


def test_what_is_accepted_is_true() -> None:
    """Both happen: some errors are within the tube, some break the proof; no accepted one is wrong."""
    kept, refused = accepted(15, seed=0)
    assert kept > 2
    assert refused > 2


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(1, 5))
def test_what_is_accepted_is_true_on_many_draws(seed: int) -> None:
    assert min(accepted(150, seed)) > 15
