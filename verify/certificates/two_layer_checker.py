"""Checks a trajectory certificate of luckproof where both layers move: proves where one student's trajectory converges.

    python two_layer_checker.py certificate.json     exit code 0: proved, 1: not proved, 2: no certificate
Needs python-flint and NumPy, whose own numbers are hints and never trusted; no other file. Proofs: docs/theorems.md.
Flow: minus the gradient of J = 1/2 sum (c_p.c_q) kappa(x_p, x_q) over students (w_j, v_j), w_j on the sphere, v_j free,
and teachers (u_l, -v*_l); kappa = (sin t + (pi - t) cos t)/2pi, t the angle; w_j, u_l the *exactly normalised* columns.
1. |d Hess J(Y; X, X)| <= sum A_yxx' |Y_y||X_x||X_x'| <= L (lengths of blocks, unit X, Y), A as ``lipschitz`` has it by
   Leibniz from bounds of a pair's derivatives; L^2 = max (G v)_i/v_i for any v > 0, G the Gram matrix of the A_y.
2. A step h, claimed lam: grow = e^{(-lam)+ h}, speed <= F = |f| grow, rho = r grow + F h. If Hess J >= lam + L rho at
   the point, Hess J >= lam within rho: distances grow by e^{-lam h} at most, |Hess f| <= G = grow(|Hess f| + h L F^2),
   |Hess^2 f| <= K = grow(|Hess^2 f| + h L F(G + |Hess| F)), Taylor's step is off by h^3/6 (L F^2 + K + 3GF + F^3).
3. No eigenvalue of a symmetric A is below c if |A - c - s - C C^T| <= s (Frobenius) for some C (the hint), s > 0.
4. End: J = 0 on M = {the chosen students at their teachers; pairs merged, w_a = w_b, v_a = -v_b; v_k = 0 for the rest}.
   Where Hess J >= mu across M, dist(M) falls from R at rate m = (sqrt mu - D/sqrt 2)^2 - L(P + R/2), L within D + P +
   R; o = (1 + LR/4m)/m: the rest move by D <= r + R^2/2 sqrt(o/2); pairs along M by (r + sqrt(2Jo))/cos(R/sqrt 2).
"""

# fmt: off
import json
import sys
from functools import reduce
from typing import Any

try:
    import numpy as np
    from flint import arb, arb_mat, ctx
except ImportError as missing:  # which must not look like the verdict "not proved"
    raise SystemExit(print("cannot check:", missing) or 2) if __name__ == "__main__" else missing from None

FORMAT = "luckproof trajectory certificate 1: Theorem 5, projected flow of both layers, standard normal input"
PENALTY, SHIFT, PI, AROUND, ROOT = 0.5, 2.0**-30, arb.pi(), arb(0, 1), arb(2).sqrt()  # normals to spheres; s of 3
TOLD = """proved: the trajectory of Theorem 5's flow from the first point converges
students {limit} take teachers 0, 1, ...; {told}; from t = {time:.6g} on the distance to such solutions,
R <= {R:.6g} then, falls at rate {rate:.6g} or more, in the end {late_rate:.6g} ({steps} steps, within {tube:.6g})"""
class RefusedError(Exception):
    """(exit code, why); code 1: not proved, 2: no certificate."""
def need(holds: object, why: str, code: int = 1) -> None:
    if holds is not True:
        raise RefusedError(code, why)
def up(x: arb) -> arb:
    return arb(x.upper())
def norm(a: Any) -> arb:
    return sum((x * x for x in np.ravel(a)), arb(0)).nonnegative_part().sqrt()
def numbers(texts: Any, count: int, size: int) -> Any:
    found = [[arb(float.fromhex(text)) for text in row] for row in texts]
    right = len(found) == count and all(len(row) == size and all(abs(x) < 1e99 for x in row) for row in found)
    need(right, "rows of wrong sizes, or a number that is not finite, or beyond 1e99", 2)
    return np.array(found, dtype=object).reshape(count, size)
def units(A: Any) -> Any:
    need(all(norm(a) > 0 for a in A), "a column is zero", 2)
    return np.array([a / norm(a) for a in A])
def angles(W: Any, X: Any) -> list[list[arb]]:
    return [[2 * arb.atan2(norm(w - x), norm(w + x)) for x in X] for w in W]
