"""A local minimum of the loss that is not the teachers, proved to exist near given students, in ball arithmetic.

With gradient g and least eigenvalue lambda > 0 of the Hessian at W, and L a bound of the third derivative along every
geodesic of unit speed: at geodesic distance r from W the loss is at least ``E(W) - |g| r + lambda r^2/2 - L r^3/6``. If
this exceeds E(W), the least loss in the ball of radius r is not attained on its rim: there is a local minimum inside.
"""

from __future__ import annotations

from dataclasses import dataclass

from flint import arb, arb_mat

from dynamics.arrays import Array
from dynamics.basins.balls import PI, float_above, float_below, in_balls, upper
from dynamics.basins.solution import Columns, angle_between, dot, exact_unit_columns, least_eigenvalue


@dataclass(frozen=True)
class ProvedMinimum:
    """There is a local minimum within geodesic ``radius`` of the students.

    ``loss``: a lower bound of the loss there, positive: it is spurious; ``curvature``: a lower bound of the Hessian's
    least eigenvalue at the students.
    """

    radius: float
    loss: float
    curvature: float


@in_balls
def proved_minimum(W: Array, teacher: Array) -> ProvedMinimum | None:
    """The spurious minimum near the normalised columns of W (d, n), or None where it is not proved.

    Args:
        W: students, near a minimum to rounding; no two on one line, none opposite a teacher or on it.
        teacher: (d, m).
    Cost: O((n d)^3) in ball arithmetic: a second at n d = 100.
    Source: our own, docs/theorems.md.
    """
    students, teachers = exact_unit_columns(W), exact_unit_columns(teacher)
    gradient, hessian, loss = _second_order(students, teachers)
    size = upper(dot(gradient, gradient).sqrt())
    curvature = least_eigenvalue(hessian)
    n, m = len(students), len(teachers)
    change = arb("0.495") * m + arb("0.58") * (n - 1) + arb("1.74") * arb(n).sqrt()
    if not curvature > 0:
        return None
    radius = upper(4 * size / curvature)
    rises = curvature * radius / 2 - change * radius**2 / 6 > size
    # Over the ball the loss is at least E - |g| r - L r^3/6, as the second derivative only adds.
    least = loss - size * radius - change * radius**3 / 6
    if not (rises and least > 0):
        return None
    return ProvedMinimum(float_above(radius), float_below(least), float_below(curvature))


def _second_order(students: Columns, teachers: Columns) -> tuple[list[arb], arb_mat, arb]:
    """Gradient (n d), Hessian on tangent steps with eigenvalue 1 on the normals, and loss, fan-outs 1."""
    n, d = len(students), len(students[0])
    gradient, H, loss = [arb(0)] * (n * d), [[arb(0)] * (n * d) for _ in range(n * d)], arb(0)
    P = [arb_mat(d, d, [arb(a == b) - w[a] * w[b] for a in range(d) for b in range(d)]) for w in students]
    for j, w in enumerate(students):
        loss += arb("0.25")
        for a in range(d):
            for b in range(d):
                H[j * d + a][j * d + b] += w[a] * w[b]
        for k, u in enumerate(students + teachers):
            if k == j:
                continue
            sign, theta = (1 if k < n else -1), angle_between(w, u)
            sine, c = theta.sin(), dot(w, u)
            kernel = (sine + (PI - theta) * c) / (2 * PI)
            loss += sign * kernel * (arb("0.5") if k < n else 1)
            slope, twist = sign * (PI - theta) / (2 * PI), sign / (2 * PI * sine)
            seen = [x - c * y for x, y in zip(u, w, strict=True)]
            for a in range(d):
                gradient[j * d + a] += slope * seen[a]
                for b in range(d):
                    H[j * d + a][j * d + b] += twist * seen[a] * seen[b] - slope * c * P[j][a, b]
            if k < n:
                back, PP = [x - c * y for x, y in zip(w, u, strict=True)], P[j] * P[k]
                for a in range(d):
                    for b in range(d):
                        H[j * d + a][k * d + b] = slope * PP[a, b] + twist * seen[a] * back[b]
    for k, u in enumerate(teachers):
        loss += arb("0.25")
        for v in teachers[:k]:
            theta = angle_between(u, v)
            loss += (theta.sin() + (PI - theta) * theta.cos()) / (2 * PI)
    return gradient, arb_mat(H), loss
