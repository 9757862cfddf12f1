"""Theorem 4 with regions that keep their borders: a student whose first layer hands the input on."""

from fractions import Fraction


def relu(t):
    return max(t, Fraction(0))


# On (-2, 2), three layers. Teacher: relu(x), then relu(. + 1), then - 1. Student: relu(x + 4), then relu(. - 4).
def teacher(x):
    return relu(relu(x) + 1) - 1


def student(x):
    return relu(relu(x + 4) - 4)


worst = max(abs(teacher(Fraction(i, 64)) - student(Fraction(i, 64))) for i in range(-127, 128))
colinear = 1 * 0 == 4 * 1  # the student's (1, 4) and the teacher's (1, 0)
gate = [relu(x + 4) - 4 > 0 for x in (Fraction(-1, 64), Fraction(0), Fraction(1, 64))]
print(
    f"largest residual {worst}: a critical point; a student of layer 1 co-linear with the teacher: {colinear}"
)
print(f"the student's gate above, left of, at and right of the teacher's boundary: {gate}: no open region")
print("claimed: at least 1 co-linear student; found 0")
raise SystemExit(0 if worst == 0 and not colinear and gate == [False, False, True] else 1)
