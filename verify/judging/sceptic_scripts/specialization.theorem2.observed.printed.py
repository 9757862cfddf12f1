"""One teacher and its copy on (-2, 2): reconstructed, but does any student observe it?"""

from fractions import Fraction


def relu(t):
    return max(t, Fraction(0))


teachers = [(Fraction(1), Fraction(-1)), (Fraction(-1), Fraction(-1))]  # relu(x - 1) and relu(-x - 1)
students = [(Fraction(2), Fraction(-2)), (Fraction(-1), Fraction(-1))]  # 1/2 relu(2x - 2) and relu(-x - 1)
fan_outs = [Fraction(1, 2), Fraction(1)]
worst = Fraction(0)
for step in range(-127, 128):
    x = Fraction(step, 64)
    target = sum(relu(w * x + b) for w, b in teachers)
    worst = max(
        worst, abs(target - sum(v * relu(w * x + b) for v, (w, b) in zip(fan_outs, students, strict=True)))
    )
unobserved = 0
for w, b in teachers:
    boundary = -b / w
    unobserved += all(s * boundary + a <= 0 for s, a in students)
print(f"largest residual on the region {worst}: every gradient is zero, every teacher has its copy")
print(f"teachers whose boundary no student is active on: {unobserved}, claimed 0")
raise SystemExit(0 if worst == 0 and unobserved > 0 else 1)
