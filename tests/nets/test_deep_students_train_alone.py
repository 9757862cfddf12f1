"""Deep ensembles: a network does not depend on the others, and a copied teacher is a fixed point."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dynamics.measures import IsotropicGaussian
from nets.data import network_seeds
from nets.deep import DeepNetworks, over_parameterised, separated_teacher, train_deep


def test_a_network_follows_the_same_path_alone() -> None:
    """Network 1 of two, trained again with its own seed, ends with the same weights."""
    teacher = separated_teacher((5, 3, 3, 2), 2, np.random.default_rng(0), bias=True)
    pair = over_parameterised(teacher, 2, np.random.default_rng(1))
    alone = DeepNetworks([W[1:].clone() for W in pair.weights], [b[1:].clone() for b in pair.biases or []])
    own = DeepNetworks([W[1:] for W in teacher.weights], [b[1:] for b in teacher.biases or []])
    settings = {"lr": 0.1, "batch_size": 16, "steps": 20}
    train_deep(pair, teacher, IsotropicGaussian(5), seed=3, **settings)
    train_deep(alone, own, IsotropicGaussian(5), seed=[network_seeds(3, 2)[1]], **settings)
    for together, single in zip(pair.parameters(), alone.parameters(), strict=True):
        assert torch.allclose(together[1:], single, rtol=0, atol=1e-13)


def test_the_teacher_is_a_fixed_point_and_training_lowers_the_loss() -> None:
    """A copy of the teacher does not move at all; a student near it gets better."""
    teacher = separated_teacher((5, 3, 3, 2), 3, np.random.default_rng(0))
    copy = teacher.clone()
    run = train_deep(copy, teacher, IsotropicGaussian(5), lr=0.1, batch_size=8, steps=5, seed=0)
    assert float(np.max(run.losses)) == 0.0
    assert all(torch.equal(a, b) for a, b in zip(copy.weights, teacher.weights, strict=True))
    near = over_parameterised(teacher, 2, np.random.default_rng(2), luck=5.0)
    run = train_deep(near, teacher, IsotropicGaussian(5), lr=0.1, batch_size=32, steps=400, seed=0)
    assert np.all(run.losses[-1] < 0.5 * run.losses[0])


def test_divergence_and_bad_shapes_are_told() -> None:
    """A run that blows up ends with non-finite losses; layers that do not chain raise."""
    teacher = separated_teacher((5, 3, 3, 2), 1, np.random.default_rng(0))
    wild = over_parameterised(teacher, 4, np.random.default_rng(1), gain=20.0)
    run = train_deep(wild, teacher, IsotropicGaussian(5), lr=5.0, batch_size=8, steps=200, seed=0)
    assert not run.finite
    with pytest.raises(ValueError, match="weights: expected layers"):
        DeepNetworks([torch.ones(1, 2, 3), torch.ones(1, 4, 1)])
