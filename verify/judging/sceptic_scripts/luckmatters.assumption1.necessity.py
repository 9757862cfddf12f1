"""Assumption 1 (v4, Eqn 5) for one hidden node, two inputs on a line, in fractions: is the separation exact?"""

import sys
from fractions import Fraction

inputs = [Fraction(1), Fraction(-2)]
gates = [Fraction(x > 0) for x in inputs]  # w = 1; beta = v v is constant


def mean(values):
    return sum(values) / len(values)


left = mean([g * g * x * x for g, x in zip(gates, inputs, strict=True)])
right = mean([g * g for g in gates]) * mean([x * x for x in inputs])
print(
    f"E[f'f' xx] = {left}, E[f'f'] E[xx] = {right}: the {'right' if right > left else 'left'} side is larger"
)
sys.exit(0 if left != right else 1)
