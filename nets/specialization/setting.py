"""The two-layer experiments of the second paper: sizes, polarised teachers, finite training sets, small starts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dynamics.arrays import Array
from dynamics.boundary import checked
from dynamics.memory import check_size
from dynamics.two_layer.teachers import QUARTER_ENTRIES, separated
from dynamics.validation import number, positive_int, shown
from nets.streams import checked_seeds

_CHUNK = 250
_TEACHER, _TRAINING, _EVALUATION, _START, _BATCHES = range(5)


@dataclass(frozen=True)
class SpecializationSetting:
    """One row of the paper's two-layer experiments; the defaults are those of the authors' published program, with the
    list of teacher entries from their multilayer configuration (the two-layer one is not published with it).

    Teacher of m nodes: columns with entries in {-1, -3/4, ..., 1}, distinct, ``||w*_j|| = 1``, bias ``b*_j = bias``;
    fan-outs with entries from the same list, divided by ``j^polarity`` (Eqn 13), and output bias ``bias``. Student of
    ``n = over_realisation * m`` nodes: weights ``N(0, init_std^2)``, biases zero, all of them trained. Inputs are
    ``N(0, input_std^2 I_d)``.

    Args:
        m: teacher nodes.
        over_realisation: n / m >= 1, with a whole number n.
        polarity: >= 0; how much weaker a teacher node is than the one before it.
        d, c: inputs and outputs.
        train_samples: drawn once and revisited with replacement.
        eval_samples: others, on which loss and correlations are measured.
        batch_size: samples of one step.
        lr: learning rate.
        input_std, init_std: standard deviations of inputs and of the students' start.
        bias: of every teacher node and output.
    Raises:
        ValueError, TypeError: naming the field.
    Source: Student Specialization, section 6 ("Two layer networks") and the authors' program.
    """

    m: int = 10
    over_realisation: float = 5
    polarity: float = 1.0
    d: int = 100
    c: int = 50
    train_samples: int = 10_000
    eval_samples: int = 10_000
    batch_size: int = 16
    lr: float = 0.01
    input_std: float = 1.5
    init_std: float = 0.005
    bias: float = -0.1

    def __post_init__(self) -> None:
        for name in ("m", "d", "c", "train_samples", "batch_size"):
            check_size(name, positive_int(name, getattr(self, name)))
        if positive_int("eval_samples", self.eval_samples) < 2:
            raise ValueError("eval_samples: expected at least 2 (a correlation needs a variance), got 1")
        for name in ("lr", "input_std", "init_std"):
            number(name, getattr(self, name), positive=True)
        number("bias", self.bias)
        number("polarity", self.polarity, least=0)
        ratio = number("over_realisation", self.over_realisation)
        if ratio < 1 or not (ratio * self.m).is_integer():
            raise ValueError(
                f"over_realisation: expected n/m >= 1 with a whole number n of nodes (m = {self.m}), got {shown(ratio)}"
            )

    @property
    def n(self) -> int:
        """Student nodes."""
        return round(self.over_realisation * self.m)


@dataclass(frozen=True)
class SpecializationInputs:
    """The inputs of the networks of some seeds, ``[x, 1]``, ``(S, samples, d + 1)`` to train and to evaluate on.

    They depend on d, the numbers of samples and ``input_std`` alone: settings that share these are compared on the
    same inputs, drawn once. Memory: 8 S (train + eval samples) (d + 1) bytes.
    """

    training: Array
    evaluation: Array

    @classmethod
    def draw(cls, setting: SpecializationSetting, seeds: Sequence[int]) -> SpecializationInputs:
        """Inputs of one network a seed; they cannot be written to."""
        sizes = {_TRAINING: setting.train_samples, _EVALUATION: setting.eval_samples}
        drawn = []
        for purpose, samples in sizes.items():
            rows = np.empty((len(seeds), samples, setting.d + 1))
            for seed, part in zip(seeds, rows, strict=True):
                _fill_inputs(setting.input_std, part, _stream(seed, purpose))
            rows.flags.writeable = False
            drawn.append(rows)
        return cls(*drawn)


class Labelled(NamedTuple):
    """Inputs ``[x, 1]`` (S, N, d + 1) and the teacher's outputs ``f*(x)`` (S, N, c)."""

    inputs: Array
    outputs: Array


