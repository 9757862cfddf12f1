"""Deep pairs in a box: points across a first-layer boundary where no gate above moves, and the pass-through student."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import hypothesis.strategies as st
import numpy as np
import torch
from numpy.typing import NDArray

from dynamics.arrays import Array
from dynamics.geometry.boundaries import Box
from dynamics.two_layer.critical.critical_points import dyadic_teacher
from dynamics.two_layer.critical.residual_kinks import kink_points
from nets.matrix_form.layered import LayeredNetwork, augmented
from nets.matrix_form.recursion import readouts
from verify.judging import SEED, Each, Instance, OneOf, drawn, integers
from verify.mathematics.families.layered_pairs import Widths, hidden_widths

CANDIDATES = 64
"""Random points of a boundary among which those farthest from the other boundaries are taken."""

HALVINGS = 10
"""Distances across a boundary that are tried, each half of the one before, until no gate above moves."""

LIFT = 16.0
"""Bias that keeps a pass-through node active on (-2, 2)^d."""


@dataclass(frozen=True)
class DeepInstance(Instance):
    """Biased ReLU networks of equal depth on (-2, 2)^inputs with normal weights.

    ``hidden``: (student, teacher) widths. ``colinear``: the first student is a multiple (random size and sign) of the
    first teacher. ``pass_through``: instead, three layers in which the student's first hands the inputs on and its
    second computes the teacher's first, of ``hidden[0][1]`` nodes; the rest of ``hidden`` does not count then.
    """

    inputs: int = drawn(1, st.integers(1, 4), integers(1))
    hidden: Widths = drawn(((1, 1), (1, 1)), hidden_widths((2, 4), 5), Each(Each(integers(1), 2, 2), 1))
    outputs: int = drawn(1, st.integers(1, 3), integers(1))
    colinear: bool = drawn(False, st.booleans(), OneOf((False, True)))
    pass_through: bool = drawn(False, st.just(False), OneOf((False, True)))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)


@dataclass(frozen=True)
class DeepNetworks:
    """Weights and biases of both networks, bottom up."""

    region: Box
    student: list[tuple[Array, Array]]
    teacher: list[tuple[Array, Array]]

    @property
    def first(self) -> tuple[Array, Array]:
        """Augmented first-layer columns of student and teacher."""
        columns = [np.concatenate([net[0][0], net[0][1][None]]) for net in (self.student, self.teacher)]
        return columns[0], columns[1]

    def values(self, x: Array) -> tuple[Values, Values]:
        """Student's and teacher's values at points ``x (N, d)``."""
        return _values(self.student, x), _values(self.teacher, x)


@dataclass(frozen=True)
class Values:
    """One network at N points: ``f1 (N, n_1)``, ``output (N, C)`` and ``V1 (N, C, n_1)``."""

    f1: Array
    output: Array
    V1: Array


def _values(layers: list[tuple[Array, Array]], x: Array) -> Values:
    weights = [torch.from_numpy(W) for W, _ in layers]
    network = LayeredNetwork.with_biases(weights, [torch.from_numpy(b) for _, b in layers])
    found = network.evaluate(augmented(torch.from_numpy(x)))
    width = layers[0][0].shape[1]
    V1 = list(readouts(network, found))[-1].numpy()[..., :width]
    return Values(found.activations[1].numpy()[:, :width], found.output.numpy(), V1)


def networks_of(instance: DeepInstance) -> DeepNetworks:
    """The networks of an instance; first-layer boundaries pass through points of the region."""
    if instance.pass_through:
        return pass_through(instance)
    rng = np.random.default_rng(instance.seed)
    region = Box.cube(instance.inputs, 2.0)
    nets = []
    for side in (0, 1):
        sizes = [instance.inputs, *(widths[side] for widths in instance.hidden), instance.outputs]
        layers = []
        for fan_in, fan_out in pairwise(sizes):
            W = rng.standard_normal((fan_in, fan_out)) / np.sqrt(fan_in)
            layers.append((W, 0.5 * rng.standard_normal(fan_out)))
        W, _ = layers[0]
        layers[0] = (W, -(W * region.sample(W.shape[1], rng).T).sum(axis=0))
        nets.append(layers)
    if instance.colinear:
        factor = rng.uniform(0.5, 2.0) * rng.choice([-1.0, 1.0])
        nets[0][0][0][:, 0] = factor * nets[1][0][0][:, 0]
        nets[0][0][1][0] = factor * nets[1][0][1][0]
    return DeepNetworks(region, nets[0], nets[1])


def pass_through(instance: DeepInstance) -> DeepNetworks:
    """Three layers, equal outputs everywhere in the box, nothing aligned in the first layer; exact on dyadic inputs.

    Teacher: a layer of ReLUs, a layer that adds 1 and hands on, a linear top. Student: a layer that adds ``LIFT``
    to the inputs, the teacher's ReLUs, the top.
    """
    rng = np.random.default_rng(instance.seed)
    d = instance.inputs
    region = Box.cube(d, 2.0)
    shallow = dyadic_teacher(region, instance.hidden[0][1], instance.outputs, rng)
    m = shallow.nodes
    lifted = shallow.c - shallow.V.sum(axis=0)
    teacher = [(shallow.W, shallow.b), (np.eye(m), np.ones(m)), (shallow.V, lifted)]
    student = [
        (np.eye(d), np.full(d, LIFT)),
        (shallow.W, shallow.b - LIFT * shallow.W.sum(axis=0)),
        (shallow.V, shallow.c),
    ]
    return DeepNetworks(region, student, teacher)


@dataclass(frozen=True)
class Crossing:
    """Three points across a first-layer boundary, eta apart, and whether every gate above keeps its sign at them.

    Pre-activations of layer 2 are affine on either half once no other first-layer boundary is near, and so on upwards:
    strict and equal signs at the three points mean that no gate moves between them.
    """

    x: Array
    eta: float
    constant: bool


def pre_activations_above(drawn: DeepNetworks, x: Array) -> Array:
    """Pre-activations of the hidden layers above the first, both networks side by side, at ``x (..., d)``."""
    above = []
    for layers in (drawn.student, drawn.teacher):
        f = x
        for level, (W, b) in enumerate(layers[:-1]):
            z = f @ W + b
            f = np.maximum(z, 0)
            if level:
                above.append(z)
    return np.concatenate([np.empty((*x.shape[:-1], 0)), *above], axis=-1)


def gates_constant(drawn: DeepNetworks, x: Array) -> NDArray[np.bool_]:
    """Whether all pre-activations above layer 1 have one strict sign over the points ``x (..., points, d)``."""
    above = pre_activations_above(drawn, x)
    floor = 1e-9 * np.abs(above).max(axis=-2, keepdims=True, initial=0.0)
    return np.asarray(((above > floor).all(axis=-2) | (above < -floor).all(axis=-2)).all(axis=-1))


def crossings(drawn: DeepNetworks, node: Array, rng: np.random.Generator, count: int = 1) -> list[Crossing]:
    """A crossing at each of the ``count`` clearest random points of the node's boundary.

    eta starts at 0.9 of the clearance in the first layer and is halved until the gates above are constant; where they
    never are, the first eta is kept and the crossing marked so.
    """
    points = kink_points(drawn.region, node, np.concatenate(drawn.first, axis=1), CANDIDATES, rng)
    best = np.argsort(-points.clearance)[:count]
    best = best[points.clearance[best] > 0]
    found = []
    for at in best:
        etas = 0.9 * points.clearance[at] / 2.0 ** np.arange(HALVINGS)
        x = np.stack([points.triple(int(at), float(eta)) for eta in etas])
        constant = gates_constant(drawn, x)
        first = int(constant.argmax())  # 0 where none is
        found.append(Crossing(x[first], float(etas[first]), bool(constant.any())))
    return found
