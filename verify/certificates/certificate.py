"""``certify(problem)``: where the trajectory of one start goes, proved, or undecided with the reason."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from types import ModuleType
from typing import Any

import numpy as np

from dynamics.arrays import Array
from dynamics.files.writing import write_atomically
from dynamics.ode.progress import Progress, reporting
from dynamics.two_layer.flows import ProjectedFlow
from dynamics.two_layer.problem import TeacherStudent
from dynamics.validation import positive_int
from verify.certificates.float_geometry import lipschitz, local
from verify.certificates.producing import Path, TubeError, UndecidedError, follow

ACCURACIES = (3e-3, 1e-3, 3e-4, 1e-4)
"""Errors of a step relative to its path, tried one after the other: a coarse path is checked soonest."""
NEARLY_ORTHONORMAL = 1e-9
"""``||gram - 1||`` of teachers for which the end is tried by Theorem A."""
ENTRY = 0.42
"""R at which Theorem A takes over: it ends at 0.4713, and its rate is 0.01 here."""
PRODUCING = 0.15
"""The share of the producer in the work, for the progress."""


@dataclass(frozen=True)
class Certificate:
    """Where one trajectory of Theorem 4's flow provably goes, or why that is undecided.

    Attributes:
        limit: the teacher (from 0) to which each student converges; None where undecided.
        rate: from ``time`` on the distance to the teachers falls at this rate at least, per unit of time; rounded down.
        late_rate: the same in the end, a lower bound of the true late rate up to 1e-6.
        time: when the proved basin is entered.
        entry: an upper bound of ``R = ||W - W* P||_F`` then.
        steps: of the certificate.
        reason: why nothing is proved; empty where it is.
        document: what :meth:`save` writes: plain data, every float in hexadecimal digits.
    """

    limit: tuple[int, ...] | None
    rate: float
    late_rate: float
    time: float
    entry: float
    steps: int
    reason: str
    document: dict[str, Any] | None

    @property
    def certified(self) -> bool:
        """Whether the checker has proved it."""
        return self.limit is not None

    def save(self, path: str | PathLike[str]) -> None:
        """Write the certificate (JSON); ``luckproof certify --check``, or the checker's one file, proves it again.

        Raises:
            ValueError: it is undecided, or nothing can be written there.
        """
        if self.document is None:
            raise ValueError(f"path: expected a certificate to save, got an undecided one ({self.reason})")
        write_atomically(path, json.dumps(self.document, separators=(",", ":")) + "\n")


def certify(
    problem: TeacherStudent, *, max_steps: int = 20_000, progress: bool | Progress = False
) -> Certificate:
    """Prove to which teachers the trajectory of Theorem 4's flow, ``ProjectedFlow(problem)``, converges.

    The run is integrated in floating point; then the checker, a file of its own that needs python-flint alone, proves
    in ball arithmetic that the true trajectory stays in a tube around it and enters a basin of the permuted teachers
    (Theorem A, nearly orthonormal teachers; Theorem B0, any): docs/theorems.md. Nothing is guessed: what the checker
    does not confirm is undecided.

    Args:
        problem: one instance, n = m, unit columns, fan-outs 1, isotropic Gaussian input, d >= 2. The trajectory is that
            of the exactly normalised columns.
        max_steps: of the certificate.
        progress: a bar on stderr, or a function of the fraction done.
    Returns:
        :class:`Certificate`.
    Raises:
        ValueError: a problem that is none of Theorem 4's on isotropic Gaussian input.
        ImportError: python-flint is not installed (extra ``certify``).
    Cost: O((m d)^3) a step in ball arithmetic: some 100 steps of 0.1 s at m = d = 10.
    Source: our own, docs/theorems.md.
    """
    variance = _checked(problem)
    positive_int("max_steps", max_steps)
    checker = import_checker()
    with reporting(progress, 0.0, 1.0) as report:
        try:
            document, proved = _proved(problem, checker, max_steps, report)
        except UndecidedError as undecided:
            return Certificate(None, math.nan, math.nan, math.nan, math.nan, 0, str(undecided), None)
        report(1.0)
    rate, late = (math.nextafter(variance * proved[name], -math.inf) for name in ("rate", "late_rate"))
    return Certificate(
        limit=tuple(proved["limit"]),
        rate=rate,
        late_rate=late,
        time=proved["time"] / variance,
        entry=proved["R"],
        steps=proved["steps"],
        reason="",
        document=document,
    )


def import_checker() -> ModuleType:
    """The checker; ImportError, saying what to install, where python-flint is missing."""
    try:
        from verify.certificates import checker
    except ImportError as error:
        raise ImportError(
            "certificates need python-flint, which is not installed: pip install 'luckproof[certify]'"
        ) from error
    return checker


def _checked(problem: TeacherStudent) -> float:
    """The variance of the input, for a problem of Theorem 4."""
    if problem.batch_shape:
        raise ValueError(f"problem: expected one instance, got an ensemble of shape {problem.batch_shape}")
    ProjectedFlow(problem)  # refuses n != m, other fan-outs, columns that are not unit
    variance = problem.measure.spherical_variance
    if variance is None:
        raise ValueError(f"measure: expected an isotropic Gaussian, got {problem.measure!r}")
    if problem.d < 2:
        raise ValueError(f"d: expected at least 2, got {problem.d}")
    return variance


def _proved(
    problem: TeacherStudent, checker: ModuleType, max_steps: int, report: Callable[[float], None]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The document of the first path that the checker confirms, and what it proves."""
    T, W = problem.teacher_W.T, problem.student_W.T
    entry = _entry(_unit(T))
    for accuracy in ACCURACIES:
        try:
            path = follow(
                _unit(W),
                _unit(T),
                entry,
                max_steps,
                lambda n: report(PRODUCING * n / (n + 200)),
                accuracy=accuracy,
            )
            document = _document(checker.FORMAT, T, W, path)
            proved = checker.check(document, lambda done: report(PRODUCING + (1 - PRODUCING) * done))
        except TubeError as tube:
            last: str = str(tube)
        except checker.RefusedError as refused:
            last = f"the checker does not confirm it: {refused.args[1]}"
        else:
            return document, proved
    raise UndecidedError(last)


