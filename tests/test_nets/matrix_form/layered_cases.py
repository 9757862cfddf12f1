"""Small random networks and their teachers, for the identities of the matrix form."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch

from nets.matrix_form.layered import LayeredNetwork

STUDENT, TEACHER = (4, 6, 5, 2), (4, 3, 4, 2)
"""Widths bottom up: of unequal hidden layers, so that an index that is transposed fits nowhere."""


def network(widths: tuple[int, ...], seed: int, *, ensemble: tuple[int, ...] = (), slope: float = 0.0):
    """A network with normal weights."""
    rng = np.random.default_rng(seed)
    shapes = [(*ensemble, *pair) for pair in pairwise(widths)]
    return LayeredNetwork(tuple(torch.from_numpy(rng.standard_normal(shape)) for shape in shapes), slope)


def pair(seed: int = 0, *, slope: float = 0.0, samples: int = 11):
    """``(student, teacher, x)`` of two hidden layers."""
    x = torch.from_numpy(np.random.default_rng(seed + 100).standard_normal((samples, STUDENT[0])))
    return network(STUDENT, seed, slope=slope), network(TEACHER, seed + 50, slope=slope), x
