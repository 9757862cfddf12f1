"""The two-layer flow in high precision, for one instance with isotropic input: what refutations are confirmed with.

Nothing is shared with ``dynamics``: kernels, field and integrator are written again in mpmath.
"""

from __future__ import annotations

from typing import Any

import mpmath as mp

from dynamics.two_layer.problem import TeacherStudent
from verify.mathematics.precise.kernels import angle, angle_of_directions, columns, direction, dot

DIGITS = 30


def psi_l_isotropic(a: Any, b: Any) -> Any:
    """``E[relu(a.x) relu(b.x)]`` for unit columns and standard Gaussian x."""
    return _kernel(angle(a, b))


def _kernel(turn: Any) -> Any:
    """The same of two unit columns at an angle."""
    return (mp.sin(turn) + (mp.pi - turn) * mp.cos(turn)) / (2 * mp.pi)


def psi_d(a: Any, b: Any) -> Any:
    """``P(both gates open)``, isotropic Gaussian input."""
    return (mp.pi - angle(a, b)) / (2 * mp.pi)


class TwoLayerReference:
    """``w_j' = P_perp(w_j) (W* h*_j - W h_j)``, ``V' = L* V* - L V`` on lists of mpmath vectors."""

    def __init__(self, problem: TeacherStudent) -> None:
        self.teacher_W, self.teacher_V = columns(problem.teacher_W), columns(problem.teacher_V.T)
        self.W, self.V = columns(problem.student_W), columns(problem.student_V.T)
        self._teachers = [list(column) for column in self.teacher_W]

    def field(self, W: list[Any], V: list[Any]) -> tuple[list[Any], list[Any]]:
        """Right-hand side at ``(W, V)``; W is taken at unit norm."""
        students = [direction(w) for w in W]
        # In lists: a vector of mpmath's takes several times as long. What teachers pull, students push.
        nodes = [*self._teachers, *students]
        shares = [*(list(z) for z in self.teacher_V), *([-entry for entry in v] for v in V)]
        turns = self._turns(students)
        dW, dV = [], []
        for w, v, turned in zip(students, V, turns, strict=True):
            open_gates = [(mp.pi - turn) / (2 * mp.pi) for turn in turned]
            kernels = [_kernel(turn) for turn in turned]
            pulls = [gate * mp.fdot(list(v), share) for gate, share in zip(open_gates, shares, strict=True)]
            pull = [mp.fdot(pulls, entries) for entries in zip(*nodes, strict=True)]
            along = mp.fdot(w, pull)
            dW.append(mp.matrix([p - along * entry for p, entry in zip(pull, w, strict=True)]))
            dV.append(mp.matrix([mp.fdot(kernels, entries) for entries in zip(*shares, strict=True)]))
        return dW, dV

    def _turns(self, students: list[list[Any]]) -> list[list[Any]]:
        """Each student's angles to the teachers and then to the students; every pair's is found once."""
        teachers = [direction(column) for column in self._teachers]
        own: list[list[Any]] = [[mp.mpf(0)] * len(students) for _ in students]
        for j, a in enumerate(students):
            for k in range(j):
                own[j][k] = own[k][j] = angle_of_directions(a, students[k])
        return [
            [*(angle_of_directions(w, u) for u in teachers), *among]
            for w, among in zip(students, own, strict=True)
        ]

    def integrate(self, time: float, steps: int) -> tuple[list[Any], list[Any]]:
        """Classical Runge-Kutta of order 4 from the start to ``time``."""
        W, V = self.W, self.V
        h = mp.mpf(time) / steps
        for _ in range(steps):
            k1 = self.field(W, V)
            k2 = self.field(*_moved(W, V, k1, h / 2))
            k3 = self.field(*_moved(W, V, k2, h / 2))
            k4 = self.field(*_moved(W, V, k3, h))
            W = [w + h / 6 * (a + 2 * b + 2 * c + d) for w, a, b, c, d in _columns_of(0, W, k1, k2, k3, k4)]
            V = [v + h / 6 * (a + 2 * b + 2 * c + d) for v, a, b, c, d in _columns_of(1, V, k1, k2, k3, k4)]
        return W, V

    def sharpness(self, W: list[Any], V: list[Any]) -> Any:
        """Largest eigenvalue of minus the flow's Jacobian along the spheres, by central differences, symmetrised."""
        W = [w / mp.sqrt(dot(w, w)) for w in W]
        d, c, size = len(W[0]), len(V[0]), mp.mpf(10) ** (-mp.mp.dps // 3)
        flat = [entry for vector in (*W, *V) for entry in vector]

        def slope(index: int, sign: int) -> list[Any]:
            moved = list(flat)
            moved[index] += sign * size
            parts = [mp.matrix(moved[k * d : (k + 1) * d]) for k in range(len(W))]
            rest = moved[len(W) * d :]
            dW, dV = self.field(parts, [mp.matrix(rest[k * c : (k + 1) * c]) for k in range(len(V))])
            along = [g - w * dot(w, g) for w, g in zip(W, dW, strict=True)]
            return [entry for vector in (*along, *dV) for entry in vector]

        columns_ = [
            [(b - a) / (2 * size) for a, b in zip(slope(index, 1), slope(index, -1), strict=True)]
            for index in range(len(flat))
        ]
        hessian = mp.matrix(columns_)
        return max(mp.eigsy((hessian + hessian.T) / 2, eigvals_only=True))

    def distances(self, W: list[Any], V: list[Any]) -> tuple[list[Any], list[Any]]:
        """``sin theta_j`` and ``||v_j - v*_j||`` of the u-set."""
        sines = [mp.sin(angle(w, u)) for w, u in zip(W, self.teacher_W, strict=False)]
        gaps = [v - z for v, z in zip(V, self.teacher_V, strict=False)]
        return sines, [mp.sqrt(dot(gap, gap)) for gap in gaps]


def _moved(
    W: list[Any], V: list[Any], slope: tuple[list[Any], list[Any]], h: Any
) -> tuple[list[Any], list[Any]]:
    dW, dV = slope
    return [w + h * g for w, g in zip(W, dW, strict=True)], [v + h * g for v, g in zip(V, dV, strict=True)]


def _columns_of(part: int, start: list[Any], *slopes: tuple[list[Any], list[Any]]) -> Any:
    return zip(start, *(slope[part] for slope in slopes), strict=True)
