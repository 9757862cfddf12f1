"""Assumption 1 with positive multiples only: two antiparallel teachers that nobody needs to learn."""

from fractions import Fraction


def relu(t):
    return max(t, Fraction(0))


# On (-2, 2): teachers relu(x) and -relu(-x), no positive multiples, both boundaries at 0; their sum is x.
# The student is one node, relu(x + 4) - 4.
worst = Fraction(0)
for step in range(-127, 128):
    x = Fraction(step, 64)
    worst = max(worst, abs(relu(x) - relu(-x) - (relu(x + 4) - 4)))
teachers, student = [(1, 0), (-1, 0)], (1, 4)
learned = sum(student[0] * b == student[1] * w for w, b in teachers)
print(f"largest residual {worst}; the student is active at both boundaries, alpha = 1 and -1")
print(f"teachers with a co-linear student: {learned}, claimed 2")
raise SystemExit(0 if worst == 0 and learned < 2 else 1)
