"""Theorem 2 (v4, Eqn 6) without Assumption 1: one student node w = 1, one teacher node w* = 3, two inputs."""

import sys
from fractions import Fraction

inputs = [Fraction(1), Fraction(-2)]
gates = [Fraction(x > 0) for x in inputs]  # w = 1; beta = v v is constant


def mean(values):
    return sum(values) / len(values)


left = mean(
    [g * x * (3 * g * x - g * x) for g, x in zip(gates, inputs, strict=True)]
)  # minus the gradient of J in w
right = mean(gates) * mean([x * x for x in inputs]) * (3 - 1)  # L* w* H* - L w H with d = d* = E[f'f']
print(f"gradient = {left}, Eqn 6 = {right}: the {'right' if right > left else 'left'} side is larger")
sys.exit(0 if left != right else 1)
