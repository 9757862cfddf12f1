"""Theorem 3 summed over positive multiples: an antiparallel pair of unaligned students that is observed."""

from fractions import Fraction


def relu(t):
    return max(t, Fraction(0))


# On (-2, 2): teacher relu(x); students relu(x), relu(x - 1), -relu(1 - x), -relu(x + 4), output bias 5.
def student(x):
    return relu(x) + relu(x - 1) - relu(1 - x) - relu(x + 4) + 5


worst = max(abs(relu(Fraction(i, 64)) - student(Fraction(i, 64))) for i in range(-127, 128))
observers = [
    1 > 0,
    1 + 4 > 0,
]  # at x = 1 the first and the last student are active, fan-outs 1 and -1: rank 1
fan_out = Fraction(1)  # of relu(x - 1), which no other student is a positive multiple of
print(f"largest residual {worst}: a critical point; observers of the boundary x = 1: {sum(observers)}")
print(f"fan-out of the unaligned student: {fan_out}, claimed 0")
raise SystemExit(0 if worst == 0 and all(observers) and fan_out > 0 else 1)
