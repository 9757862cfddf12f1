"""Flat minima (remark on Theorem 5 and introduction): which directions are flat, and how many."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np
import torch
from mpmath import mp

from dynamics.arrays import Array
from dynamics.two_layer import teachers
from dynamics.two_layer.observables import population_loss
from dynamics.two_layer.problem import TeacherStudent
from nets import TwoLayerStudents, train
from nets.two_layer.curvature import hessian_spectrum
from verify.judging import (
    LUCK_MATTERS,
    Assumption,
    Budget,
    Context,
    Control,
    Cost,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
)
from verify.mathematics.mean_over_seeds import exceeds
from verify.mathematics.zero_curvature import hessian_on, resolvable, resolving_inputs, zero_eigenvalues

REMARK = Source(LUCK_MATTERS, "Section 3.3, remark 'Flat minima'")


@dataclass(frozen=True)
class Solved:
    """A two-layer student at the limit of Theorem 5: u-set at the teacher, ``extra`` r-nodes with zero fan-out."""

    d: int = 3
    m: int = 1
    extra: int = 1
    c: int = 1
    seed: int = 0

    @property
    def n(self) -> int:
        """Number of students."""
        return self.m + self.extra


def solved(budget: Budget) -> st.SearchStrategy[Solved]:
    """Limits with a random r-set; up to 8 inputs, 4 teachers, 6 irrelevant nodes, 4 outputs."""
    integers = st.integers
    return st.builds(
        Solved, integers(3, 8), integers(1, 4), integers(1, 6), integers(1, 4), integers(0, 2**20)
    )


def at_the_limit(instance: Solved, fan_out: float = 0.0) -> TeacherStudent:
    """``(W*, W_r; V*, V_r)`` with random r-columns; ``fan_out`` is the norm of the rows of V_r."""
    rng = np.random.default_rng((instance.seed, 1))
    d, m, n, c = instance.d, instance.m, instance.n, instance.c
    W = teachers.random_unit(d, n, rng)
    V = np.ascontiguousarray(teachers.random_unit(c, n, rng).T)
    return TeacherStudent(W[:, :m], W, V[:m], np.concatenate([V[:m], fan_out * V[m:]]))


def resolved(instance: Solved) -> tuple[Assumption, ...]:
    """The inputs drawn for the instance show its rank; see zero_curvature."""
    problem = at_the_limit(instance)
    return resolvable(problem, resolving_inputs(problem, instance.seed))


def flat_block_evidence(instance: Solved, context: Context, fan_out: float = 0.0) -> Evidence:
    """Curvature of every W_r direction, row by row of the Hessian, against rounding."""
    problem = at_the_limit(instance, fan_out)
    x = resolving_inputs(problem, instance.seed)
    H = hessian_on(problem, x)
    d, m, n = instance.d, instance.m, instance.n
    rows = H[: d * n].reshape(d, n, -1)[:, m:]
    zeros, tolerance, _ = zero_eigenvalues(H, problem, len(x))
    return Evidence.at_most(
        float(rows.abs().max()),
        bound=0.0,
        tolerance=tolerance,
        zero_eigenvalues=zeros,
        irrelevant_weights=instance.extra * d,
    )


def count_evidence(instance: Solved, context: Context, forget_scaling: bool = False) -> Evidence:
    """The number of zero eigenvalues against (n - m) d + m."""
    problem = at_the_limit(instance)
    x = resolving_inputs(problem, instance.seed)
    zeros, tolerance, smallest = zero_eigenvalues(hessian_on(problem, x), problem, len(x))
    predicted = instance.extra * instance.d + instance.m * (not forget_scaling)
    share = predicted / (instance.n * (instance.d + instance.c))
    return Evidence.close(
        zeros,
        predicted=predicted,
        tolerance=0.0,
        smallest_nonzero=smallest,
        zero_below=tolerance,
        share_of_all_weights=share,
    )


PRINTED = Statement(
    key="luckmatters.theorem5.flat_minima",
    form=Form.PRINTED,
    title="Flat minima: the fan-ins of irrelevant nodes",
    claim="At V_r = 0, W_r can be changed arbitrarily without affecting the output:\n∂²J / ∂W_r ∂(W, V) = 0",
    source=REMARK,
    expected=Outcome.HOLDS,
    instance_type=Solved,
    instances=solved,
    evidence=flat_block_evidence,
    controls=[
        Control("V_r = 0.1 instead of 0", lambda context: flat_block_evidence(Solved(), context, fan_out=0.1))
    ],
    cost=Cost(60, 1000, 10_000),
    remark="Exact at the limit. In a network still training the block has curvature ‖v_k‖²/2 a direction, so it is "
    "flat as far as V_r has died.",
)

NO_INPUT_BETWEEN = Solved(d=3, m=2, extra=6, c=1, seed=111)
"""A lucky and an irrelevant column 3 degrees apart: 320 inputs (10 a weight) leave the wedge between them empty."""

SHARP = Statement(
    key="luckmatters.theorem5.flat_minima",
    form=Form.SHARP,
    title="Flat minima: how many directions",
    claim="At (W*, W_r; V*, 0), W_r in general position, the Hessian has exactly (n − m) d + m zero eigenvalues:\n"
    "the fan-ins of irrelevant nodes, and the rescaling (w_j, v_j) → (a w_j, v_j / a) of each lucky one",
    source=Source(LUCK_MATTERS, "Section 3.3, remark 'Flat minima'", "the count is ours"),
    expected=Outcome.HOLDS,
    instance_type=Solved,
    instances=solved,
    assumptions=resolved,
    evidence=count_evidence,
    controls=[
        Control(
            "without the m rescalings",
            lambda context: count_evidence(Solved(), context, forget_scaling=True),
        )
    ],
    cost=Cost(60, 1000, 10_000),
    examples=[NO_INPUT_BETWEEN],
    remark="On unit columns the rescalings drop out and (n − m)(d − 1) remain. The fan-outs of irrelevant nodes are "
    "not among the flat directions. Counted on inputs: where no input falls between the gates of an irrelevant node "
    "and of a lucky one, the first is a linear function of the second's features there, and its fan-out is flat too.",
)

MINIMAL = 0.01
"""'Minimal change in output': at most this share of the change that the same step makes at a lucky node."""


def unlucky_step_evidence(instance: Solved, context: Context, lucky: bool = False) -> Evidence:
    """Loss after a step in the fan-out of one unlucky node, relative to the same step at a lucky one."""
    problem, size = at_the_limit(instance), 0.1
    lost = []
    for node in (0, 0 if lucky else instance.m):
        V = problem.student_V.copy()
        V[node, 0] += size
        lost.append(float(population_loss(problem, problem.student_W, V)))
    return Evidence.at_most(
        lost[1] / lost[0], bound=MINIMAL, tolerance=0.0, loss_lucky=lost[0], loss_unlucky=lost[1]
    )


def unlucky_fan_in_evidence(instance: Solved, context: Context) -> Evidence:
    """The same with the step in the fan-in of the unlucky node: no change at all."""
    problem, size = at_the_limit(instance), 0.1
    V, W = problem.student_V.copy(), problem.student_W.copy()
    V[0, 0] += size
    reference = float(population_loss(problem, W, V))
    W[0, instance.m] += size
    moved = abs(float(population_loss(problem, W, problem.student_V)))
    return Evidence.at_most(moved / reference, bound=MINIMAL, tolerance=0.0)


def confirm_unlucky_step(instance: Solved) -> Evidence:
    """By quadrature: the step costs ½ ε² E[relu(w.x)²] at every unit column, lucky or not."""
    mp.dps = 30
    second_moment = mp.quad(lambda s: s**2 * mp.npdf(s), [0, 4, 8, 20])  # w.x is standard normal
    lucky = unlucky = mp.mpf("0.005") * second_moment
    return Evidence.at_most(float(unlucky / lucky), bound=MINIMAL, tolerance=0.0)


INTRODUCTION = Statement(
    key="luckmatters.introduction.flat_minima",
    form=Form.PRINTED,
    title="Flat minima: all directions of unlucky nodes",
    claim="Movement along the dimensions of unlucky nodes (fan-in and fan-out) results in minimal change in output",
    source=Source(LUCK_MATTERS, "Section 1, 'Flat minima'"),
    expected=Outcome.REFUTED,
    instance_type=Solved,
    instances=solved,
    evidence=unlucky_step_evidence,
    confirm=confirm_unlucky_step,
    controls=[
        Control("a lucky node", lambda context: unlucky_step_evidence(Solved(), context, lucky=True)),
        Control(
            "the fan-in only", lambda context: unlucky_fan_in_evidence(Solved(), context), must_hold=True
        ),
    ],
    cost=Cost(60, 1000, 10_000),
    remark="Only the fan-in of an unlucky node is flat. Its fan-out has curvature E f_k² = ½ (unit "
    "columns), the same as "
    "that of a lucky node: a step there changes the output just as much. Of n (d + c) weights (n − m) d + m "
    "directions are flat, most of them only if c is small against d.",
)


@dataclass(frozen=True)
class TrainedSizes:
    """Networks of m, 2m and 4m nodes trained by SGD from a start near the teacher."""

    d: int = 8
    m: int = 3
    c: int = 2
    networks: int = 12
    steps: int = 4000
    seed: int = 0


NEAR_ZERO = 1e-3
"""Near zero: this share of the largest eigenvalue (of the same network)."""


def near_zero_counts(instance: TrainedSizes, factor: int) -> Array:
    """Number of Hessian eigenvalues near zero of each trained network of ``factor * m`` nodes."""
    rng = np.random.default_rng((instance.seed, factor))
    d, m, c, S = instance.d, instance.m, instance.c, instance.networks
    V = np.swapaxes(teachers.random_unit(c, m, rng, (S,)), -1, -2)
    problem = TeacherStudent.near_teacher(teachers.orthonormal(d, m, rng, (S,)), V, factor * m, rng, p_W=5.0)
    students = TwoLayerStudents.from_problem(problem, device="cpu")
    train(
        students, lr=0.2, batch_size=64, steps=instance.steps, seed=instance.seed,
        train_V=True, record_at=[],
    )  # fmt: skip
    x = torch.as_tensor(rng.standard_normal((S, 10 * factor * m * (d + c), d)))
    values = hessian_spectrum(students, x)
    return np.asarray((values <= NEAR_ZERO * values[:, -1:]).sum(axis=1), dtype=np.float64)


def trained_evidence(instance: TrainedSizes, context: Context, factors: tuple[int, int] = (1, 4)) -> Evidence:
    """Growth of the count from n = m to n = 4m, per added node, against d / 2."""
    few, many = (near_zero_counts(instance, factor) for factor in factors)
    added = max((factors[1] - factors[0]) * instance.m, 1)
    return exceeds(
        (many - few) / added, instance.d / 2, context,
        count_at_m=float(few.mean()), count_at_4m=float(many.mean()), predicted_growth=float(instance.d),
    )  # fmt: skip


TRAINED = Statement(
    key="luckmatters.theorem5.flat_minima.trained",
    form=Form.PRINTED,
    title="Flat minima: trained networks",
    claim="The Hessian of a trained network has many eigenvalues close to zero, d more for each node beyond m\n"
    "(judged: more than d / 2 more, where close to zero is 0.001 of the largest)",
    source=REMARK,
    expected=Outcome.HOLDS,
    instance_type=TrainedSizes,
    examples=[TrainedSizes()],
    evidence=trained_evidence,
    controls=[
        Control(
            "the same size twice",
            lambda context: trained_evidence(TrainedSizes(steps=200), context, factors=(1, 1)),
        )
    ],
)
