"""Lemma 1 (v4, Eqn 16) with eps in the square root: is the gradient through batch normalisation orthogonal to f?"""

import sys

import numpy as np

eps, h = 1e-3, 1e-6
f, g = np.random.default_rng(0).standard_normal((2, 8))


def out(x):
    return g @ (x - x.mean()) / np.sqrt(x.var() + eps)


g_f = np.array([(out(f + h * e) - out(f - h * e)) / (2 * h) for e in np.eye(8)])
left = abs(g_f @ f)
right = eps / (f.var() + eps) ** 1.5 * abs((f - f.mean()) @ g)
print(f"|<g_f, f>| = {left:.6e} (closed form {right:.6e}), the projection says 0: the left side is larger")
sys.exit(0 if left > 1e-6 and abs(left - right) < 1e-7 else 1)
