"""``certify(problem)``: where the trajectory of one start goes, proved, or undecided with the reason."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from os import PathLike
from types import ModuleType
from typing import Any

from dynamics.boundary import checked
from dynamics.files.writing import write_atomically
from dynamics.ode.progress import Progress, reporting
from dynamics.ode.results.attributes import software_versions
from dynamics.two_layer.flows import ProjectedFlow, TwoLayerFlow
from dynamics.two_layer.problem import TeacherStudent
from dynamics.validation import positive_int
from verify.certificates.producing import TubeError, UndecidedError, follow
from verify.certificates.projected_ends import ProjectedEnds
from verify.certificates.two_layer_ends import TwoLayerEnds

ACCURACIES = (3e-3, 1e-3, 3e-4, 1e-4)
"""Errors of a step relative to its path, tried one after the other: a coarse path is checked soonest."""
PRODUCING = 0.15
"""The share of the producer in the work, for the progress."""


@dataclass(frozen=True)
class Certificate:
    """Where one trajectory provably goes, or why that is undecided.

    Attributes:
        limit: the teacher (from 0) to which each student converges, None for a student that takes none; None where
            undecided.
        merged: pairs ``(a, b, left)`` of students that end on one line with opposite fan-outs of norm ``left`` or more;
            of all others that take no teacher the fan-outs go to zero.
        rate: from ``time`` on the distance to the solutions falls at this rate or more, per unit of time; rounded down.
        late_rate: the same in the end.
        time: when the proved basin is entered.
        entry: an upper bound of the distance then: ``||W - W* P||_F``; where V moves, angles and fan-outs together.
        steps: of the certificate.
        reason: why nothing is proved; empty where it is.
        document: what :meth:`save` writes: plain data, every float in hexadecimal digits.
    """

    limit: tuple[int | None, ...] | None
    merged: tuple[tuple[int, int, float], ...]
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
        made = {
            **self.document,
            "versions": software_versions(),
        }  # what is proved depends on the checker alone
        write_atomically(path, json.dumps(made, separators=(",", ":")) + "\n")


@checked
def certify(
    problem: TeacherStudent,
    *,
    trains_V: bool = False,
    max_steps: int = 20_000,
    progress: bool | Progress = False,
) -> Certificate:
    """Prove where the trajectory of Theorem 4's flow, or of Theorem 5's, converges.

    The run is integrated in floating point; then a checker, a file of its own that needs python-flint alone, proves in
    ball arithmetic that the true trajectory stays in a tube around it and enters a basin: of the permuted teachers
    (Theorem A, nearly orthonormal teachers; Theorem B0, any), or, where V moves, of a manifold of solutions, with
    fan-outs that vanish or students that merge: docs/theorems.md. Nothing is guessed: what the checker does not
    confirm is undecided.

    Args:
        problem: one instance, unit columns, isotropic Gaussian input, d >= 2; n = m and fan-outs 1 unless ``trains_V``.
            The trajectory is that of the exactly normalised columns.
        trains_V: the flow is ``TwoLayerFlow(problem)``, n >= m, any fan-outs; else ``ProjectedFlow(problem)``.
        max_steps: of the certificate.
        progress: a bar on stderr, or a function of the fraction done.
    Returns:
        :class:`Certificate`.
    Raises:
        ValueError: a problem that is none of Theorem 4's (of Theorem 5's) on isotropic Gaussian input.
        ImportError: python-flint is not installed (extra ``certify``).
    Cost: O((n (d + c))^3) a step in ball arithmetic: some 100 steps of 0.1 s at m = d = 10.
    Source: our own, docs/theorems.md.
    """
    variance = _checked(problem, TwoLayerFlow if trains_V else ProjectedFlow)
    positive_int("max_steps", max_steps)
    checker = import_checker("two_layer_checker" if trains_V else "checker")
    with reporting(progress, 0.0, 1.0, "certifying") as report:
        try:
            ends = TwoLayerEnds(problem) if trains_V else ProjectedEnds(problem)
            document, proved = _proved(ends, checker, max_steps, report)
        except UndecidedError as undecided:
            return Certificate(None, (), math.nan, math.nan, math.nan, math.nan, 0, str(undecided), None)
        report(1.0)
    return _certificate(document, proved, variance, trains_V)


def _certificate(
    document: dict[str, Any], proved: dict[str, Any], variance: float, trains_V: bool
) -> Certificate:
    """What is proved of standard normal input, in units of time of the problem's."""
    limit: list[int | None] = proved["limit"]
    merged: list[tuple[int, int, float]] = []
    if trains_V:
        limit = [proved["limit"].index(j) if j in proved["limit"] else None for j in range(document["n"])]
        merged = [(a, b, left) for (a, b), left in zip(proved["pairs"], proved["left"], strict=True)]
    rate, late = (math.nextafter(variance * proved[name], -math.inf) for name in ("rate", "late_rate"))
    return Certificate(
        limit=tuple(limit),
        merged=tuple(merged),
        rate=rate,
        late_rate=late,
        time=math.nextafter(proved["time"] / variance, math.inf),
        entry=proved["R"],
        steps=proved["steps"],
        reason="",
        document=document,
    )


def import_checker(name: str = "checker") -> ModuleType:
    """One of the two checkers; ImportError, saying what to install, where python-flint is missing."""
    try:
        return import_module(f"verify.certificates.{name}")
    except ImportError as error:
        raise ImportError(
            "certificates need python-flint, which is not installed: pip install 'luckproof[certify]'"
        ) from error


def checker_of(document: object) -> ModuleType:
    """The checker of a document's format; that of Theorem 4, which refuses it, where it is of none."""
    two_layer = import_checker("two_layer_checker")
    kind = document.get("format") if isinstance(document, dict) else None
    return two_layer if kind == two_layer.FORMAT else import_checker()


def _checked(problem: TeacherStudent, flow: Callable[[TeacherStudent], object]) -> float:
    """The variance of the input, for a problem of the flow."""
    if problem.batch_shape:
        raise ValueError(f"problem: expected one instance, got an ensemble of shape {problem.batch_shape}")
    flow(problem)  # refuses columns that are not unit, too few students; Theorem 4's: n != m, other fan-outs
    variance = problem.measure.spherical_variance
    if variance is None:
        raise ValueError(f"measure: expected an isotropic Gaussian, got {problem.measure!r}")
    if problem.d < 2:
        raise ValueError(f"d: expected at least 2, got {problem.d}")
    return variance


def _proved(
    ends: ProjectedEnds | TwoLayerEnds,
    checker: ModuleType,
    max_steps: int,
    report: Callable[[float], None],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The document of the first path that the checker confirms, and what it proves."""

    def stepped(n: int) -> None:
        report(PRODUCING * n / (n + 200))

    for accuracy in ACCURACIES:
        try:
            path = follow(ends.start, ends, max_steps, stepped, accuracy)
            document = {
                "format": checker.FORMAT,
                **ends.document(path),
                "steps": [float(h).hex() for h in path.steps],
                "lam": [float(lam).hex() for lam in path.lam],
            }
            proved = checker.check(document, lambda done: report(PRODUCING + (1 - PRODUCING) * done))
        except TubeError as tube:
            last: str = str(tube)
        except checker.RefusedError as refused:
            last = f"the checker does not confirm it: {refused.args[1]}"
        else:
            return document, proved
    raise UndecidedError(last)