@dataclass(frozen=True)
class SpecializationNetworks:
    """S independent teachers, data sets and student starts of one setting; biases are the last row of each matrix.

    ``W (S, d + 1, n)``, ``V (S, n + 1, c)``: the students' starts. ``teacher_W (S, d + 1, m)``, ``teacher_V (S, m + 1,
    c)``: their teachers. ``training`` and ``evaluation``: samples with the teacher's outputs, computed once. Memory: 8
    S (train_samples + eval_samples) c bytes beside the inputs.
    """

    W: Array
    V: Array
    teacher_W: Array
    teacher_V: Array
    training: Labelled
    evaluation: Labelled

    @classmethod
    @checked
    def draw(
        cls,
        setting: SpecializationSetting,
        seeds: Sequence[int],
        inputs: SpecializationInputs | None = None,
    ) -> SpecializationNetworks:
        """One network a seed, which depends neither on the other seeds nor, but for the start, on n.

        Teachers of one seed differ between polarities by the division by ``j^p`` alone, and a wider start begins with
        the nodes of a narrower one: runs of one seed are paired over polarity and over-realisation.

        Args:
            setting: sizes and laws.
            seeds: one for each network.
            inputs: those of the same seeds and sizes, drawn before; None draws them.
        """
        seeds = checked_seeds(seeds)
        teachers = [draw_teacher(setting, _stream(seed, _TEACHER)) for seed in seeds]
        starts = [_draw_start(setting, _stream(seed, _START)) for seed in seeds]
        W, V, teacher_W, teacher_V = (
            np.stack(parts) for pairs in (starts, teachers) for parts in zip(*pairs, strict=True)
        )
        seen = SpecializationInputs.draw(setting, seeds) if inputs is None else inputs
        training, evaluation = (
            Labelled(rows, _labels(rows, teacher_W, teacher_V)) for rows in (seen.training, seen.evaluation)
        )
        return cls(W, V, teacher_W, teacher_V, training, evaluation)

    def teacher_hidden(self, inputs: Array) -> Array:
        """Teacher activations ``(S, N, m)`` of inputs ``(S, N, d + 1)`` whose last entry is 1."""
        hidden = inputs @ self.teacher_W
        return np.maximum(hidden, 0, out=hidden)


def batch_stream(seed: int) -> np.random.Generator:
    """The generator that picks the batches of one network."""
    return _stream(seed, _BATCHES)


def _stream(seed: int, purpose: int) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence((int(seed), purpose))))


def _draw_start(setting: SpecializationSetting, rng: np.random.Generator) -> tuple[Array, Array]:
    W, V = np.zeros((setting.d + 1, setting.n)), np.zeros((setting.n + 1, setting.c))
    nodes = setting.init_std * rng.standard_normal((setting.n, setting.d + setting.c))
    W[:-1], V[:-1] = nodes[:, : setting.d].T, nodes[:, setting.d :]
    return W, V


_REDRAWN_WHOLE = 100
"""Times that fan-outs are drawn anew for all nodes at once."""


def draw_teacher(setting: SpecializationSetting, rng: np.random.Generator) -> tuple[Array, Array]:
    """One teacher: ``W* (d + 1, m)`` and ``V* (m + 1, c)``, biases in the last rows."""
    directions = separated(setting.d, setting.m, rng, entries=QUARTER_ENTRIES)
    fan_out = rng.choice(QUARTER_ENTRIES, size=(setting.m, setting.c))
    for _ in range(_REDRAWN_WHOLE):  # redraw where a node has no output: rare unless c is small
        if fan_out.any(axis=1).all():
            break
        fan_out = rng.choice(QUARTER_ENTRIES, size=(setting.m, setting.c))
    while (
        idle := ~fan_out.any(axis=1)
    ).any():  # one of many nodes always has none: the law is the same row by row
        fan_out[idle] = rng.choice(QUARTER_ENTRIES, size=(int(idle.sum()), setting.c))
    strength = np.arange(1, setting.m + 1) ** -float(setting.polarity)
    W = np.concatenate([directions, np.full((1, setting.m), setting.bias)])
    V = np.concatenate([fan_out * strength[:, None], np.full((1, setting.c), setting.bias)])
    return W, V


def _fill_inputs(std: float, rows: Array, rng: np.random.Generator) -> None:
    """Overwrite ``rows`` with inputs ``[x, 1]`` by chunks: temporaries beyond the cache cost more than the numbers."""
    normals = np.empty((_CHUNK, rows.shape[1] - 1))
    for start in range(0, len(rows), _CHUNK):
        part = rows[start : start + _CHUNK]
        rng.standard_normal(out=normals[: len(part)])
        np.multiply(normals[: len(part)], std, out=part[:, :-1])
    rows[:, -1] = 1


def _labels(inputs: Array, teacher_W: Array, teacher_V: Array) -> Array:
    """The teachers' outputs ``(S, N, c)`` for inputs ``(S, N, d + 1)``, in chunks that stay in cache."""
    outputs = np.empty((*inputs.shape[:2], teacher_V.shape[-1]))
    for rows, labels, W, V in zip(inputs, outputs, teacher_W, teacher_V, strict=True):
        for start in range(0, len(rows), _CHUNK):
            part = slice(start, start + _CHUNK)
            np.matmul(np.maximum(rows[part] @ W, 0), V[:-1], out=labels[part])
            labels[part] += V[-1]
    return outputs


def active_share(setting: SpecializationSetting) -> float:
    """Share of inputs on which a teacher node is active: ``Phi(bias / input_std)`` (0.473 at the defaults)."""
    return 0.5 * math.erfc(-setting.bias / setting.input_std / math.sqrt(2))
