"""Where a two-layer trajectory is about to end, in floats: who takes which teacher, who merges, whose fan-out dies."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from dynamics.arrays import Array
from dynamics.geometry.angles import angles
from dynamics.two_layer.problem import TeacherStudent
from verify.certificates.float_geometry import hexadecimal, unit_rows
from verify.certificates.producing import Path, TubeError
from verify.certificates.two_layer_geometry import Point, TwoLayerLocal

SAFETY = 1.002
"""Above the floats' bounds, so that the checker's ball arithmetic agrees."""

NEAR = 0.5
"""A distance beyond which no end is tried."""


class Ending(NamedTuple):
    """A manifold of solutions.

    ``students[l]`` takes teacher l; each of ``pairs`` merges with opposite fan-outs; of the rest the fan-outs go to 0.
    """

    students: list[int]
    pairs: list[list[int]]

    @property
    def named(self) -> set[int]:
        """All but the rest."""
        return {*self.students, *(j for pair in self.pairs for j in pair)}


class TwoLayerEnds:
    """What ``follow`` asks of Theorem 5's flow, and what a certificate of it says."""

    def __init__(self, problem: TeacherStudent) -> None:
        self.columns = problem.teacher_W.T, problem.student_W.T
        self.T, self.U = unit_rows(problem.teacher_W.T), problem.teacher_V
        self.start = unit_rows(problem.student_W.T), problem.student_V

    def document(self, path: Path) -> dict[str, Any]:
        """Plain data for the checker, but for its format."""
        (n, d), (m, c) = self.start[0].shape, self.U.shape
        points = [(self.columns[1], self.start[1]), *path.points[1:]]
        return {
            "n": n,
            "m": m,
            "d": d,
            "c": c,
            "teacher_W": hexadecimal(self.columns[0]),
            "teacher_V": hexadecimal(self.U),
            "points": [[hexadecimal(W), hexadecimal(V)] for W, V in points],
            "students": path.target.students,
            "pairs": path.target.pairs,
        }

    def local(self, point: Point) -> TwoLayerLocal:
        return TwoLayerLocal(*point, self.T, self.U)

    def where(self, point: Point) -> str:
        R = self.nearest(point)[1]
        return f"R = {R:.4g} from the nearest solutions"

    def nearest(self, point: Point) -> tuple[Ending, float]:
        """The nearest manifold of solutions that is looked at, and the distance to it."""
        W, V = point
        to_teachers = angles(W.T, self.T.T)
        gaps = np.linalg.norm(V[:, None] - self.U[None], axis=2)
        size = np.linalg.norm(V, axis=1)
        cost = to_teachers**2 + gaps**2 - size[:, None] ** 2
        students, teachers = linear_sum_assignment(cost)
        chosen = [int(j) for j in students[np.argsort(teachers)]]
        squared = float(cost[students, teachers].sum() + (size**2).sum())
        rest, pairs = [j for j in range(len(W)) if j not in chosen], []
        own, merged = angles(W.T, W.T), V[:, None] + V[None]
        saved = size[:, None] ** 2 + size**2 - own**2 / 2 - (merged**2).sum(axis=2) / 2
        while len(rest) > 1:
            gain, a, b = max((float(saved[a, b]), a, b) for a in rest for b in rest if a < b)
            if gain <= 0:
                break
            pairs.append([a, b])
            rest = [j for j in rest if j not in (a, b)]
            squared -= gain
        return Ending(chosen, pairs), float(np.sqrt(max(squared, 0.0)))

    def ended(self, point: Point, tube: float) -> Ending | None:
        ending, R = self.nearest(point)
        if R + tube > NEAR:
            return None
        if self._closes(point, ending, SAFETY * R, tube):
            return ending
        if tube / 4 > R and len(self.start[0]) > len(self.T):  # along the solutions the tube does not shrink
            raise TubeError(f"bounds too coarse: R = {R:.4g} within a tube of {tube:.4g}")
        return None

    def solution(self, point: Point, ending: Ending) -> Point:
        """The nearest point of the manifold."""
        W, V = point[0].copy(), 0 * point[1]
        W[ending.students], V[ending.students] = self.T, self.U
        for a, b in ending.pairs:
            middle = W[a] + W[b]
            W[a] = W[b] = middle / np.linalg.norm(middle)
            V[a] = (point[1][a] - point[1][b]) / 2
            V[b] = -V[a]
        return W, V

    def _closes(self, point: Point, ending: Ending, distance: float, tube: float) -> bool:
        """Whether the checker's end will hold there, by the same formulas in floats."""
        there = TwoLayerLocal(*self.solution(point, ending), self.T, self.U)
        rest = tuple(j for j in range(len(point[0])) if j not in ending.named)
        mu = float(np.linalg.eigvalsh(there.hessian + self._along(there, ending, rest))[0]) - 2e-6
        R = distance + tube
        if mu <= 0 or R >= 1:
            return False
        loss = np.sqrt(max(TwoLayerLocal(*point, self.T, self.U).twice_loss, 0.0))
        size = np.linalg.norm(point[1], axis=1) + tube
        root = SAFETY * (loss + tube * np.sqrt((np.sum(size**2) + len(size)) / 2))
        for k in range(1, 16):
            closes = self._within(there, ending, rest, (mu, R, tube, root), R * 2 ** (k / 4))
            if closes is not None:
                return closes
        return False

    @staticmethod
    def _within(
        there: TwoLayerLocal,
        ending: Ending,
        rest: tuple[int, ...],
        sizes: tuple[float, float, float, float],
        wide: float,
    ) -> bool | None:
        """Whether the end holds with everything within ``wide``; None where that is left, and wider may do."""
        mu, R, tube, root = sizes
        L, D, P = SAFETY * there.lipschitz(wide, rest), tube, 0.0
        while wide >= D + P + R:
            rate = max(np.sqrt(mu) - D / np.sqrt(2), 0.0) ** 2 - L * (P + R / 2)
            if rate <= LEAST_SHARE * mu:
                return False
            over = (1 + L * R / (4 * rate)) / rate
            moved = SAFETY * (tube + R * R / 2 * np.sqrt(over / 2))
            along = SAFETY * (tube + root * np.sqrt(over)) / np.cos(R / np.sqrt(2)) if ending.pairs else 0.0
            if moved <= D and along <= P:
                return all(np.linalg.norm(there.V[a]) > SAFETY * P / np.sqrt(2) for a, _ in ending.pairs)
            D, P = max(D, 1.02 * moved), max(P, 1.02 * along)
        return None

    @staticmethod
    def _along(there: TwoLayerLocal, ending: Ending, rest: tuple[int, ...]) -> Array:
        """The penalty along the manifold, where the Hessian is zero."""
        (n, d), c = there.W.shape, there.V.shape[1]
        H = np.zeros_like(there.hessian)
        for a, b, along, size in [(k, k, 0.125, 0.0) for k in rest] + [
            (a, b, 0.25, 0.25) for a, b in ending.pairs
        ]:
            for j, k, sign in ((a, a, 1), (b, b, 1), (a, b, -1), (b, a, -1)):
                H[j * d : j * d + d, k * d : k * d + d] += along * (
                    np.eye(d) - np.outer(there.W[a], there.W[a])
                )
                rows, columns = (slice(n * d + i * c, n * d + i * c + c) for i in (j, k))
                H[rows, columns] += sign * size * np.eye(c)
        return H


LEAST_SHARE = 0.05
"""Of the rate across the solutions, what must be left at the end."""
