"""Lemma 4 (v4, Eqn 32): |l*_jj - l_jj| <= C_0 l*_jj |dw_j|^2. Whitened, skewed input: (Exp(1) - 1, N(0, 1))."""

import math
import sys

import numpy as np

nodes, weights = np.polynomial.legendre.leggauss(200)


def moments(c):  # E[1, z, z^2; z > c] of a standard normal z
    tail, density = 0.5 * math.erfc(c / math.sqrt(2)), math.exp(-c * c / 2) / math.sqrt(2 * math.pi)
    return tail, density, tail + c * density


def psi_l(a, b):  # both second coordinates positive: both nodes are open for z above the higher of two lines
    total = 0.0
    for low, high in ((-1.0, 0.0), (0.0, 40.0)):
        for x, w in zip((high - low) / 2 * nodes + (high + low) / 2, weights * (high - low) / 2, strict=True):
            p, q, r = moments(max(-a[0] * x / a[1], -b[0] * x / b[1]))
            both = a[0] * b[0] * x * x * p + (a[0] * b[1] + a[1] * b[0]) * x * q + a[1] * b[1] * r
            total += w * math.exp(-(x + 1)) * both
    return total


def needed(step, start=0.8):  # the C_0 that the lemma needs at |dw| = step
    turn = start + 2 * math.asin(step / 2)
    teacher, student = (math.cos(start), math.sin(start)), (math.cos(turn), math.sin(turn))
    star = psi_l(student, teacher)
    return abs(star - psi_l(student, student)) / star / step**2


far, near = needed(0.1), needed(0.001)
print(
    f"C_0 needed at |dw| = 0.1: {far:.3f}, at 0.001: {near:.3f}: the second is larger, like 1/|dw|: no C_0 exists"
)
sys.exit(0 if near > 20 * far else 1)
