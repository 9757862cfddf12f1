"""Deep teachers with the authors' discrete weights, balanced teachers, and the students' starts."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from dynamics.boundary import checked, naming
from dynamics.geometry.columns import norms
from dynamics.memory import check_fits
from dynamics.two_layer.teachers import QUARTER_ENTRIES, SEPARATED_ENTRIES, random_unit, separated_entries
from dynamics.validation import integer, number
from nets.deep.architecture import Architecture
from nets.deep.networks import DeepNetworks
from nets.streams import Purpose, checked_seeds, stream


@checked
def separated_teacher(
    architecture: Architecture,
    seeds: Sequence[int],
    *,
    entries: tuple[float, ...] = SEPARATED_ENTRIES,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float64,
) -> DeepNetworks:
    """Teachers with discrete fan-ins of distinct directions, one network a seed, every layer and the top alike.

    ``w = e / ||e||`` with entries of e from ``entries``, and where the architecture has biases ``b = U[-1/2, 1/2] /
    ||e||``. A convolution's fan-in is its flattened filter.

    Args:
        architecture: of the teachers.
        seeds: one for each network.
        entries: values that an entry of e may take.
        device, dtype: see :meth:`~nets.deep.networks.DeepNetworks.zeros`.
    Raises:
        ValueError: fewer directions exist than nodes.
    Source: Luck Matters, section 5.1; the authors' program (which divides by ||e||, not ||(e, b)||).
    """
    teacher = DeepNetworks.zeros(architecture, len(checked_seeds(seeds)), device, dtype)
    for network, seed in enumerate(seeds):
        rng = stream(seed, Purpose.TEACHER)
        for index, layer in enumerate(teacher.layers):
            nodes = architecture.node_count(index)
            with naming("entries"):
                columns = separated_entries(architecture.fan_in(index), nodes, rng, entries=entries)
            length = norms(columns)
            if not length.min() > np.finfo(np.float64).tiny:
                raise ValueError(f"entries: expected columns of norm above 2.2e-308, got {length.min():.3g}")
            fan_in = columns / length
            if layer.weight.dim() == 5:
                fan_in = fan_in.T.reshape(architecture.weight_shape(index))
            layer.weight[network] = torch.from_numpy(fan_in).to(layer.weight)
            if layer.bias is not None:
                shift = rng.uniform(-0.5, 0.5, nodes) / length
                layer.bias[network] = torch.from_numpy(shift).to(layer.bias)
    return teacher


@checked
def balanced_teacher(
    architecture: Architecture,
    seeds: Sequence[int],
    *,
    input_std: float = 10.0,
    samples: int = 10_240,
    entries: tuple[float, ...] = QUARTER_ENTRIES,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float64,
) -> DeepNetworks:
    """Separated teachers whose nodes are active on half of the inputs and whose outputs have mean 0 and variance 1.

    From the bottom up, every bias is shifted so that the median of the node's pre-activation over Gaussian inputs is
    zero; at last the outputs are standardised. On those inputs, from a stream of the network's own, the share is 1/2
    exactly; on fresh ones within O(1/sqrt(samples)).

    Args:
        architecture: with biases and without normalisation.
        seeds: one for each network.
        input_std: standard deviation of the inputs.
        samples: inputs that the balance is found on, 2 at least.
        entries, device, dtype: as for :func:`separated_teacher`.
    Raises:
        ValueError: as :func:`separated_teacher`, or an output that is the same on all inputs.
    Source: Student Specialization, section 6; the authors' program.
    """
    if not architecture.bias or architecture.normalisation != "none":
        raise ValueError("architecture: expected biases and no normalisation for a balanced teacher")
    input_std = number("input_std", input_std, positive=True)
    integer("samples", samples, least=2)
    check_fits("samples", samples * math.prod(architecture.inputs))
    teacher = separated_teacher(architecture, seeds, entries=entries, device=device, dtype=dtype)
    shape = (samples, *architecture.inputs)
    for network, seed in enumerate(seeds):
        own = teacher.part(slice(network, network + 1))
        x = input_std * stream(seed, Purpose.BALANCE).standard_normal(shape)
        _balance(own, torch.from_numpy(x).to(own.weights[0]))
    return teacher


def _balance(own: DeepNetworks, values: torch.Tensor) -> None:
    """Shift the biases of one network in place, layer by layer; standardise the top."""
    *hidden, top = zip(own.layers, own.blocks(), strict=True)
    for layer, block in hidden:
        assert layer.bias is not None
        layer.bias[0] -= _median(block.pre_activation(values))
        values = block.evaluate(values)
    layer, block = top
    y = block.evaluate(values)
    spread = y.std(dim=0)
    if not bool((spread > 0).all() and spread.isfinite().all()):
        worst = float(spread[~((spread > 0) & spread.isfinite())][0])
        raise ValueError(
            f"architecture: expected a teacher whose every output varies with the inputs, got a deviation of {worst:g}"
        )
    assert layer.bias is not None
    layer.weight.div_(spread)
    layer.bias.sub_(y.mean(dim=0)).div_(spread)


def _median(z: torch.Tensor) -> torch.Tensor:
    """Median of every channel over samples (and positions), halfway between the middle two of an even number."""
    rows = z.transpose(0, 1).flatten(1).sort(dim=1).values
    count = rows.shape[1]
    return (rows[:, (count - 1) // 2] + rows[:, count // 2]) / 2


@checked
def random_start(
    architecture: Architecture,
    seeds: Sequence[int],
    *,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float64,
) -> DeepNetworks:
    """Students as torch initialises ``nn.Linear`` and ``nn.Conv2d``: weights and biases U(+-1/sqrt(fan-in)).

    The normalisation starts as the identity. One network a seed, whatever the others.
    """
    students = DeepNetworks.zeros(architecture, len(checked_seeds(seeds)), device, dtype)
    for network, seed in enumerate(seeds):
        rng = stream(seed, Purpose.START)
        for index, layer in enumerate(students.layers):
            bound = 1 / math.sqrt(architecture.fan_in(index))
            for tensor in (layer.weight, layer.bias):
                if tensor is not None:
                    drawn = rng.uniform(-bound, bound, tuple(tensor.shape[1:]))
                    tensor[network] = torch.from_numpy(drawn).to(tensor)
    return students


@checked
def near_start(
    architecture: Architecture,
    teacher: DeepNetworks,
    seeds: Sequence[int],
    *,
    luck: float = 0.0,
    gain: float = 1.0,
) -> DeepNetworks:
    """Fully connected students of which the first m_l nodes of every hidden layer may start near the teacher's.

    Every fan-in is drawn on the unit sphere and scaled by ``gain``. In the block that joins the first m_l nodes to the
    first m_{l+1} (at the top: to all outputs) the column is ``colnorm(noise + luck W*_l)`` instead. Biases start at
    zero.

    Args:
        architecture: of the students.
        teacher: as many networks as seeds, equally deep, and no wider.
        seeds: one for each network.
        luck: weight of the teacher; 0 is a random start of unit fan-ins.
        gain: norm of every fan-in.
    Source: the start of Luck Matters, section 4.2, layer by layer.
    """
    luck, gain = number("luck", luck), number("gain", gain, positive=True)
    count = len(checked_seeds(seeds))
    _require_room("teacher", teacher, architecture, count)
    students = DeepNetworks.zeros(architecture, count, teacher.device, teacher.dtype)
    for network, seed in enumerate(seeds):
        rng = stream(seed, Purpose.START)
        for layer, taught in zip(students.layers, teacher.layers, strict=True):
            below, above = taught.weight.shape[1:]
            start = random_unit(layer.weight.shape[1], layer.weight.shape[2], rng)
            start[:below, :above] += luck * taught.weight[network].cpu().numpy()
            if not np.isfinite(length := np.linalg.norm(start, axis=0)).all():
                raise ValueError(f"luck: expected a weight with luck W*_l finite, got {luck}")
            start *= gain / length
            layer.weight[network] = torch.from_numpy(start).to(layer.weight)
    return students


def _require_room(name: str, teacher: DeepNetworks, architecture: Architecture, count: int) -> None:
    """Raise ValueError unless the teacher's nodes have a place each among the students'."""
    own = teacher.architecture
    shapes = (own.inputs, own.outputs, own.depth)
    if own.convolutional or shapes != (architecture.inputs, architecture.outputs, architecture.depth):
        raise ValueError(
            f"{name}: expected a fully connected network with the inputs {architecture.inputs}, depth and outputs of "
            f"the architecture, got {own}"
        )
    if any(above > width for above, width in zip(own.widths, architecture.widths, strict=True)):
        raise ValueError(f"{name}: expected at most {architecture.widths} nodes, got {own.widths}")
    if teacher.count != count:
        raise ValueError(f"{name}: expected {count} networks, one a seed, got {teacher.count}")
