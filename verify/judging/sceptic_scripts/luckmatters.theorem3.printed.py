"""Theorem 3 (v4, section 3.1) over training iterations: a step of gradient descent lengthens the filter before BN."""

import sys

import numpy as np

rng = np.random.default_rng(1)
x, y = rng.standard_normal((8, 2)), rng.standard_normal(8)
start, step = np.array([1.0, 0.5]), 0.5


def loss(w):  # Linear -> BN -> ReLU, one node, the output is the node; BN without eps, no bias
    f = x @ w
    return 0.5 * np.mean((y - np.maximum((f - f.mean()) / f.std(), 0)) ** 2)


gradient = np.array([(loss(start + h) - loss(start - h)) / 2e-6 for h in 1e-6 * np.eye(2)])
moved = start - step * gradient
print(f"w . gradient: {start @ gradient:.1e}, so the flow conserves |w|^2")
print(f"|w|^2 = {start @ start:.6f}, after a step of {step}: {moved @ moved:.6f}: the second is larger")
print(
    f"by {moved @ moved - start @ start:.6f}, and step^2 |gradient|^2 = {step**2 * gradient @ gradient:.6f}"
)
sys.exit(0 if abs(start @ gradient) < 1e-8 and moved @ moved > start @ start + 1e-3 else 1)
