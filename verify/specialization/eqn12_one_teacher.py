"""Eqn 12 with norm and fan-out kept in: one student and one teacher obey three equations, exactly."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import angle_pair
from dynamics.two_layer.one_teacher import OneTeacherFlow
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import ALGEBRA, SPECIALIZATION, Budget, Context, Evidence, Item, Source
from verify.mathematics.families.gaussian_layers import Layer, one_teacher, single_output, single_pairs
from verify.mathematics.families.gradient_batches import farthest_off
from verify.mathematics.gradients.quadrature_gradient import quadrature_motion
from verify.mathematics.gradients.resolved_gradient import resolved
from verify.specialization import VERSION
from verify.specialization.eqn10 import MOTION

ONE_TEACHER = Item(
    "specialization.eqn12.one_teacher",
    Source(
        SPECIALIZATION, "Eqn 12", "with norm and fan-out kept in; derived, not in the paper", VERSION, "5.3"
    ),
)


def one_output_pairs(budget: Budget) -> st.SearchStrategy[Layer]:
    """One teacher and one student with one output."""
    return single_pairs(budget).map(lambda layer: replace(layer, outputs=1))


@ONE_TEACHER.claim(
    "sharp",
    expected="holds",
    on=Layer,
    draw=one_output_pairs,
    assume=single_output,
    examples=(Layer(d=3, seed=1),),
    cost=ALGEBRA.at_quick(60),
    compares=MOTION,
)
def three_equations(layer: Layer, context: Context, *, growth: float = 1.0) -> Evidence:
    """One student and one teacher in three numbers

    δ = π−θ, ρ = ‖w‖:   δ̇ = (c/2π)(v v*/ρ) δ sin δ
    ρ̇ = (c/2π) v v* (sin δ − δ cos δ) − (c/2) v²ρ,   v̇ = (c/2π) v* ρ (sin δ − δ cos δ) − (c/2) v ρ²

    ρ² − v² is conserved (Eqn 8), which leaves two equations. They decide how κ moves while the student turns.
    """
    problem = one_teacher(layer)
    motion = quadrature_motion(problem)
    measured = np.append(motion.W, motion.V)
    rounding = np.append(np.repeat(motion.rounding_W, layer.d), motion.rounding_V)
    return farthest_off(three_numbers(problem, layer.std, growth), measured, rounding)


def three_numbers(problem: TeacherStudent, std: float, growth: float = 1.0) -> Array:
    """The motion that the three equations claim, w's coordinates and then v: (d + 1,)."""
    w, goal = problem.student_W[:, 0], problem.teacher_W[:, 0]
    rho = float(np.linalg.norm(w))
    delta = float(angle_pair(problem.student_W, problem.teacher_W)[1][0, 0])
    flow = OneTeacherFlow(delta, rho, problem.student_V[0, 0], teacher_v=problem.teacher_V[0, 0], c=std**2)
    turn, grow, fan_out = flow(0.0, flow.initial_state()) * np.array([1.0, growth, 1.0])
    # Back into the plane of w and w*, to be compared with the gradient in W and V.
    across = goal - w * (goal @ w) / rho**2
    return np.append(grow * w / rho + rho * turn * across / np.linalg.norm(across), fan_out)


def sampled_motion(layer: Layer, context: Context) -> Evidence:
    """The same claim against the sampled gradient, by automatic differentiation."""
    problem = one_teacher(layer)
    return resolved(problem, three_numbers(problem, layer.std), context, context.rng(layer.seed, 12))


three_equations.accepts_variant("the gradient by sampling", sampled_motion, Layer(d=3, seed=1))
three_equations.rejects("ρ̇ larger by 1e-11 of itself", Layer(d=3, seed=1), growth=1 + 1e-11)
three_equations.rejects("ρ̇ 20 % larger", Layer(d=3, seed=1), growth=1.2)
three_equations.excludes("two outputs", Layer(d=3, outputs=2, seed=1), "one output")
three_equations.includes("one output", Layer(d=3, seed=1))
three_equations.excludes("two students", Layer(d=3, n=2, seed=1), "one teacher and one student")
