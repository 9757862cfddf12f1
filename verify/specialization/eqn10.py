"""Eqn 10: the gradient is the residual r_k plus a multiple of w_k itself, exactly so for spherical input."""

from __future__ import annotations

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import norms, tangent_projection
from dynamics.two_layer.problem import TeacherStudent
from dynamics.two_layer.residual_flow import node_residuals
from verify.judging import ALGEBRA, SPECIALIZATION, Context, Evidence, Item, Relation, Source
from verify.mathematics.families.gaussian_layers import Layer
from verify.mathematics.families.gradient_batches import farthest_off
from verify.mathematics.gradients.quadrature_gradient import quadrature_motion
from verify.mathematics.gradients.resolved_gradient import resolved
from verify.specialization import VERSION

EQN10 = Item(
    "specialization.eqn10", Source(SPECIALIZATION, "Eqn 10 and Assumption 2", version=VERSION, section="5.2")
)


EXAMPLE = Layer(d=3, m=2, n=3, outputs=2, std=1.2, seed=2)
"""Without the ratio of norms 17 % of its gradient is missing, without xi more."""

MOTION: tuple[str, Relation, str] = (
    "coordinate of the motion farthest off, by quadrature",
    "=",
    "coordinate by the formula",
)


@EQN10.claim(
    "reading",
    expected="holds",
    on=Layer,
    examples=(EXAMPLE,),
    cost=ALGEBRA.at_quick(60),
    note="both formulas are lost in the text at hand; their content for spherical input is derived from Theorem 6",
    compares=MOTION,
)
def split(layer: Layer, context: Context, *, xi: str = "exact", excess: float = 0.0) -> Evidence:
    """The gradient splits into the residual and a part along the node, our reading

    ẇ_k = r_k + ξ_k w_k,   r_k = Σ_j α_kj ψ(θ_kj) w*_j − Σ_k' β_kk' ψ(θ_kk') w_k',   ψ(θ) = c(π−θ)/2π
    ξ_k = (c/2π‖w_k‖) [Σ_j α_kj sin θ_kj ‖w*_j‖ − Σ_k' β_kk' sin θ_kk' ‖w_k'‖]

    Isotropic Gaussian input, no bias. Spherical input makes Assumption 2 exact, with ψ(π) = 0. Its second coefficient
    is no function of the angle alone: it carries the ratio of the norms. The gradient is a quadrature over the plane of
    each pair of nodes, to rounding; a control samples it.
    """
    problem = layer.problem()
    motion = quadrature_motion(problem)
    return farthest_off((1 + excess) * split_motion(problem, xi), motion.W, motion.rounding_W)


def split_motion(problem: TeacherStudent, xi: str = "exact") -> Array:
    """``r_k + xi_k w_k`` (d, n), with xi as claimed, left out, or without the ratio of norms."""
    W = problem.student_W
    r, exact = node_residuals(problem, W, problem.student_V)
    return np.asarray(r + {"exact": exact, "none": 0 * exact, "no ratio": _without_ratio(problem)}[xi] * W)


def sampled_split(layer: Layer, context: Context) -> Evidence:
    """The same claim against the sampled gradient, by automatic differentiation."""
    problem = layer.problem()
    return resolved(problem, split_motion(problem), context, context.rng(layer.seed, 10))


def _without_ratio(problem: TeacherStudent) -> Array:
    """xi from Theorem 6 without its norm factor: ``sin t w_k`` for ``sin t (||w_j|| / ||w_k||) w_k``."""
    W, V = problem.student_W, problem.student_V
    variance = problem.measure.second_moment()[0, 0]
    xi = np.zeros(problem.n)
    for sign, nodes, fan_out in ((1, problem.teacher_W, problem.teacher_V), (-1, W, V)):
        cosine = W.T @ nodes / (norms(W)[:, None] * norms(nodes))
        sines = np.sqrt(np.maximum(1 - cosine**2, 0.0))
        xi += sign * variance / (2 * np.pi) * ((V @ fan_out.T) * sines).sum(axis=1)
    return xi


split.accepts_variant("the gradient by sampling", sampled_split, EXAMPLE)
split.rejects("larger by 1e-11 of itself", EXAMPLE, excess=1e-11)
split.rejects("r_k alone", EXAMPLE, xi="none")
split.rejects("ξ without ‖w_j‖/‖w_k‖", EXAMPLE, xi="no ratio")


@EQN10.claim(
    "reading",
    part="directions",
    expected="holds",
    on=Layer,
    examples=(EXAMPLE,),
    cost=ALGEBRA.at_quick(60),
    place="Eqn 10, simplified dynamics",
    note="formulas lost; the form of the simplified dynamics is our reading",
    compares=MOTION,
)
def directions(layer: Layer, context: Context, *, factor: float = 1.0) -> Evidence:
    """The residual alone tells where a node turns

    P⊥_{w_k} ẇ_k = P⊥_{w_k} r_k

    Leaving out ξ_k changes how fast a node grows and thereby how fast it turns (1/‖w_k‖), not where to. The
    projected, plain and multiplicative dynamics differ in that speed only, and in what they do to the norms.
    """
    problem = layer.problem()
    r = node_residuals(problem, problem.student_W, problem.student_V)[0]
    motion = quadrature_motion(problem)
    turning = tangent_projection(problem.student_W, motion.W)
    return farthest_off(factor * tangent_projection(problem.student_W, r), turning, motion.rounding_W)


directions.rejects("r_k 20 % larger", EXAMPLE, factor=1.2)
directions.rejects("r_k larger by 1e-11 of itself", EXAMPLE, factor=1 + 1e-11)
