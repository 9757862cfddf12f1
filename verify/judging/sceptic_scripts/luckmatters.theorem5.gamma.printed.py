"""(41), (42) as printed ask for gamma >= something: one teacher, one student 0.1 rad off with the right fan-out."""

from math import cos, pi, sin

theta, v = 0.1, 1.0
d = (pi - theta) / (2 * pi)  # E[1_w 1_w*]
l_own = (sin(theta) + (pi - theta) * cos(theta)) / (2 * pi)  # E[relu(w.x) relu(w*.x)]
chord = 2 * sin(theta / 2)
# Assumption 2's constants on the cap, for one node: largest slope over least value, per chord; both are bounds here.
arc = theta / chord
K_d = arc / (2 * pi) / d
K_l = arc * (pi - theta) * sin(theta) / (2 * pi) / l_own
least = min(d * (1 - K_d * K_d * chord), l_own * (1 - K_l * K_l * chord))
side_41 = v * cos(theta)  # no other nodes: (B_v - B_dv) cos theta
print(f"right-hand side of (41): {side_41:.4f}, of (42): below 1; least overlap: {least:.4f}")
gamma = 20.0
claimed = gamma * least  # any gamma >= both sides is allowed by the print
true = cos(theta) * d * v * v  # -d/dt log sin theta at the start, exactly
print(f"gamma = {gamma:g} is allowed; claimed rate {claimed:.4f}, true rate at the start {true:.4f}")
print("the true rate is smaller than claimed" if true < claimed else "as claimed")
v = 0.001  # and with <=: (41) has one power of ||v||, the flow has two
small, slow = min(v * cos(theta), 1) * least, cos(theta) * d * v * v
print(f"read with <=, fan-outs of 0.001: claimed {small:.2e}, true {slow:.2e}")
raise SystemExit(0 if true < claimed and slow < small else 1)
