"""Theorem 2 read with positive multiples: a critical point that reproduces an observed teacher without one."""

from fractions import Fraction


def relu(t):
    return max(t, Fraction(0))


# On (-2, 2): the teacher is relu(x); the student is relu(-x) + relu(x + 4) - 4, as relu(t) - relu(-t) = t.
worst = Fraction(0)
for step in range(-127, 128):
    x = Fraction(step, 64)
    worst = max(worst, abs(relu(x) - (relu(-x) + relu(x + 4) - 4)))
students = [(Fraction(-1), Fraction(0)), (Fraction(1), Fraction(4))]  # (weight, bias); the teacher is (1, 0)
aligned = sum(w > 0 and b == 0 for w, b in students)
observed = 0 + 4 > 0  # the second student is active at the teacher's boundary x = 0, with alpha = 1
print(f"largest residual on the region {worst}: every gradient is zero")
print(f"positive multiples of the observed teacher among the students: {aligned}, claimed at least 1")
raise SystemExit(0 if worst == 0 and observed and aligned < 1 else 1)
