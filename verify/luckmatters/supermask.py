"""Supermask (introduction): a mask taken from a trained network, applied to its initial weights without training."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dynamics.arrays import Array
from dynamics.two_layer import teachers
from dynamics.two_layer.problem import TeacherStudent
from nets import TwoLayerStudents, train
from verify.judging import (
    LUCK_MATTERS,
    SEED,
    Context,
    Evidence,
    Instance,
    Item,
    Source,
    fixed,
    integers,
    reals,
)
from verify.mathematics.mean_over_seeds import exceeds

SUPERMASK = Item(
    "luckmatters.introduction.supermask",
    Source(LUCK_MATTERS, "paragraph 'Lottery Tickets', sentences on Supermask", version="v4", section="1"),
)

SAMPLES = 2000
"""Fresh inputs on which classes are compared: an accuracy's error is 0.01."""

MUCH_BETTER = 0.1
"""'Much better than chance': by at least this accuracy."""


@dataclass(frozen=True)
class Masked(Instance):
    """``networks`` students of n nodes beside m orthonormal teachers with c outputs, trained by SGD for ``steps``.

    ``share`` of the weights of either layer is kept: those largest after training among the ones that kept their sign.
    """

    d: int = fixed(8, integers(1))
    m: int = fixed(4, integers(1))
    n: int = fixed(40, integers(1))
    c: int = fixed(4, integers(2))
    share: float = fixed(0.2, reals(0.0, 1.0, low_open=True))
    networks: int = fixed(48, integers(3))
    steps: int = fixed(1000, integers(1))
    seed: int = fixed(0, SEED)


@dataclass(frozen=True)
class Accuracies:
    """Share of inputs whose largest output is the teacher's largest, (networks,) each."""

    masked: Array
    at_random: Array
    unmasked: Array
    trained: Array


def accuracy(problem: TeacherStudent, W: Array, V: Array, x: Array) -> Array:
    """Agreement of the largest outputs on ``x (N, d)``, (networks,)."""
    ours = np.maximum(x @ W, 0) @ V
    theirs = np.maximum(x @ problem.teacher_W, 0) @ problem.teacher_V
    return np.asarray((ours.argmax(-1) == theirs.argmax(-1)).mean(-1))


def mask(before: Array, after: Array, share: float) -> Array:
    """1 at the ``share`` of entries largest in size after training, of those that kept their sign; 0 elsewhere."""
    size = np.abs(after) * (np.sign(after) == np.sign(before))
    return np.asarray(size > np.quantile(size, 1 - share, axis=(-2, -1), keepdims=True), dtype=np.float64)


@lru_cache(maxsize=4)  # the statement and its controls look at the same networks
def accuracies(instance: Masked, device: str) -> Accuracies:
    """Train, take the masks, and put them on the initial weights."""
    rng = np.random.default_rng((instance.seed, 31))
    S, d, m, n, c = (instance.networks,), instance.d, instance.m, instance.n, instance.c
    problem = TeacherStudent(
        teachers.orthonormal(d, m, rng, S),
        teachers.random_unit(d, n, rng, S),
        np.swapaxes(teachers.random_unit(c, m, rng, S), -1, -2),
        0.5 * np.swapaxes(teachers.random_unit(c, n, rng, S), -1, -2),
    )
    students = TwoLayerStudents.from_problem(problem, device)
    train(
        students, lr=0.1, batch_size=32, steps=instance.steps, seed=instance.seed, train_V=True, record_at=[]
    )
    W, V = students.weights()
    W0, V0 = problem.student_W, problem.student_V
    masks = mask(W0, W, instance.share), mask(V0, V, instance.share)
    shuffled = [rng.permuted(part.reshape(len(part), -1), axis=1).reshape(part.shape) for part in masks]
    x = rng.standard_normal((SAMPLES, d))
    return Accuracies(
        accuracy(problem, W0 * masks[0], V0 * masks[1], x),
        accuracy(problem, W0 * shuffled[0], V0 * shuffled[1], x),
        accuracy(problem, W0, V0, x),
        accuracy(problem, W, V, x),
    )


@SUPERMASK.claim(
    "reading",
    expected="observed",
    on=Masked,
    draw=None,
    examples=(Masked(),),
    compares=(
        "mean accuracy of the masked untrained network less 1/c",
        "≥",
        "0.1, what counts as much better",
    ),
    population="48 networks, four equal teachers, 40 students, four outputs, 20 % of the weights of either layer kept",
    note="our reading: class = largest output; mask = largest trained weights that kept their sign, as in [41]",
)
def masked_untrained_networks_beat_chance(
    instance: Masked, context: Context, *, at_random: bool = False
) -> Evidence:
    """Supermask: a mask from the winning ticket, on untrained weights

    The mask of a trained network, applied to its initial weights, gives much better test performance than chance
    (judged: without training, mean accuracy at least 0.1 above 1/c, the class being the largest output)

    0.45 against 0.25 by chance, 0.24 without the mask and 0.90 after training. A mask of whole nodes, as Fig. 3(b)
    draws it, gives 0.36 with the four most salient of 40 nodes kept. Part of the gain is the sign: a kept weight has
    the sign that training wants.
    """
    found = accuracies(instance, context.device)
    chosen = found.at_random if at_random else found.masked
    return exceeds(
        chosen - 1 / instance.c,
        MUCH_BETTER,
        context,
        unmasked=float(found.unmasked.mean()),
        masked_at_random=float(found.at_random.mean()),
        trained=float(found.trained.mean()),
    )


masked_untrained_networks_beat_chance.rejects("the same masks shuffled", Masked(), at_random=True)
