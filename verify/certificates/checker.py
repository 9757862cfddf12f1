"""Checks a trajectory certificate of luckproof: proves to which teachers one student's trajectory converges.

    python checker.py certificate.json     exit code 0: proved, 1: not proved, 2: no certificate
Needs python-flint (intervals that hold the true numbers), NumPy for hints never trusted. Proofs: docs/theorems.md.
Flow: w_j' = P(w_j) sum_k [psi(w_j, u_k) u_k - psi(w_j, w_k) w_k], psi = (pi - angle)/2pi, P(w) the projection off w;
minus the gradient of E = sum_{j<k} kappa(w_j, w_k) - sum_{j,l} kappa(w_j, u_l), kappa = (sin t + (pi - t) cos t)/2pi.
Teachers u_l, points: the *exactly normalised* columns; r bounds the geodesic distance of the trajectory from a point.
1. |d Hess E(Y; X, X)| <= sum_{j<k} C3 (|a_j|+|a_k|)(|x_j|+|x_k|)^2 + sum C1 |a_j||x_j|^2 <= L for unit Y, X; L^2 =
   max (G v)_j/v_j for any v > 0, G the Gram matrix of the forms M_j(x, x) = C1_j x_j^2 + sum_k C3_jk (x_j+x_k)^2.
2. A step h, claimed lam: grow = e^{(-lam)+ h}, speed <= F = |f| grow, rho = r grow + F h. If Hess E >= lam + L rho at
   the point, Hess E >= lam within rho: distances grow by e^{-lam h} at most, |Hess f| <= G = grow(|Hess f| + h L F^2),
   |Hess^2 f| <= K = grow(|Hess^2 f| + h L F(G + |Hess| F)), Taylor's step is off by h^3/6 (L F^2 + K + 3GF + F^3).
3. No eigenvalue of a symmetric A is below c if |A - c - s - C C^T| <= s (Frobenius) for some C (the hint), s > 0.
4. End: Theorem B0 within geodesic distance b of the teachers, rate >= lam* - L b/2; before, Theorem A about an
   orthonormal matrix within eps = |gram - 1|, rate >= lambda_A(R + eps) - 2.1 m eps/R' down to R' = b/1.05.
"""

# fmt: off
import json
import sys
from typing import Any

try:
    import numpy as np
    from flint import arb, arb_mat, ctx
except ImportError as missing:  # which must not look like the verdict "not proved"
    raise SystemExit(print("cannot check:", missing) or 2) if __name__ == "__main__" else missing from None

FORMAT = "luckproof trajectory certificate 1: Theorem 4, projected flow, standard normal input"
PENALTY, SHIFT = 0.5, 2.0**-30  # of the directions normal to the spheres, where the Hessian is zero; s of statement 3
PI, AROUND = arb.pi(), arb(0, 1)
TOLD = """proved: the trajectory of Theorem 4's flow from the first point converges to the teachers
students 0, 1, ... go to teachers {limit}; from t = {time:.6g} on the distance, R <= {R:.6g} then,
falls at rate {rate:.6g} or more, in the end {late_rate:.6g} ({steps} steps, within {tube:.6g})"""
class RefusedError(Exception):
    """(exit code, why); code 1: not proved, 2: no certificate."""
def need(holds: object, why: str, code: int = 1) -> None:
    if holds is not True:
        raise RefusedError(code, why)
def up(x: arb) -> arb:
    return arb(x.upper())
def dot(a: list[arb], b: list[arb]) -> arb:
    return sum((x * y for x, y in zip(a, b, strict=True)), arb(0))
def norm(a: list[arb]) -> arb:
    return dot(a, a).nonnegative_part().sqrt()
def number(text: str) -> arb:
    need(arb(float.fromhex(text)).is_finite(), f"a number is {text}", 2)
    return arb(float.fromhex(text))
def unit_columns(columns: Any, m: int, d: int) -> list[list[arb]]:
    vectors = [[number(text) for text in column] for column in columns]
    need(len(vectors) == m and all(len(v) == d and norm(v) > 0 for v in vectors), "columns: wrong or zero", 2)
    return [[x / size for x in v] for v, size in zip(vectors, map(norm, vectors), strict=True)]
def angles(W: list[list[arb]], U: list[list[arb]]) -> list[list[arb]]:
    def angle(w: list[arb], u: list[arb]) -> arb:
        pairs = list(zip(w, u, strict=True))
        return 2 * arb.atan2(norm([x - y for x, y in pairs]), norm([x + y for x, y in pairs]))
    return [[angle(w, u) for u in U] for w in W]
def change(theta: arb, spread: arb, moving: bool) -> arb:
    """C3 (both columns move) or C1 (one does), for all angles within ``spread`` of ``theta`` (statement 1)."""
    spread = spread.min(arb(4))  # all angles there are
    n, most = 1 + int(16 * float(spread)), arb(0)
    for i in range(n):
        t = theta + spread * (2 * i + 1 - n) / n + spread / n * AROUND
        c, g = t.cos(), (PI - t) * t.sin()
        a, b, e = up(abs(2 * c + g)), up(abs(c + g)), up(abs(c))
        if moving:
            b, e = b.max(arb(1)), e.max(b).max(arb(1))
        e = up(e.max(abs(a - b)).max(arb(1) / 1000))  # larger is only weaker; it keeps the parabola concave
        most = most.max(up(b * b + (2 * e * e + b * (a - b)) ** 2 / (4 * e * e - (a - b) ** 2)))
    return up(most.sqrt() / (2 * PI))