def kappa(t: arb) -> arb:
    return (t.sin() + (PI - t) * t.cos()) / (2 * PI)
def constants(theta: arb, spread: arb, moving: bool) -> list[arb]:
    """C3 (both nodes move) or C1 (one does), hxx, hxy, q, for all angles within ``spread`` of ``theta``."""
    spread = spread.min(arb(4))  # all angles there are
    n, most = 1 + int(16 * float(spread)), [arb(0)] * 4
    for i in range(n):
        t = theta + spread * (2 * i + 1 - n) / n + spread / n * AROUND
        c, s, k = t.cos(), t.sin(), PI - t
        a, b, e, flat = up(abs(2 * c + k * s)), up(abs(c + k * s)), up(abs(c)), up(abs(s - k * c))
        b, e = (b.max(arb(1)), e.max(b).max(arb(1))) if moving else (b, e)
        e = up(e.max(abs(a - b)).max(arb(1) / 1000))  # larger is only weaker; it keeps the parabola concave
        third = up(b * b + (2 * e * e + b * (a - b)) ** 2 / (4 * e * e - (a - b) ** 2)).sqrt()
        here = third, flat.max(up(abs(k * c))), flat.max(up(abs(k))), abs(k * s)
        most = [x.max(up(y)) for x, y in zip(most, here, strict=True)]
    return [up(x / (2 * PI)) for x in most]
def lipschitz(th: Any, V: Any, U: Any, spread: arb, still: Any = ()) -> arb:
    """L within ``spread`` (statement 1); of the nodes ``still`` only v moves."""
    n, size, A = len(V), [up(norm(v) + spread) for v in V], np.full([2 * len(V)] * 3, arb(0))
    def put(value: arb, *places: Any) -> None:
        for place in places:
            A[place] += value
    for k in range(n):
        for j in range(k):
            third, hxx, hxy, q = constants(th[j][k], up(spread * ROOT), True)
            p = abs(V[j] @ V[k]) + spread * norm([*V[j], *V[k]]) + spread**2 / 2
            for x, a, b in ((j, j, k), (j, k, j), (k, j, k), (k, k, j)):
                put(q, (n + b, n + a, x), (n + b, x, n + a), (x, n + a, n + b))
                for y, h in ((x, hxx), (j + k - x, hxy)):
                    put(h * size[b], (n + a, x, y), (x, n + a, y), (x, y, n + a))
                    put(p * third, (a, x, y))
        for i, u in enumerate(U):
            third, hxx, *_ = constants(th[k][n + i], spread, False)
            put((abs(V[k] @ u) + spread * norm(u)) * third, (k, k, k))
            put(norm(u) * hxx, (n + k, k, k), (k, n + k, k), (k, k, n + k))
    kept = [i for i in range(2 * n) if i not in still]
    M = arb_mat(A[np.ix_(kept, kept, kept)].reshape(len(kept), -1).tolist())
    G, v = np.array((M * M.transpose()).tolist()), np.ones(len(kept))
    for _ in range(30):
        v = G.astype(float) @ (v / v.max()) + 1e-9
    return up(reduce(lambda x, y: x.max(up(y)), G @ v / v, arb(0)).sqrt())
def field_and_hessian(W: Any, V: Any, T: Any, U: Any, th: Any) -> tuple[Any, Any]:
    """The field, w_0, w_1, ..., v_0, v_1, ..., and Hess J + PENALTY (projection on the normals), enclosed."""
    (n, d), c, X, C = W.shape, V.shape[1], np.concatenate([W, T]), np.concatenate([V, -U])
    f, g, H = W * 0, V / -2, np.full([n * (d + c)] * 2, arb(0))
    at = [(slice(j * d, j * d + d), slice(n * d + j * c, n * d + j * c + c)) for j in range(n)]
    for j, (w, (J, K)) in enumerate(zip(W, at, strict=True)):
        ww, P, one = np.outer(w, w), np.eye(d) - np.outer(w, w), np.eye(V.shape[1]).astype(object)
        for k, (x, v) in enumerate(zip(X, C, strict=True)):
            if k == j:
                H[J, J], H[K, K] = H[J, J] + PENALTY * ww, one * arb(0.5)
                continue
            t, p = th[j][k], V[j] @ v
            psi, c, s = (PI - t) / (2 * PI), t.cos(), t.sin()
            away = x - c * w  # P(w) x, of length s
            f[j], g[j] = f[j] - p * psi * away, g[j] - kappa(t) * v
            q, blur = (p / (2 * PI * s), arb(0)) if s > 1e-8 else (arb(0), up(abs(p) * s / (2 * PI)) * AROUND)
            H[J, J] += np.outer(q * away, away) - p * psi * c * P + blur
            H[J, K] += np.outer(psi * away, v)
            if k < n:
                H[J, at[k][0]] += np.outer(q * away, w - c * x) + p * psi * (P - np.outer(away, x)) + blur
                H[J, at[k][1]], H[K, at[k][1]] = np.outer(psi * away, V[j]), kappa(t) * one
    H[n * d:, : n * d] = H[: n * d, n * d:].T
    return np.concatenate([f.ravel(), g.ravel()]), H
