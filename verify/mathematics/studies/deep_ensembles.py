"""Ensembles of random deep pairs at initialisation, and the relative Assumption-1 gap of each of their layers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from dynamics.arrays import Array
from nets.matrix_form.layered import LayeredNetwork, augmented
from nets.matrix_form.separation import relative_gap, separate
from verify.judging import Context, fixed
from verify.judging.domains import SEED, Instance, OneOf, integers
from verify.mathematics.families.layered_pairs import DeepPair

INPUT_SAMPLES = {"isotropic": 250, "biased": 250, "empirical": 40}
"""Kinds of input, and how many samples stand for each."""


@dataclass(frozen=True)
class DeepEnsemble(Instance):
    """Random pairs with ``depth`` weight matrices, teachers ``width`` wide, students twice as wide.

    ``inputs``: isotropic (standard normal), biased (the same with a constant 1), empirical (few samples); see
    INPUT_SAMPLES.
    """

    inputs: str = fixed("isotropic", OneOf(tuple(INPUT_SAMPLES)))
    depth: int = fixed(3, integers(2))
    width: int = fixed(8, integers(1))
    seed: int = fixed(0, SEED)


PAIRS = 96
"""Independent pairs in an ensemble."""


def random_networks(sizes: tuple[int, ...], rng: np.random.Generator) -> LayeredNetwork:
    """Networks of those layer sizes at He initialisation, one for each of the PAIRS pairs."""
    shapes = pairwise(sizes)
    weights = [rng.standard_normal((PAIRS, *shape)) * np.sqrt(2 / shape[0]) for shape in shapes]
    return LayeredNetwork(tuple(map(torch.from_numpy, weights)))


def layer_gaps(ensemble: DeepEnsemble, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Relative gaps of every layer ``(PAIRS, depth)``, and of the projected first layer ``(PAIRS,)``."""
    x = torch.from_numpy(rng.standard_normal((INPUT_SAMPLES[ensemble.inputs], ensemble.width)))
    x = augmented(x) if ensemble.inputs == "biased" else x
    widths = ((2 * ensemble.width, ensemble.width),) * (ensemble.depth - 1)
    pair = DeepPair(x.shape[-1], widths, 4)
    student, teacher = (random_networks(pair.sizes(side), rng) for side in (0, 1))
    separation = separate(student, teacher, x)
    exact, eqn6 = separation.exact.total, separation.separated().total
    unit = student.weights[0] / torch.linalg.vector_norm(student.weights[0], dim=-2, keepdim=True)
    projected = [g - unit * (unit * g).sum(dim=-2, keepdim=True) for g in (exact[0], eqn6[0])]
    gaps = torch.stack([relative_gap(a, b) for a, b in zip(exact, eqn6, strict=True)], dim=-1)
    return gaps, relative_gap(*projected)


@lru_cache(maxsize=64)  # statements and their controls compare the same ensembles
def gaps_of(ensemble: DeepEnsemble, run_seed: int) -> tuple[Tensor, Tensor]:
    """:func:`layer_gaps` from the run's seed and the ensemble's own."""
    rng = Context(seed=run_seed).rng(ensemble.seed, ensemble.depth, ensemble.width)
    return layer_gaps(ensemble, rng)


def first_layer_gaps(ensemble: DeepEnsemble, run_seed: int) -> Array:
    """Relative gap of the first layer's field, one for each of the ensemble's pairs."""
    return np.asarray(gaps_of(ensemble, run_seed)[0][:, 0].numpy())
