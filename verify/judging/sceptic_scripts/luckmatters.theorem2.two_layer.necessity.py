"""Theorem 2 (v4, Eqn 6) without Assumption 1 and projection: one student, one teacher, isotropic Gaussian input."""

import math
import sys

import numpy as np

theta = 1.0  # angle of the unit fan-ins w and w*; fan-outs are 1
w, w_star = np.array([1.0, 0.0]), np.array([math.cos(theta), math.sin(theta)])
nodes, weights = np.polynomial.legendre.leggauss(60)


def moment(low, high):  # E[x x^T] over inputs whose direction lies between two angles: E r^2 = 2
    angle = (high - low) / 2 * nodes + (high + low) / 2
    unit = np.stack([np.cos(angle), np.sin(angle)])
    return (unit * weights) @ unit.T * (high - low) / 2 / math.pi


both, own = moment(theta - math.pi / 2, math.pi / 2), moment(-math.pi / 2, math.pi / 2)
gradient = both @ w_star - own @ w  # minus the gradient of E(f* - f)^2 / 2
eqn_6 = w_star * (math.pi - theta) / (2 * math.pi) - w / 2
missing = gradient - eqn_6
print(
    f"|gradient| = {np.linalg.norm(gradient):.6f}, |Eqn 6| = {np.linalg.norm(eqn_6):.6f}: the second is larger"
)
print(f"along w they differ by {missing[0]:.6f} = sin(theta) / 2 pi, across it by {missing[1]:.1e}")
sys.exit(0 if abs(missing[0] - math.sin(theta) / (2 * math.pi)) < 1e-12 and abs(missing[1]) < 1e-12 else 1)