def above(A: Any, least: arb) -> bool:
    """Whether no symmetric matrix in the enclosure A has an eigenvalue below ``least`` (statement 3)."""
    try:
        C = arb_mat(np.linalg.cholesky(A.astype(float) - (float(least) + SHIFT) * np.eye(len(A))).tolist())
    except np.linalg.LinAlgError:
        return False
    return bool(norm(A - np.array((C * C.transpose()).tolist()) - np.diag([least + SHIFT] * len(A))) <= SHIFT)
def step(name: str, here: Any, there: Any, T: Any, U: Any, r: arb, h: arb, lam: arb) -> arb:
    """A bound of the distance to the trajectory at ``there``, a step h after a bound r at ``here`` (statement 2)."""
    (W, V), th, size = here, angles(here[0], np.concatenate([here[0], T])), here[0].size
    (f, H), grow = field_and_hessian(W, V, T, U, th), up((h * (-lam).max(arb(0))).exp())
    rho = up(r * grow + (F := up(norm(f) * grow)) * h)
    L, Hf = lipschitz(th, V, U, rho), H @ f
    need(above(H, up(lam + L * rho)), name + "the Hessian is not above the claimed lam")
    G = grow * (norm(Hf) + h * L * F * F)
    K = grow * (norm(H @ Hf) + h * L * F * (G + (norm(H) + L * rho) * F))
    Hf[:size] += (W * np.array([[v @ v] for v in f[:size].reshape(W.shape)])).ravel()
    y, z = (np.concatenate([part.ravel() for part in point]) for point in (here, there))
    wrong = up(norm(y + h * f - h * h / 2 * Hf - z) + h**3 / 6 * (L * F * F + K + 3 * G * F + F**3))
    need(wrong < 0.1, name + "the next point is not where the step leads")
    return up(r * (-lam * h).exp() + wrong * arb("1.001"))
def end(W: Any, V: Any, T: Any, U: Any, students: Any, pairs: Any, r: arb) -> tuple[arb, ...]:
    """(R at the last point, rate from there on, late rate, what is left of the pairs' fan-outs): statement 4."""
    (n, d), c, p, v, D, P = W.shape, V.shape[1], W.copy(), V * 0, r, arb(0)
    rest, p[students], v[students] = [j for j in range(n) if j not in {*students, *np.ravel(pairs)}], T, U
    for a, b in pairs:
        p[[a, b]], v[[a, b]] = (W[a] + W[b]) / norm(W[a] + W[b]), np.array([V[a] - V[b], V[b] - V[a]]) / 2
    R = up(norm([*(angles(W[j:j + 1], p[j:j + 1])[0][0] for j in range(n) if j not in rest), *(V - v).ravel()]) + r)
    need(R < 1, f"R = {float(R):.4g} is too far")  # also where a pair is opposite and has no middle
    th, X, C = angles(p, np.concatenate([p, T])), np.concatenate([W, T]), np.concatenate([V, -U])
    H = field_and_hessian(p, v, T, U, th)[1]
    for a, b, along, size in [(k, k, 0.125, 0) for k in rest] + [(a, b, 0.25, 0.25) for a, b in pairs]:
        for j, k, sign in ((a, a, 1), (b, b, 1), (a, b, -1), (b, a, -1)):  # PENALTY along M
            H[j * d:j * d + d, k * d:k * d + d] += along * (np.eye(d) - np.outer(p[a], p[a]))
            H[range(n * d + j * c, n * d + j * c + c), range(n * d + k * c, n * d + k * c + c)] += sign * size
    mu = arb(float(np.linalg.eigvalsh(H.astype(float))[0]) - 1e-6)
    need(mu > 0 and above(H, mu), "the Hessian across the solutions is not shown to be above 0")
    twice = sum(((C[i] @ C[k]) * kappa(t) for i, row in enumerate(angles(X, X)) for k, t in enumerate(row)), arb(0))
    root = up(twice.nonnegative_part().sqrt() + r * norm([arb(1)] * n + [norm(x) + r for x in V]) / ROOT)
    while True:  # D or P grows until the end holds or the rate is gone
        L, across = lipschitz(th, v, U, up(D + P + R), rest), mu.sqrt() - D / ROOT
        late, rate = across * across - L * P, across * across - L * (P + R / 2)
        need(across > 0 and rate > 0, f"the last point is too far from the solutions: R = {float(R):.4g}")
        over = (1 + L * R / (4 * rate)) / rate
        newD, newP = r + R * R / 2 * (over / 2).sqrt(), (r + root * over.sqrt()) / (R / ROOT).cos() if pairs else P
        if newD <= D and newP <= P:
            return R, rate, late, *(norm(v[a]) - P / ROOT for a, _ in pairs)
        D, P = D.max(up(newD * arb("1.02"))), P.max(up(newP * arb("1.02")))
