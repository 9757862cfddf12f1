"""Theorem 3 (v4, Eqn 17) with eps inside BN's root, and with a bias in Linear -> ReLU -> BN: the norm drifts."""

import sys

import numpy as np

rng = np.random.default_rng(1)
x, y = rng.standard_normal((8, 2)), rng.standard_normal(8)
start = np.array([1.0, 0.5])


def bn(f, eps):
    return (f - f.mean()) / np.sqrt(f.var() + eps)


def loss(w, eps, bias):  # one node; Linear -> BN -> ReLU, or with a bias Linear -> ReLU -> BN
    f = x @ w + bias
    out = bn(np.maximum(f, 0), eps) if bias else np.maximum(bn(f, eps), 0)
    return 0.5 * np.mean((y - out) ** 2)


def drift(eps, bias):  # d|w|^2/dt under the gradient flow, by central differences
    steps = 1e-6 * np.eye(2)
    gradient = [(loss(start + h, eps, bias) - loss(start - h, eps, bias)) / 2e-6 for h in steps]
    return -2 * start @ np.array(gradient)


plain, with_eps, with_bias = drift(0.0, 0.0), drift(0.1, 0.0), drift(0.0, 0.7)
print(f"d|w|^2/dt at eps = 0 without a bias: {plain:.1e}")
print(f"at eps = 0.1: {with_eps:.6f}, with a bias of 0.7: {with_bias:.6f}: the sizes of both are larger")
sys.exit(0 if abs(plain) < 1e-8 and min(abs(with_eps), abs(with_bias)) > 1e-3 else 1)
