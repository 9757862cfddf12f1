"""Eqn 11: one student turns straight to its teacher."""

from __future__ import annotations

import numpy as np

from dynamics.geometry.angles import angle_pair, tangent_projection
from verify.judging import SAMPLING, SPECIALIZATION, Context, Evidence, Item, Source
from verify.mathematics.families.gaussian_layers import Layer, one_teacher, resolvable_turn, single_pairs
from verify.mathematics.gradients.resolved_gradient import resolved
from verify.specialization import FROM_THE_TEXT, VERSION

EQN11 = Item("specialization.eqn11", Source(SPECIALIZATION, "Eqn 11", FROM_THE_TEXT, VERSION, "5.3"))
EXAMPLE = Layer(d=3, outputs=2, seed=1)


@EQN11.claim(
    "reading",
    expected="holds",
    on=Layer,
    draw=single_pairs,
    assume=resolvable_turn,
    examples=(EXAMPLE,),
    cost=SAMPLING.at_quick(12),
    compares=("sampled motion across the nodes along the formula", "=", "length of the formula"),
)
def turns_to_its_teacher(layer: Layer, context: Context, *, kept_along: float = 0.0) -> Evidence:
    """One student turns straight to its teacher, our reading

    dw̄/dt = (α ψ(θ)/‖w‖) P⊥_w w*,   α = vᵀv*,  ‖w*‖ = 1,  ψ(θ) = c(π−θ)/2π

    P⊥_w w = 0 removes the student's own term. α < 0 turns the student away from the teacher.
    """
    problem = one_teacher(layer)
    W, V = problem.student_W, problem.student_V
    psi = layer.std**2 * angle_pair(W, problem.teacher_W)[1] / (2 * np.pi)
    claimed = float(V[0] @ problem.teacher_V[0]) * psi * tangent_projection(W, problem.teacher_W)
    claimed = claimed + kept_along * problem.teacher_W
    return resolved(problem, claimed, context, context.rng(layer.seed, 10), projected=True)


turns_to_its_teacher.rejects("with a share of w* kept along", EXAMPLE, kept_along=0.05)
turns_to_its_teacher.excludes(
    "two students", Layer(d=3, outputs=2, n=2, seed=1), "one teacher and one student"
)
turns_to_its_teacher.includes("one of each", Layer(d=3, seed=1))
