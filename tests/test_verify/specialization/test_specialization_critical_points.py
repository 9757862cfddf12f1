"""Facts beside the statements of the second paper's Theorems 1 to 5: tables, checkers, constants."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dynamics.two_layer.critical.residual_kinks import kink_points
from luckproof import Box
from nets.matrix_form.layered import LayeredNetwork
from nets.matrix_form.recursion import readouts
from verify.mathematics.families.batches import batches, exchanges
from verify.mathematics.families.deep_pairs import (
    DeepInstance,
    crossings,
    gates_constant,
    networks_of,
    pre_activations_above,
)
from verify.mathematics.families.layered_pairs import DeepPair, layered, parameters_of
from verify.mathematics.kinks.discs import largest_disc, slab_constant
from verify.mathematics.precise.null_space import null_space
from verify.specialization.corollary1 import DEEP, pieces
from verify.specialization.kink_deep import Dip
from verify.specialization.theorem4 import PASS, crossed_in_the_open, naive_strength, observed_crossings
from verify.specialization.theorem5 import PLANAR, pull_on
from verify.specialization.theorem5_best import SOLVER, best_error
from verify.specialization.theorem5_plane import NearCritical, largest_gradient, vertices

pytestmark = pytest.mark.statement(
    "specialization.theorem1",
    "specialization.theorem2",
    "specialization.theorem3",
    "specialization.theorem4",
    "specialization.theorem5",
    "specialization.corollary1",
)


@pytest.mark.parametrize(
    ("samples", "size", "scheme", "dimension"),
    [
        (5, 1, "every subset", 0),
        (5, 2, "every subset", 0),
        (5, 4, "every subset", 0),
        (6, 3, "every subset", 0),
        (5, 5, "every subset", 4),
        (6, 2, "one partition", 3),
        (6, 3, "one partition", 4),
        (5, 5, "with replacement", 0),
    ],
)
def test_kernel_of_the_batch_sums(samples, size, scheme, dimension):
    """Trivial for rich batches, N - 1 for the full batch, N - N / B for one partition; as numpy's rank has it."""
    rows = batches(samples, size, scheme)
    basis = null_space(rows)
    assert len(basis) == dimension == samples - np.linalg.matrix_rank(np.array(rows))
    assert all(sum(a * b for a, b in zip(row, vector, strict=True)) == 0 for row in rows for vector in basis)


@pytest.mark.parametrize("scheme", ["every subset", "with replacement"])
@pytest.mark.parametrize(("samples", "size"), [(2, 1), (5, 2), (6, 3), (6, 5)])
def test_a_few_batches_tell_every_sample(samples, size, scheme):
    """N batches that the scheme has, of full rank; the full batch and a partition have no such few."""
    few, every = exchanges(samples, size, scheme), batches(samples, size, scheme)
    assert all(row in every for row in few)
    assert len(few) == samples == np.linalg.matrix_rank(np.array(few))
    assert exchanges(samples, samples, "every subset") == exchanges(samples, 1, "one partition") == []


def test_critical_for_gradient_descent_is_not_critical_for_sgd():
    """Silent students and the mean target as output bias: no mean gradient, and a residual at every sample."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 3))
    target = np.maximum(x @ rng.standard_normal((3, 4)), 0) @ rng.standard_normal((4, 2))
    residual = target - target.mean(axis=0)  # students with zero fan-in and fan-out contribute nothing
    assert np.abs(residual.mean(axis=0)).max() < 1e-14
    assert np.abs(residual).max() > 1


@pytest.mark.parametrize(
    ("size", "scheme"), [(0, "every subset"), (7, "every subset"), (4, "one partition"), (2, "x")]
)
def test_impossible_batches_are_refused(size, scheme):
    """A size outside 1..N or no divisor, an unknown scheme."""
    with pytest.raises(ValueError, match="expected"):
        batches(6, size, scheme)


def test_an_augmented_output_changes_one_entry_of_beta():
    """Starting V at the identity of C + 1, as the authors' code does, adds 1 to beta's (bias, bias) entry only."""
    pair = DeepPair(inputs=3, hidden=((4, 2), (3, 3)), outputs=2, samples=5, biased=True)
    student, _, x = parameters_of(pair, np.random.default_rng(0))
    net, inputs = layered(pair, student, x)
    top = torch.cat([net.weights[-1], torch.eye(net.weights[-1].shape[0])[:, -1:].double()], dim=1)
    wider = LayeredNetwork((*net.weights[:-1], top))
    for V, U in zip(
        list(readouts(net, net.evaluate(inputs)))[1:],
        list(readouts(wider, wider.evaluate(inputs)))[1:],
        strict=True,
    ):
        difference = U.mT @ U - V.mT @ V
        expected = torch.zeros_like(difference)
        expected[:, -1, -1] = 1
        assert torch.allclose(difference, expected, atol=1e-13)


def test_regions_of_corollary1_can_share_their_coefficients():
    """Many patterns at the bottom, one at the two top layers; no more distinct coefficients than patterns."""
    student, teacher, x = parameters_of(DEEP, np.random.default_rng(0))
    ours, inputs = layered(DEEP, student, x)
    found = pieces(ours, layered(DEEP, teacher, x)[0], inputs)
    patterns = [len(np.unique(p.patterns, axis=0)) for p in found]
    distinct = [len(np.unique(p.coefficients.round(12), axis=0)) for p in found]
    assert patterns[0] > 10
    assert patterns[-2:] == [1, 1]
    assert all(d <= p for d, p in zip(distinct, patterns, strict=True))


@pytest.mark.parametrize("seed", range(30))
def test_the_hypothesis_checker_rejects_pass_through_students(seed):
    """No crossing of a teacher's boundary has constant gates above, though a naive look finds observers."""
    instance = DeepInstance(PASS.inputs, PASS.hidden, PASS.outputs, pass_through=True, seed=seed)
    assert observed_crossings(instance) == []
    assert any(not assumption.satisfied for assumption in crossed_in_the_open(instance))
    drawn = networks_of(instance)
    rng = np.random.default_rng(seed)
    assert max(naive_strength(drawn, j, rng) for j in range(4)) > 0