def lipschitz(own: list[list[arb]], onto: list[list[arb]], spread: arb) -> arb:
    """L within ``spread``, from the angles between students and to the teachers."""
    m, wide, top = len(own), up(spread * arb(2).sqrt()), arb(0)
    C = [[change(own[j][k], wide, True) if j != k else arb(0) for k in range(m)] for j in range(m)]
    D = [sum((change(t, spread, False) for t in row), arb(0)) + sum(C[j], arb(0)) for j, row in enumerate(onto)]
    gram = (arb_mat(C) * arb_mat(C)).tolist()
    for j in range(m):
        gram[j] = [x + C[j][k] * (D[j] + D[k] + 2 * C[j][k]) for k, x in enumerate(gram[j])]
        gram[j][j] = D[j] ** 2 + 3 * dot(C[j], C[j])
    v = [arb(float(sum(row, arb(0))) + 1e-3) for row in gram]
    for row, size in zip(gram, v, strict=True):
        top = top.max(up(dot(row, v) / size))
    return up(top.sqrt())
def field_and_hessian(W: list[list[arb]], T: list[list[arb]], own: Any, onto: Any) -> tuple[list[list[arb]], arb_mat]:
    """The field, column by column, and Hess E + PENALTY (projection on the normals), enclosed."""
    m, d, f = len(W), len(W[0]), []
    H = [[arb(0)] * (m * d) for _ in range(m * d)]
    for j, w in enumerate(W):
        g, shift, blur, left, right = [arb(0)] * d, arb(0), arb(0), [w], [[PENALTY * x for x in w]]
        others = [(t, u, -1) for t, u in zip(onto[j], T, strict=True)]
        for t, u, sign in others + [(own[j][k], W[k], 1) for k in range(m) if k != j]:
            psi, c, s = sign * (PI - t) / (2 * PI), t.cos(), t.sin()
            away = [x - c * y for x, y in zip(u, w, strict=True)]  # P(w) u, of length s
            g, shift = [x - psi * y for x, y in zip(g, away, strict=True)], shift - psi * c
            need(s > 1e-8 or sign < 0, "two columns lie on one line")
            if s > 1e-8:
                left, right = [*left, away], [*right, [sign * x / (2 * PI * s) for x in away]]
            else:  # s/2pi times the projection on one direction: nothing but an error
                blur += up(abs(s)) / (2 * PI)
        f.append(g)
        own_block = arb_mat([*left, w]).transpose() * arb_mat([*right, [-shift * x for x in w]])
        for a, row in enumerate(own_block.tolist()):
            row[a] += shift
            H[j * d + a][j * d : j * d + d] = [x + blur * AROUND for x in row]
        for k in range(j):
            psi, c, q = (PI - own[j][k]) / (2 * PI), own[j][k].cos(), 1 / (2 * PI * own[j][k].sin())
            both, form = arb_mat([w, W[k]]), arb_mat([[-psi - q * c, q * c * c + psi * c], [q, -q * c - psi]])
            for a, row in enumerate((both.transpose() * form * both).tolist()):
                row[a] += psi
                H[j * d + a][k * d : k * d + d] = row
                for b, x in enumerate(row):
                    H[k * d + b][j * d + a] = x
    return f, arb_mat(H)
def floats(A: arb_mat) -> Any:
    middle = np.array([float(x) for x in A.entries()]).reshape(A.nrows(), -1)
    return (middle + middle.T) / 2
def above(A: arb_mat, least: arb) -> bool:
    """Whether no symmetric matrix in the enclosure A has an eigenvalue below ``least`` (statement 3)."""
    try:
        hint = np.linalg.cholesky(floats(A) - (float(least) + SHIFT) * np.eye(A.nrows()))
    except np.linalg.LinAlgError:
        return False
    C = arb_mat([[arb(x) for x in row] for row in hint.tolist()])
    rest = A - C * C.transpose()
    for a in range(A.nrows()):
        rest[a, a] -= least + SHIFT
    return bool(norm(rest.entries()) <= SHIFT)
