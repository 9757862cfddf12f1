"""Eqn 11: one student turns straight to its teacher."""

from __future__ import annotations

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import angle_pair, tangent_projection
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import ALGEBRA, SPECIALIZATION, Context, Evidence, Item, Source
from verify.mathematics.families.gaussian_layers import Layer, one_of_each, one_teacher, single_pairs
from verify.mathematics.families.gradient_batches import farthest_off
from verify.mathematics.gradients.quadrature_gradient import quadrature_motion
from verify.mathematics.gradients.resolved_gradient import resolved
from verify.specialization import FROM_THE_TEXT, VERSION
from verify.specialization.eqn10 import MOTION

EQN11 = Item("specialization.eqn11", Source(SPECIALIZATION, "Eqn 11", FROM_THE_TEXT, VERSION, "5.3"))
EXAMPLE = Layer(d=3, outputs=2, seed=1)


@EQN11.claim(
    "reading",
    expected="holds",
    on=Layer,
    draw=single_pairs,
    assume=one_of_each,
    examples=(EXAMPLE,),
    cost=ALGEBRA.at_quick(60),
    compares=MOTION,
)
def turns_to_its_teacher(
    layer: Layer, context: Context, *, kept_along: float = 0.0, factor: float = 1.0
) -> Evidence:
    """One student turns straight to its teacher, our reading

    dw̄/dt = (α ψ(θ)/‖w‖) P⊥_w w*,   α = vᵀv*,  ‖w*‖ = 1,  ψ(θ) = c(π−θ)/2π

    P⊥_w w = 0 removes the student's own term. α < 0 turns the student away from the teacher.
    """
    problem = one_teacher(layer)
    motion = quadrature_motion(problem)
    turning = tangent_projection(problem.student_W, motion.W)
    claimed = factor * turn_of(problem, layer.std) + kept_along * problem.teacher_W
    return farthest_off(claimed, turning, motion.rounding_W)


def turn_of(problem: TeacherStudent, std: float) -> Array:
    """``alpha psi(theta) P_w w*``, (d, 1)."""
    W, V = problem.student_W, problem.student_V
    psi = std**2 * angle_pair(W, problem.teacher_W)[1] / (2 * np.pi)
    alpha = float(problem.teacher_V[0] @ V[0])
    return np.asarray(alpha * psi * tangent_projection(W, problem.teacher_W))


def sampled_turn(layer: Layer, context: Context) -> Evidence:
    """The same claim against the sampled gradient, by automatic differentiation."""
    problem = one_teacher(layer)
    rng = context.rng(layer.seed, 10)
    return resolved(problem, turn_of(problem, layer.std), context, rng, projected=True)


turns_to_its_teacher.accepts_variant("the gradient by sampling", sampled_turn, Layer(d=2, seed=2))
turns_to_its_teacher.rejects("faster by 1e-11 of itself", EXAMPLE, factor=1 + 1e-11)
turns_to_its_teacher.rejects("with a share of w* kept along", EXAMPLE, kept_along=0.05)
turns_to_its_teacher.excludes(
    "two students", Layer(d=3, outputs=2, n=2, seed=1), "one teacher and one student"
)
turns_to_its_teacher.includes("one of each", Layer(d=3, seed=1))
