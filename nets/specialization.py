"""The two-layer experiments of the second paper: sizes, polarised teachers, finite training sets, small starts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynamics.settings import number, positive_int
from dynamics.teachers import QUARTER_ENTRIES, separated

Array = NDArray[np.float64]

_CHUNK = 250
_TEACHER, _TRAINING, _EVALUATION, _START, _BATCHES = range(5)


@dataclass(frozen=True)
class SpecializationSetting:
    """One row of the paper's two-layer experiments; the defaults are those of the authors' published program.

    Teacher of m nodes: columns with entries in {-1, -3/4, ..., 1}, distinct, ``||w*_j|| = 1``, bias ``b*_j = bias``;
    fan-outs with entries from the same list, divided by ``j^polarity`` (Eqn 13), and output bias ``bias``.
    Student of ``n = over_realisation * m`` nodes: weights ``N(0, init_std^2)``, biases zero, all of them trained.
    Inputs ``N(0, input_std^2 I_d)``: ``train_samples`` of them drawn once and revisited with replacement, and
    ``eval_samples`` others on which loss and correlations are measured.

    Raises ValueError or TypeError, naming the field, on a size below 1, an over-realisation below 1 or one that
    gives no whole number of nodes, a polarity or bias that is not finite, a polarity below 0, a scale <= 0.
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
            positive_int(name, getattr(self, name))
        if positive_int("eval_samples", self.eval_samples) < 2:
            raise ValueError("eval_samples: expected at least 2 (a correlation needs a variance), got 1")
        for name in ("lr", "input_std", "init_std"):
            number(name, getattr(self, name), positive=True)
        number("bias", self.bias)
        if number("polarity", self.polarity) < 0:
            raise ValueError(f"polarity: expected a number >= 0, got {self.polarity!r}")
        ratio = number("over_realisation", self.over_realisation)
        if ratio < 1 or not (ratio * self.m).is_integer():
            raise ValueError(
                f"over_realisation: expected n/m >= 1 with a whole number n of nodes (m = {self.m}), got {ratio!r}"
            )

    @property
    def n(self) -> int:
        """Student nodes."""
        return round(self.over_realisation * self.m)


@dataclass(frozen=True)
class SpecializationNetworks:
    """S independent teachers, data sets and student starts of one setting; biases are the last row of each matrix.

    ``W (S, d + 1, n)``, ``V (S, n + 1, c)``: the starts. ``teacher_W (S, d + 1, m)``, ``teacher_V (S, m + 1, c)``.
    ``training (S, train_samples, d + 1 + c)`` and ``evaluation (S, eval_samples, d + 1 + c)``: rows
    ``[x, 1, f*(x)]``, so that the teacher is evaluated once and for all.
    Memory 8 S (train_samples + eval_samples) (d + 1 + c) bytes.
    """

    W: Array
    V: Array
    teacher_W: Array
    teacher_V: Array
    training: Array
    evaluation: Array

    @classmethod
    def draw(cls, setting: SpecializationSetting, seeds: Sequence[int]) -> SpecializationNetworks:
        """One network a seed: what a seed gives depends neither on the others nor, but for the start, on n.

        Teachers of one seed differ between polarities by the division by ``j^p`` alone, and the first nodes of
        a wider start are those of a narrower one, so runs of one seed are paired over polarity and over-realisation.
        """
        teachers = [draw_teacher(setting, _stream(seed, _TEACHER)) for seed in seeds]
        starts = [_draw_start(setting, _stream(seed, _START)) for seed in seeds]
        W, V, teacher_W, teacher_V = (
            np.stack(parts) for pairs in (starts, teachers) for parts in zip(*pairs, strict=True)
        )
        width = setting.d + 1 + setting.c
        training = np.empty((len(seeds), setting.train_samples, width))
        evaluation = np.empty((len(seeds), setting.eval_samples, width))
        for seed, teacher, *sets in zip(seeds, teachers, training, evaluation, strict=True):
            for rows, purpose in zip(sets, (_TRAINING, _EVALUATION), strict=True):
                _fill_labelled(setting, rows, teacher, _stream(seed, purpose))
        return cls(W, V, teacher_W, teacher_V, training, evaluation)

    def teacher_hidden(self, inputs: Array) -> Array:
        """Teacher activations ``(S, N, m)`` of inputs ``(S, N, d + 1)`` whose last entry is 1."""
        return np.maximum(inputs @ self.teacher_W, 0)


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


def draw_teacher(setting: SpecializationSetting, rng: np.random.Generator) -> tuple[Array, Array]:
    """One teacher: ``W* (d + 1, m)`` and ``V* (m + 1, c)``, biases in the last rows."""
    directions = separated(setting.d, setting.m, rng, entries=QUARTER_ENTRIES)
    fan_out = rng.choice(QUARTER_ENTRIES, size=(setting.m, setting.c))
    while not fan_out.any(axis=1).all():  # a teacher without output is none; rare but for the smallest c
        fan_out = rng.choice(QUARTER_ENTRIES, size=(setting.m, setting.c))
    strength = np.arange(1, setting.m + 1) ** -float(setting.polarity)
    W = np.concatenate([directions, np.full((1, setting.m), setting.bias)])
    V = np.concatenate([fan_out * strength[:, None], np.full((1, setting.c), setting.bias)])
    return W, V


def _fill_labelled(
    setting: SpecializationSetting, rows: Array, teacher: tuple[Array, Array], rng: np.random.Generator
) -> None:
    """Overwrite rows ``[x, 1, f*(x)]``, a cacheful at a time: large temporaries cost more than the numbers."""
    (W, V), split = teacher, setting.d + 1
    normals = np.empty((_CHUNK, setting.d))
    for start in range(0, len(rows), _CHUNK):
        part = rows[start : start + _CHUNK]
        rng.standard_normal(out=normals[: len(part)])
        np.multiply(normals[: len(part)], setting.input_std, out=part[:, : split - 1])
        part[:, split - 1] = 1
        np.matmul(np.maximum(part[:, :split] @ W, 0), V[:-1], out=part[:, split:])
        part[:, split:] += V[-1]


def active_share(setting: SpecializationSetting) -> float:
    """Share of inputs on which a teacher node is active: ``Phi(bias / input_std)`` (0.473 at the defaults)."""
    return 0.5 * math.erfc(-setting.bias / setting.input_std / math.sqrt(2))
