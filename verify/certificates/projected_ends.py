"""Where a trajectory of Theorem 4's flow is about to end, in floats: the teachers, in some order."""

from __future__ import annotations

from typing import Any

import numpy as np

from dynamics.arrays import Array
from dynamics.two_layer.problem import TeacherStudent
from verify.certificates.float_geometry import Local, hexadecimal, local, unit_rows
from verify.certificates.producing import Path, UndecidedError

NEARLY_ORTHONORMAL = 1e-9
"""``||gram - 1||`` of teachers for which the end is tried by Theorem A."""

ENTRY = 0.42
"""R at which Theorem A takes over: it ends at 0.4713, and its rate is 0.01 here."""


class ProjectedEnds:
    """What ``follow`` asks of Theorem 4's flow, and what a certificate of it says; rows are columns."""

    def __init__(self, problem: TeacherStudent) -> None:
        self.columns = problem.teacher_W.T, problem.student_W.T
        T, self.start = (unit_rows(columns) for columns in self.columns)
        self.T = T
        there = local(T, T)
        self.late = float(np.linalg.eigvalsh(there.hessian)[0])
        if self.late < 1e-5:
            raise UndecidedError(
                f"no basin is proved around these teachers: least eigenvalue {self.late:.3g}"
            )
        self.nearly = float(np.linalg.norm(T @ T.T - np.eye(len(T)))) < NEARLY_ORTHONORMAL
        self.there = there

    def local(self, W: Array) -> Local:
        return local(W, self.T)

    def ended(self, W: Array, tube: float) -> list[int] | None:
        """The teacher of each student, where the end can be proved, in floats."""
        R, target = self.nearest(W)
        if R is None:
            return None
        if self.nearly:
            return target if R + tube < ENTRY else None
        b = 1.06 * (R + tube)
        if b >= 0.5:
            return None
        left = self.late - 1e-4 * self.late - 1.01 * self.there.lipschitz(b) * b / 2
        return target if left > 0 else None

    def nearest(self, W: Array) -> tuple[float | None, list[int]]:
        """Distance to the teachers permuted so that each student has its nearest; None where two share one."""
        target = np.argmax(W @ self.T.T, axis=1)
        if len(set(target.tolist())) < len(self.T):
            return None, []
        return float(np.linalg.norm(W - self.T[target])), [int(k) for k in target]

    def where(self, W: Array) -> str:
        R = self.nearest(W)[0]
        return "two students nearest to one teacher" if R is None else f"R = {R:.4g}"

    def document(self, path: Path) -> dict[str, Any]:
        """Plain data for the checker, but for its format."""
        m, d = self.T.shape
        return {
            "m": m,
            "d": d,
            "teacher": hexadecimal(self.columns[0]),
            "points": [hexadecimal(point) for point in (self.columns[1], *path.points[1:])],
            "target": path.target,
        }