@ctx.workprec(80)
def check(document: Any, progress: Any = lambda done: None) -> dict[str, Any]:
    """What is proved, in plain floats; raises RefusedError."""
    need(isinstance(document, dict) and document.get("format") == FORMAT, "not of this format", 2)
    try:
        n, m, d, c, students, pairs = (document[name] for name in ("n", "m", "d", "c", "students", "pairs"))
        pairs, chosen = [*pairs], [*students, *(k for a, b in pairs for k in (a, b))]
        need(all(type(k) is int for k in (n, m, d, c, *chosen)) and m > 0 and c > 0 and d > 1, "sizes that are none", 2)
        r, T, U = [arb(0)], units(numbers(document["teacher_W"], m, d)), numbers(document["teacher_V"], m, c)
        points = [(units(numbers(W, n, d)), numbers(V, n, c)) for W, V in document["points"]]
        steps, lam = (numbers([document[name]], 1, len(points) - 1)[0] for name in ("steps", "lam"))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise RefusedError(2, f"{type(error).__name__}: {error}") from error
    need(len(students) == m and len({*chosen} & {*range(n)}) == len(chosen), "a student is named twice, or is none")
    need(all(0 < h < 1e3 for h in steps) and all(abs(x) < 1e3 for x in lam), "a step or lam out of all bounds")
    for i, (h, claimed) in enumerate(zip(steps, lam, strict=True)):
        progress(i / len(steps))
        r.append(step(f"step {i}: ", points[i], points[i + 1], T, U, r[-1], h, claimed))
    R, *found = end(*points[-1], T, U, students, pairs, r[-1])
    need(all(x > 0 for x in found), "nothing is shown to be left of a pair's fan-outs")
    rate, late, *left = (float(f"{float((x * (1 - arb(2) ** -17)).lower()):.6g}") for x in found)
    bounds = R, arb(max(map(float, r))), sum(steps, arb(0))  # six digits, 2^-17 wider: what is printed is proved
    entry, tube, time = (float(f"{float((x * (1 + arb(2) ** -17)).upper()):.6g}") for x in bounds)
    told = [f"{a}, {b} merge, opposite fan-outs >= {x:.6g}" for (a, b), x in zip(pairs, left, strict=True)]
    return {"limit": students, "pairs": pairs, "left": left, "R": entry, "rate": rate, "late_rate": late, "tube": tube,
            "told": "; ".join([*told, "other fan-outs -> 0"]), "time": time, "steps": len(steps)}
def main(path: str) -> int:
    try:
        with open(path, encoding="utf-8") as file:
            return print(TOLD.format(**check(json.load(file)))) or 0
    except (RefusedError, OSError, ValueError, RecursionError) as error:
        code = int(error.args[0]) if isinstance(error, RefusedError) else 2
        return print("not proved:" if code == 1 else "no certificate:", error.args[-1]) or code
if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else print(__doc__) or 2)
