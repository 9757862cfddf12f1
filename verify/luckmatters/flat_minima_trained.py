"""Flat minima (remark on Theorem 5): the Hessians of networks that were really trained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from dynamics.arrays import Array
from dynamics.two_layer import teachers
from dynamics.two_layer.problem import TeacherStudent
from nets import TwoLayerStudents, train
from nets.two_layer.curvature import hessian_spectrum
from verify.judging import LUCK_MATTERS, SEED, Context, Evidence, Instance, Item, Source, fixed, integers
from verify.mathematics.mean_over_seeds import exceeds

FLAT_TRAINED = Item(
    "luckmatters.theorem5.flat_minima.trained",
    Source(LUCK_MATTERS, "remark 'Flat minima'", version="v4", section="3.3"),
)

NEAR_ZERO = 1e-3
"""Near zero: this share of the largest eigenvalue (of the same network)."""


@dataclass(frozen=True)
class TrainedSizes(Instance):
    """Networks of m and of 4m nodes trained by SGD from a start near the teacher."""

    d: int = fixed(8, integers(2))
    m: int = fixed(3, integers(1))
    c: int = fixed(2, integers(1))
    networks: int = fixed(12, integers(3))
    steps: int = fixed(4000, integers(1))
    seed: int = fixed(0, SEED)

    def impossible(self) -> str:
        """Orthonormal teachers."""
        return "expected m <= d for orthonormal teachers" if self.m > self.d else ""


def near_zero_counts(instance: TrainedSizes, factor: int) -> Array:
    """Number of Hessian eigenvalues near zero of each trained network of ``factor * m`` nodes."""
    rng = np.random.default_rng((instance.seed, factor))
    d, m, c, S = instance.d, instance.m, instance.c, instance.networks
    V = np.swapaxes(teachers.random_unit(c, m, rng, (S,)), -1, -2)
    problem = TeacherStudent.near_teacher(teachers.orthonormal(d, m, rng, (S,)), V, factor * m, rng, p_W=5.0)
    students = TwoLayerStudents.from_problem(problem, device="cpu")
    train(
        students,
        lr=0.2,
        batch_size=64,
        steps=instance.steps,
        seed=instance.seed,
        train_V=True,
        record_at=[],
    )
    x = torch.as_tensor(rng.standard_normal((S, 10 * factor * m * (d + c), d)))
    values = hessian_spectrum(students, x)
    return np.asarray((values <= NEAR_ZERO * values[:, -1:]).sum(axis=1), dtype=np.float64)


@FLAT_TRAINED.claim(
    "reading",
    expected="observed",
    on=TrainedSizes,
    examples=[TrainedSizes()],
    compares=("growth of the number of near-zero eigenvalues per added node", "≥", "d / 2"),
    population="12 networks of 3 and of 12 nodes, d = 8, from starts near the teacher",
    note="our reading of 'many eigenvalues of the Hessian are close to zero'",
)
def count_grows_with_the_width(instance: TrainedSizes, context: Context, *, wide: int = 4) -> Evidence:
    """Flat minima: trained networks

    The Hessian of a trained network has many eigenvalues close to zero, d more for each node beyond m
    (judged: more than d / 2 more, where close to zero is 0.001 of the largest)
    """
    # The growth of the count from n = m to n = ``wide`` m, per added node.
    few, many = (near_zero_counts(instance, factor) for factor in (1, wide))
    added = max((wide - 1) * instance.m, 1)
    return exceeds(
        (many - few) / added,
        instance.d / 2,
        context,
        count_at_m=float(few.mean()),
        count_at_4m=float(many.mean()),
        predicted_growth=float(instance.d),
    )


count_grows_with_the_width.rejects("the same size twice", TrainedSizes(steps=200), wide=1)
