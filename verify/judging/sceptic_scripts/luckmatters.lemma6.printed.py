"""Lemma 6 (v4, Eqns 63-67): sin theta_1 does not grow in a step. One teacher, its student, one irrelevant node.

Isotropic Gaussian input, fan-outs of the size 0.001, where (41) and (42) can be met; irrelevant node 2 rad away.
"""

import sys

from mpmath import acos, cos, matrix, mp, mpf, norm, pi, sin

mp.dps = 30
theta0, alpha, eta, size = mpf("0.005"), mpf(2), mpf("0.01"), mpf("0.001")
teacher = matrix([1, 0, 0])
student = matrix([cos(theta0), 0, -sin(theta0)])  # turned away from the irrelevant node
irrelevant = matrix([cos(alpha), 0, sin(alpha)])
v_star, v, v_r = size, mpf("0.995") * size, mpf("0.5") * size


def psi_d(a, b):
    return (pi - acos(min(mpf(1), (a.T * b)[0]))) / (2 * pi)


field = teacher * (psi_d(student, teacher) * v * v_star) - student * (psi_d(student, student) * v * v)
field -= irrelevant * (psi_d(student, irrelevant) * v * v_r)
field -= student * (student.T * field)[0]
moved = student + eta * field
moved /= norm(moved)
before, after = (mp.sqrt(w[1] ** 2 + w[2] ** 2) for w in (student, moved))
print(f"sin theta before = {mp.nstr(before, 12)}, after = {mp.nstr(after, 12)}:")
print(f"the {'second' if after > before else 'first'} is larger")
sys.exit(0 if after > before else 1)
