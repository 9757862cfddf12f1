"""Section 4.2 and Figure 7: what a start near the teachers does to the irrelevant fan-outs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import unit_columns
from dynamics.ode.integrate import integrate
from dynamics.two_layer import teachers
from dynamics.two_layer.flows import TwoLayerFlow
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import (
    LUCK_MATTERS,
    SEED,
    CannotJudgeError,
    Context,
    Evidence,
    Instance,
    Item,
    Source,
    fixed,
    integers,
    reals,
)
from verify.mathematics.mean_over_seeds import exceeds, weakest

FIGURE7 = Item(
    "luckmatters.figure7",
    Source(LUCK_MATTERS, "Figure 7 and the paragraph above it", version="v4", section="4.2"),
)

TIMES = (0.0, 20.0)
"""Start, and a time at which the irrelevant fan-outs are on their way."""

RTOL, ATOL = 1e-5, 1e-7
FAR, NEAR = 0.3, 3.0
"""p_W of the two starts; p_V is 0 or 1."""


@dataclass(frozen=True)
class NearStarts(Instance):
    """``networks`` starts as in section 4.2: teachers d-m-c, ``over`` m students, p_W and p_V of the teacher."""

    d: int = fixed(10, integers(2))
    m: int = fixed(20, integers(2))
    c: int = fixed(30, integers(1))
    over: int = fixed(2, integers(2))
    networks: int = fixed(16, integers(3))
    p_V: float = fixed(0.0, reals(0.0))
    seed: int = fixed(0, SEED)

    def problem(self, p_W: float) -> TeacherStudent:
        """``W_u = colnorm(p_W W* + noise)``, ``V = colnorm(p_V (V*, 0) + noise)``; noise whatever p_W and p_V are."""
        rng, batch = np.random.default_rng((self.seed, 41)), (self.networks,)
        teacher_W = teachers.separated(self.d, self.m, rng, batch)
        teacher_V = teachers.separated(self.m, self.c, rng, batch)
        n = self.over * self.m
        start = TeacherStudent.near_teacher(teacher_W, teacher_V, n, rng, p_W=p_W)
        V = teachers.random_unit(n, self.c, rng, batch)
        V[..., : self.m, :] += self.p_V * teacher_V
        return replace(start, student_V=unit_columns(V))


@lru_cache(maxsize=16)  # statements and controls look at the same runs
def fan_outs(instance: NearStarts, p_W: float) -> tuple[Array, Array]:
    """``||v_j||`` of the relevant and of the irrelevant nodes at ``TIMES``, (2, networks, nodes) each."""
    flow = TwoLayerFlow(instance.problem(p_W))
    run = integrate(flow, (0.0, TIMES[-1]), t_eval=list(TIMES), rtol=RTOL, atol=ATOL)
    if not run.success:
        raise CannotJudgeError(run.message)
    norm = run.observables["fan_out_norm"]
    return norm[..., : instance.m], norm[..., instance.m :]


@FIGURE7.claim(
    "reading",
    part="variance",
    expected="observed",
    on=NearStarts,
    draw=None,
    examples=(NearStarts(), NearStarts(p_V=1.0)),
    compares=("mean deviation of ‖v_r‖ at t = 20, from far starts less from near ones", ">", "0"),
    population="16 starts of 10-20-30 teachers, 40 students, p_W = 3 against 0.3, p_V = 0 and 1, by the flow",
    note="our reading: the spread over nodes and starts at one time",
)
def near_starts_vary_less(instance: NearStarts, context: Context, *, exchanged: bool = False) -> Evidence:
    """Figure 7: a close start means low variance

    From W_u near W* (p_W = 3) the irrelevant fan-outs vary less, over nodes and seeds, than from far (p_W = 0.3)
    (judged: mean over starts of the mean deviation of ‖v_r‖ from its mean over all, at t = 20, far less near > 0)

    Standard deviations 0.14 against 0.18 with p_V = 0, 0.07 against 0.16 with p_V = 1. They shrink with the fan-outs
    themselves; relative to their mean they differ little.
    """
    spread = []
    for p_W in (FAR, NEAR):
        norm = fan_outs(instance, p_W)[1][-1]
        spread.append(np.abs(norm - norm.mean()).mean(axis=-1))
    gain = spread[0] - spread[1]
    return exceeds(-gain if exchanged else gain, 0.0, context, p_V=instance.p_V)


near_starts_vary_less.rejects("the two exchanged", NearStarts(p_V=1.0), exchanged=True)


@FIGURE7.claim(
    "printed",
    part="top",
    expected="observed",
    on=NearStarts,
    draw=None,
    examples=(NearStarts(),),
    compares=(
        "gap of row norms at the start, or V_r at t = 20: V near less V far, the weaker of both",
        ">",
        "0",
    ),
    population="16 starts of 10-20-30 teachers, 40 students, p_W = 3, p_V = 1 against 0, by the flow",
)
def near_fan_outs_help(instance: NearStarts, context: Context, *, exchanged: bool = False) -> Evidence:
    """Figure 7: V_u near V* also helps

    V_u(0) close to V* makes the gap between the row norms of V_u and V_r larger at the start, and helps convergence
    (judged at p_W = 3: gap at the start, p_V = 1 less p_V = 0; and mean ‖v_r‖ at t = 20, p_V = 0 less p_V = 1; both
      means over starts > 0)

    The columns of V are normalised over all nodes, so a near V_u starts with smaller V_r as well: at t = 20 0.25 is
    left of 0.61 at the start, against 0.49 of 0.85. Relative to the start, too, it has come further down.
    """
    far, near = (fan_outs(replace(instance, p_V=p_V), NEAR) for p_V in (0.0, 1.0))
    gap = [u[0].mean(-1) - r[0].mean(-1) for u, r in (far, near)]
    left = [r[-1].mean(-1) for _, r in (far, near)]
    sign = -1 if exchanged else 1
    relative = [float((r[-1].mean(-1) / r[0].mean(-1)).mean()) for _, r in (far, near)]
    return weakest(
        exceeds(sign * (gap[1] - gap[0]), 0.0, context, comparisons=2),
        exceeds(sign * (left[0] - left[1]), 0.0, context, comparisons=2, left_of_the_start=relative),
    )


near_fan_outs_help.rejects("the two exchanged", NearStarts(), exchanged=True)
