"""Theorem 3 (v4, Eqn 17) in a layer with a bias before ReLU and BN: does the flow conserve |w|^2? (Our reading.)"""

import sys

import numpy as np

rng = np.random.default_rng(0)
x, y = rng.standard_normal((8, 2)), rng.standard_normal(8)
w, b = np.array([1.0, 0.5]), 0.3


def loss(scale_w, scale_b):  # Linear -> ReLU -> BN without eps, the output is the node
    f = np.maximum(x @ (scale_w * w) + scale_b * b, 0)
    return 0.5 * np.mean((y - (f - f.mean()) / f.std()) ** 2)


def rate(scaled):  # d|.|^2/dt = -2 dJ/da, a scaling the parameter(s), by a central difference
    return -2 * (scaled(1 + 1e-5) - scaled(1 - 1e-5)) / 2e-5


of_w = rate(lambda a: loss(a, 1.0))
of_both = rate(lambda a: loss(a, a))
print(
    f"d|w|^2/dt = {of_w:.6f}, claimed 0; d(|w|^2 + b^2)/dt = {of_both:.1e}: the size of the first is larger"
)
sys.exit(0 if abs(of_w) > 1e-3 and abs(of_both) < 1e-8 else 1)