def step(W: list[list[arb]], Y: list[list[arb]], T: list[list[arb]], r: arb, h: arb, lam: arb) -> arb:
    """A bound of the distance to the trajectory at Y, a step h after a bound r at W (statement 2)."""
    own, onto, gap = angles(W, W), angles(W, T), []
    f, H = field_and_hessian(W, T, own, onto)
    vector, grow = arb_mat([[x] for column in f for x in column]), up((h * (-lam).max(arb(0))).exp())
    F = up(norm(vector.entries()) * grow)
    rho = up(r * grow + F * h)
    L = lipschitz(own, onto, rho)
    need(above(H, up(lam + L * rho)), "the Hessian is not above the claimed lam")
    Hf, HHf = (H * vector).entries(), (H * (H * vector)).entries()
    G, bent = grow * (norm(Hf) + h * L * F * F), iter(Hf)
    K = grow * (norm(HHf) + h * L * F * (G + (norm(H.entries()) + L * rho) * F))
    for w, y, v, square in zip(W, Y, f, [dot(v, v) for v in f], strict=True):
        gap += [a + h * b - h * h / 2 * (next(bent) + square * a) - z for a, z, b in zip(w, y, v, strict=True)]
    wrong = up(norm(gap) + h**3 / 6 * (L * F * F + K + 3 * G * F + F**3))
    need(wrong < 0.1, "the next point is not where the step leads")
    return up(r * (-lam * h).exp() + wrong * arb("1.001"))
def theorem_a(R: arb) -> arb:
    t, part = 2 * (R / 2).asin(), 1 - R * R / 2
    loss = R * R * (1 / (8 * part) + PI / 32 + (PI / 2 - 1) * 27 / 2048 * R**4 / part**3)
    return ((t / 2).cos() ** 2 * (PI / 2 - t - t / t.sin()) - loss) / (2 * PI)
def end(T: list[list[arb]], W: list[list[arb]], target: list[int], r: arb) -> tuple[arb, arb, arb]:
    """(R at the last point, rate from there on, late rate): statement 4."""
    m, between = len(T), angles(T, T)
    _, H = field_and_hessian(T, T, between, between)
    late = arb(float(np.linalg.eigvalsh(floats(H))[0]) - 1e-6)
    need(late > 0 and above(H, late), "the teachers' Hessian is not shown to be positive")
    R = up(norm([x - y for w, k in zip(W, target, strict=True) for x, y in zip(w, T[k], strict=True)]) + r)
    need(R < 0.5, f"the last point is too far from the teachers: R = {float(R):.4g}")
    def local(b: arb) -> arb:
        return arb((late - lipschitz(between, between, b) * b / 2).lower())
    if local(up(R * arb("1.05"))) > 0:
        return R, local(up(R * arb("1.05"))), late
    b = next((x for x in (arb(2) ** -k for k in range(1, 20)) if local(x) > late / 2), arb(0))
    eps = up(norm([dot(T[j], T[k]) - int(j == k) for j in range(m) for k in range(m)]))
    rate = theorem_a(R + eps) - arb("2.1") * m * eps * arb("1.05") / b
    need(105 * eps < b and rate > 0, f"too far from the teachers (R = {float(R):.4g}), or they are not orthonormal")
    return R, arb(rate.lower()).min(local(b)), late
@ctx.workprec(80)
def check(document: Any, progress: Any = lambda done: None) -> dict[str, Any]:
    """What is proved, in plain floats; raises RefusedError."""
    need(isinstance(document, dict) and document.get("format") == FORMAT, "not of this format", 2)
    try:
        m, d, target = (document[name] for name in ("m", "d", "target"))
        need(all(type(k) is int for k in (m, d, *target)) and m > 0 and d > 1, "sizes that are none", 2)
        T, *points = [unit_columns(columns, m, d) for columns in (document["teacher"], *document["points"])]
        steps, lam = ([number(x) for x in document[name]] for name in ("steps", "lam"))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise RefusedError(2, f"{type(error).__name__}: {error}") from error
    need(len(points) == len(steps) + 1 == len(lam) + 1, "parts that do not fit together", 2)
    need(sorted(target) == list(range(m)), "target: no permutation of the teachers")
    need(all(0 < h < 1e3 for h in steps) and all(abs(x) < 1e3 for x in lam), "a step or lam out of all bounds")
    r = [arb(0)]
    for i, (h, claimed) in enumerate(zip(steps, lam, strict=True)):
        progress(i / len(steps))
        try:
            r.append(step(points[i], points[i + 1], T, r[-1], h, claimed))
        except RefusedError as refused:
            raise RefusedError(1, f"step {i}: {refused.args[1]}") from None
    R, *rates = end(T, points[-1], target, r[-1])  # then six digits, rounded so that what is printed is proved
    rate, late = (float(f"{float((x * (1 - arb(2) ** -17)).lower()):.6g}") for x in rates)
    bounds = R, arb(max(map(float, r))), sum(steps, arb(0))
    entry, tube, time = (float(f"{float((x * (1 + arb(2) ** -17)).upper()):.6g}") for x in bounds)
    return {"limit": target, "R": entry, "rate": rate, "late_rate": late, "time": time, "steps": len(lam), "tube": tube}
def main(path: str) -> int:
    try:
        with open(path, encoding="utf-8") as file:
            return print(TOLD.format(**check(json.load(file)))) or 0
    except (RefusedError, OSError, ValueError, RecursionError) as error:
        code = int(error.args[0]) if isinstance(error, RefusedError) else 2
        return print("not proved:" if code == 1 else "no certificate:", error.args[-1]) or code
if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else print(__doc__) or 2)
