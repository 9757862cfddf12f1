"""Section 5.1, relation to SVCCA: why the first step removes unaligned students, and what the second then finds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import angles
from dynamics.two_layer import teachers
from dynamics.two_layer.problem import TeacherStudent
from nets import TwoLayerStudents, train
from verify.judging import (
    SEED,
    SPECIALIZATION,
    Context,
    Evidence,
    Instance,
    Item,
    Source,
    fixed,
    integers,
    reals,
)
from verify.mathematics.mean_over_seeds import exceeds, falls_below, weakest
from verify.specialization import VERSION

SVCCA = Item(
    "specialization.svcca",
    Source(
        SPECIALIZATION,
        "paragraph 'Relationship to techniques to compare network representations'",
        "said in words: our reading",
        VERSION,
        "5.1",
    ),
)
SAMPLES = 600
KEPT = 0.99
"""Share of the variance that the first step keeps, as in the SVCCA paper."""


@dataclass(frozen=True)
class TwoStarts(Instance):
    """``networks`` teachers of m orthonormal nodes, each with two students of n nodes from different small starts.

    Fan-ins and fan-outs start at random with norm ``init``; plain SGD on both layers for ``steps``.
    """

    d: int = fixed(20, integers(2))
    m: int = fixed(5, integers(1))
    n: int = fixed(20, integers(1))
    c: int = fixed(5, integers(1))
    init: float = fixed(0.3, reals(0.0, 2.0, low_open=True))
    networks: int = fixed(16, integers(3))
    steps: int = fixed(3000, integers(1))
    seed: int = fixed(0, SEED)


@dataclass(frozen=True)
class Pair:
    """Teacher fan-ins, and the fan-ins of both students before and after training, ``(networks, d, nodes)``."""

    teacher: Array
    before: tuple[Array, Array]
    after: tuple[Array, Array]


@lru_cache(maxsize=4)  # statements and controls look at the same networks
def trained_pair(instance: TwoStarts, device: str) -> Pair:
    """Train both students of every teacher."""
    rng = np.random.default_rng((instance.seed, 61))
    S, d, m, n, c = (instance.networks,), instance.d, instance.m, instance.n, instance.c
    teacher_W = teachers.orthonormal(d, m, rng, S)
    teacher_V = np.swapaxes(teachers.random_unit(c, m, rng, S), -1, -2)
    before, after = [], []
    for side in (0, 1):
        W = instance.init * teachers.random_unit(d, n, rng, S)
        V = instance.init * np.swapaxes(teachers.random_unit(c, n, rng, S), -1, -2)
        students = TwoLayerStudents.from_problem(TeacherStudent(teacher_W, W, teacher_V, V), device)
        train(
            students,
            lr=0.1,
            batch_size=32,
            steps=instance.steps,
            seed=2 * instance.seed + side,
            projected=False,
            train_V=True,
            record_at=[],
        )
        before.append(W)
        after.append(students.weights()[0])
    return Pair(teacher_W, (before[0], before[1]), (after[0], after[1]))


def similarity(first: Array, second: Array, x: Array, *, svd: bool) -> Array:
    """Mean canonical correlation of the activations of two students at ``x (N, d)``, (networks,).

    ``svd``: of the leading directions of either that hold ``KEPT`` of its variance; otherwise of all directions.
    """
    found = []
    for a, b in zip(first, second, strict=True):
        bases = []
        for W in (a, b):
            f = np.maximum(x @ W, 0)
            left, size, _ = np.linalg.svd(f - f.mean(axis=0), full_matrices=False)
            share = np.cumsum(size**2) / np.sum(size**2)
            count = int((share < KEPT).sum()) + 1 if svd else int((size > 1e-9 * size[0]).sum())
            bases.append(left[:, :count])
        found.append(np.linalg.svd(bases[0].T @ bases[1], compute_uv=False).mean())
    return np.array(found)


@SVCCA.claim(
    "reading",
    expected="observed",
    on=TwoStarts,
    draw=None,
    examples=(TwoStarts(),),
    compares=(
        "rise of the similarity by training, and by the first step: the weaker mean over teachers",
        ">",
        "0.2",
    ),
    population="16 teachers of five orthonormal nodes, two students of 20 nodes each, small random starts, plain SGD",
)
def similar_after_the_first_step(
    instance: TwoStarts, context: Context, *, exchanged: bool = False, untrained: bool = False
) -> Evidence:
    """SVCCA compares students because training specialises them

    Two students of one teacher from different starts become similar in the sense of SVCCA, and the first step (SVD) is
    what removes the unaligned ones
    (judged: mean canonical correlation with SVD after training, less that before training, and less that after training
      without the SVD step; both means above 0.2)

    0.999 with SVD after training, 0.52 before it, 0.54 after training without SVD: the spare directions of small size
    hide the five shared ones.
    """
    pair = trained_pair(instance, context.device)
    x = np.random.default_rng((instance.seed, 62)).standard_normal((SAMPLES, instance.d))
    after = pair.before if untrained else pair.after
    with_svd = similarity(*after, x, svd=True)
    by_training = with_svd - similarity(*pair.before, x, svd=True)
    by_svd = with_svd - similarity(*after, x, svd=False)
    sign = -1 if exchanged else 1
    return weakest(
        exceeds(sign * by_training, 0.2, context, comparisons=2, with_svd=float(with_svd.mean())),
        exceeds(sign * by_svd, 0.2, context, comparisons=2, with_svd=float(with_svd.mean())),
    )


similar_after_the_first_step.rejects("before training", TwoStarts(), untrained=True)
similar_after_the_first_step.rejects("exchanged", TwoStarts(), exchanged=True)


@SVCCA.claim(
    "reading",
    part="magnitude",
    expected="observed",
    on=TwoStarts,
    draw=None,
    examples=(TwoStarts(),),
    compares=("magnitude of unaligned activations over that of aligned ones, mean over students", "<", "0.7"),
    population="16 teachers of five orthonormal nodes, two students of 20 nodes each, small random starts, plain SGD",
    note="our reading of 'often small': unaligned, cosine below 0.9; aligned, above 0.95; small, below 0.7 of those",
)
def unaligned_activations_are_small(
    instance: TwoStarts, context: Context, *, exchanged: bool = False
) -> Evidence:
    """Unaligned students have small activations

    Activations of unaligned students are often small in magnitude
    (judged: standard deviation of the activation, nodes of cosine below 0.9 over nodes above 0.95, mean over the
      students that have both, below 0.7)
    """
    pair = trained_pair(instance, context.device)
    cosine = np.concatenate([np.cos(angles(W, pair.teacher)).max(axis=-1) for W in pair.after])
    # The activation's standard deviation is ||w|| times a constant: input is isotropic.
    size = np.concatenate([np.linalg.norm(W, axis=-2) for W in pair.after])
    ratios = [
        float(s[c < 0.9].mean() / s[c > 0.95].mean())
        for c, s in zip(cosine, size, strict=True)
        if (c < 0.9).any() and (c > 0.95).any()
    ]
    values = 1 / np.array(ratios) if exchanged else np.array(ratios)
    return falls_below(
        values, 0.7, context, students_with_both=len(ratios), unaligned=float((cosine < 0.9).mean())
    )


unaligned_activations_are_small.rejects("aligned over unaligned", TwoStarts(), exchanged=True)