def test_three_points_see_what_a_fine_grid_sees():
    """Gates constant at the three points are constant at 402 points of the segment; two ends are not enough."""
    seen = 0
    for seed in range(40):
        drawn = networks_of(DeepInstance(inputs=3, hidden=((5, 3), (4, 4), (3, 5)), outputs=2, seed=seed))
        rng = np.random.default_rng(seed)
        for node in drawn.first[1].T:
            for crossing in crossings(drawn, node, rng):
                if crossing.constant:
                    share = np.linspace(0, 1, 402)[:, None]
                    fine = crossing.x[0] + share * (crossing.x[2] - crossing.x[0])
                    above = pre_activations_above(drawn, fine) > 0
                    assert np.all(above == above[0])
                    seen += 1
    assert seen > 50
    drawn, crossing = Dip().networks(), Dip().crossing()
    assert gates_constant(drawn, crossing.x[::2])
    assert not gates_constant(drawn, crossing.x)


def test_slab_constant():
    """c_2 = 1, c_3 = 4 / pi, at most sqrt(2 d / pi); the share of a central slab by sampling in d = 4."""
    assert slab_constant(2) == pytest.approx(1)
    assert slab_constant(3) == pytest.approx(4 / np.pi)
    assert all(slab_constant(d) <= np.sqrt(2 * d / np.pi) for d in range(2, 200))
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200_000, 3))
    x *= (rng.random(len(x)) ** (1 / 3) / np.linalg.norm(x, axis=1))[:, None]
    share = float((np.abs(x[:, 0]) < 0.05).mean())
    assert share == pytest.approx(0.05 * slab_constant(4), abs=5 * np.sqrt(0.075 / len(x)) + 0.05**3)


def test_gradient_that_theorem_5_needs_is_what_affine_functions_leave_of_a_kink():
    """``|alpha| ||w*||`` times the best affine error on ``relu`` at -eta, 0 and eta, found by a linear programme."""
    networks = PLANAR.networks()
    disc = largest_disc(networks, 0, np.random.default_rng(0))
    found = pull_on(disc, networks, np.random.default_rng(1), stretch=1.0, scale=1.0, slope=0.0)
    x = np.array([-1.0, 0.0, 1.0])
    left = best_error(np.column_stack([np.ones_like(x), x]), np.maximum(x, 0))
    steepness = disc.alpha * float(np.linalg.norm(networks.teacher.W[:, 0]))
    assert found.predicted == pytest.approx(steepness * left * found.details["eta"], rel=8 * SOLVER)
    normals = np.concatenate([networks.teacher.W[:, 1:], networks.student.W], axis=1)
    turn = np.arctan2(*normals[::-1]) - np.arctan2(*networks.teacher.W[::-1, 0])
    assert found.details["eta"] == pytest.approx(
        disc.rho / float((1 / np.abs(np.sin(turn))).sum()), rel=1e-12
    )


@pytest.mark.parametrize("seed", range(5))
def test_supremum_at_the_vertices_dominates_samples(seed):
    """The exact supremum of a piecewise affine gradient is above all samples, and is approached next to a vertex."""
    drawn = NearCritical(teachers=2, copies=2, idle=1, digits=2, seed=seed).networks()
    rng = np.random.default_rng(seed)
    corners = vertices(drawn.region, drawn.columns)
    assert np.all(drawn.region.depth(corners) > -1e-9)
    beside = (corners[:, None] + 1e-5 * rng.uniform(-1, 1, (len(corners), 200, 2))).reshape(-1, 2)
    x = np.concatenate([drawn.region.sample(20_000, rng), beside[drawn.region.depth(beside) > 0]])
    z = drawn.student.pre_activations(x)
    sampled = float(np.abs((z > 0) * (drawn.residual(x) @ drawn.student.V.T)).max())
    exact = largest_gradient(drawn)
    assert sampled <= exact * (1 + 1e-9)
    assert sampled > 0.99 * exact


def test_no_points_where_the_boundary_is_not_in_the_region():
    """A node affine on the region has no point to test."""
    found = kink_points(
        Box.cube(2), np.array([1.0, 0.0, 5.0]), np.zeros((3, 0)), 20, np.random.default_rng(0)
    )
    assert len(found.x) == 0
