"""Flat minima (remark on Theorem 5): which directions are flat at its limit, and how many."""

from __future__ import annotations

from verify.judging import ALGEBRA, LUCK_MATTERS, Assumption, Context, Evidence, Item, Source
from verify.mathematics.families.solved_students import Solved
from verify.mathematics.zero_curvature import hessian_on, resolvable, resolving_inputs, zero_eigenvalues

FLAT_MINIMA = Item(
    "luckmatters.theorem5.flat_minima",
    Source(LUCK_MATTERS, "remark 'Flat minima'", version="v4", section="3.3"),
)


@FLAT_MINIMA.claim(
    "printed",
    expected="holds",
    on=Solved,
    cost=ALGEBRA.at_quick(60),
    compares=("largest Hessian entry in the rows of W_r", "=", "0"),
)
def irrelevant_fan_ins(instance: Solved, context: Context, *, fan_out: float = 0.0) -> Evidence:
    """Flat minima: the fan-ins of irrelevant nodes

    At V_r = 0, W_r can be changed arbitrarily without affecting the output:
    ∂²J / ∂W_r ∂(W, V) = 0

    Exact at the limit. In a network still training the block has curvature ‖v_k‖²/2 a direction, so it is flat as far
    as V_r has died.
    """
    # Every row of the Hessian that belongs to W_r, against rounding.
    problem = instance.problem(fan_out)
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


irrelevant_fan_ins.rejects("V_r = 0.1 instead of 0", Solved(), fan_out=0.1)
irrelevant_fan_ins.rejects("V_r = 1e-11 instead of 0", Solved(), fan_out=1e-11)

NO_INPUT_BETWEEN = Solved(d=3, m=2, extra=6, c=1, seed=111)
"""A lucky and an irrelevant column 3 degrees apart: 320 inputs (10 a weight) leave the wedge between them empty."""


UNRESOLVED = Solved(d=2, m=2, extra=6, seed=32)


def resolved(instance: Solved) -> tuple[Assumption, ...]:
    """The inputs drawn for the instance show the rank of its Hessian."""
    problem = instance.problem()
    return resolvable(problem, resolving_inputs(problem, instance.seed))


@FLAT_MINIMA.claim(
    "sharp",
    expected="holds",
    on=Solved,
    assume=resolved,
    examples=[NO_INPUT_BETWEEN],
    cost=ALGEBRA.at_quick(60),
    note="the count is ours",
    compares=("zero eigenvalues of the Hessian", "=", "(n − m)d + m"),
)
def flat_directions(instance: Solved, context: Context, *, rescalings: bool = True) -> Evidence:
    """Flat minima: how many directions

    At (W*, W_r; V*, 0), W_r in general position, the Hessian has exactly (n − m) d + m zero eigenvalues:
    the fan-ins of irrelevant nodes, and the rescaling (w_j, v_j) → (a w_j, v_j / a) of each lucky one

    On unit columns the rescalings drop out and (n − m)(d − 1) remain. The fan-outs of irrelevant nodes are not among
    the flat directions. Counted on inputs: where no input falls between the gates of an irrelevant node and of a lucky
    one, the first is a linear function of the second's features there, and its fan-out is flat too.
    """
    problem = instance.problem()
    x = resolving_inputs(problem, instance.seed)
    zeros, tolerance, smallest = zero_eigenvalues(hessian_on(problem, x), problem, len(x))
    predicted = instance.extra * instance.d + instance.m * rescalings
    return Evidence.close(
        zeros,
        predicted=predicted,
        tolerance=0.0,
        smallest_nonzero=smallest,
        zero_below=tolerance,
        share_of_all_weights=predicted / (instance.n * (instance.d + instance.c)),
    )


flat_directions.excludes("two columns 6e-7 rad apart", UNRESOLVED, "inputs between")
flat_directions.excludes("the same: an eigenvalue that is neither", UNRESOLVED, "smallest eigenvalue")
flat_directions.includes("two columns 3 degrees apart", NO_INPUT_BETWEEN)
flat_directions.rejects("without the m rescalings", Solved(), rescalings=False)
