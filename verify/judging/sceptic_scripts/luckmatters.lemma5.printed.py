"""Lemma 5 (v4, Eqns 56-62): |v_1 - v*_1| does not grow in a step. One teacher, its student, one irrelevant node.

Isotropic Gaussian input, fan-outs of the size 0.001, where (41) and (42) can be met; irrelevant node 2 rad away.
"""

import math
import sys

import numpy as np

theta0, alpha, eta, size = 0.005, 2.0, 0.01, 0.001
teacher = np.array([1.0, 0, 0])
student = np.array([math.cos(theta0), math.sin(theta0), 0])
irrelevant = np.array([math.cos(alpha), 0, math.sin(alpha)])
v_star, v, v_r = size, 0.995 * size, 0.5 * size


def psi_l(a, b):
    t = math.acos(min(1.0, float(a @ b)))
    return (math.sin(t) + (math.pi - t) * math.cos(t)) / (2 * math.pi)


step = psi_l(student, teacher) * v_star - psi_l(student, student) * v - psi_l(student, irrelevant) * v_r
before, after = abs(v - v_star), abs(v + eta * step - v_star)
print(
    f"|dv| before = {before:.9g}, after = {after:.9g}: the {'second' if after > before else 'first'} is larger"
)
sys.exit(0 if after > before else 1)