def _entry(T: Array) -> Callable[[float, float], bool]:
    """Whether the end can be proved at a distance from the teachers T, in floats."""
    there = local(T, T)
    late = float(np.linalg.eigvalsh(there.hessian)[0])
    if late < 1e-5:
        raise UndecidedError(f"no basin is proved around these teachers: least eigenvalue {late:.3g}")
    nearly = float(np.linalg.norm(T @ T.T - np.eye(len(T)))) < NEARLY_ORTHONORMAL

    def enters(R: float, tube: float) -> bool:
        if nearly:
            return R + tube < ENTRY
        b = 1.06 * (R + tube)
        return b < 0.5 and late - 1e-4 * late - 1.01 * lipschitz(there.own, there.to_teachers, b) * b / 2 > 0

    return enters


def _document(kind: str, T: Array, W: Array, path: Path) -> dict[str, Any]:
    m, d = T.shape
    return {
        "format": kind,
        "m": m,
        "d": d,
        "teacher": _hexadecimal(T),
        "points": [_hexadecimal(point) for point in (W, *path.points[1:])],
        "steps": [float(h).hex() for h in path.steps],
        "lam": [float(lam).hex() for lam in path.lam],
        "target": path.target,
    }


def _hexadecimal(columns: Array) -> list[list[str]]:
    return [[float(x).hex() for x in column] for column in columns]


def _unit(columns: Array) -> Array:
    unit: Array = columns / np.linalg.norm(columns, axis=1, keepdims=True)
    return unit
