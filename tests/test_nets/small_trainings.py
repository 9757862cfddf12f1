"""Trainings of a moment, on any device, and what a device has to do for more of their steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from luckproof import (
    SGD,
    Architecture,
    Classification,
    FixedSamples,
    FreshGaussian,
    InputMeasure,
    TeacherStudent,
    Trajectory,
    TwoLayerStudents,
    deep_teachers,
    teachers,
    train,
    train_deep,
)
from nets.deep.training.batches import BatchSource, gaussian_inputs
from nets.deep.training.descent import Objective
from tests.pretended_device import Traffic

SEEDS = (1, 2, 3)
SHAPE = Architecture((5,), (4, 3), 2, normalisation="after")
BATCH = 8
"""Samples of a step of a deep training."""


def two_layer(device: str, steps: int, measure: InputMeasure | None = None, **options: object) -> Trajectory:
    """Four networks, three students each, in six dimensions."""
    rng = np.random.default_rng(0)
    teacher = np.broadcast_to(teachers.orthonormal(6, 3, rng), (4, 6, 3))
    problem = TeacherStudent.at_angle(teacher, 0.3, rng, measure=measure)
    students = TwoLayerStudents.from_problem(problem, device=device)
    settings = {"lr": 0.1, "batch_size": 64, "seed": 0, "record_at": (steps,)} | options
    return train(students, steps=steps, **settings)  # type: ignore[arg-type]


def deep(
    device: str,
    steps: int,
    epochs: int,
    sgd: SGD,
    *,
    fixed: bool = False,
    labels: bool = False,
    samples_on: str | None = None,
    shape: Architecture = SHAPE,
    seeds: tuple[int, ...] = SEEDS,
    objective: Objective | None = None,
    **options: object,
) -> Trajectory:
    """So many steps an epoch, on fresh samples or on ``fixed`` ones, with ``labels`` or from a teacher's outputs."""
    teacher = deep_teachers.separated_teacher(replace(shape, normalisation="none"), seeds, device=device)
    students = deep_teachers.random_start(shape.over_parameterised(2), seeds, device=device)
    x = gaussian_inputs(shape.inputs, seeds, 20, 1.0, device=device)
    samples, place = BATCH * steps, samples_on or device
    source: BatchSource = FreshGaussian(shape.inputs, seeds, BATCH, samples, std=1.0)
    if fixed:
        known = torch.arange(samples, device=place) % 2 if labels else None
        inputs = gaussian_inputs(shape.inputs, seeds, samples, 1.0, device=place)
        source = FixedSamples(inputs, shape.inputs, seeds, batch_size=BATCH, labels=known)
    return train_deep(
        students, teacher, source, sgd=sgd, epochs=epochs, evaluation=x, record_at=(0, epochs),
        objective=Classification() if labels else objective, **options,
    )  # type: ignore[arg-type]  # fmt: skip


def beyond(traffic: Traffic, run: Callable[[int], object], few: int, many: int) -> tuple[int, int, int]:
    """Launches, waits and copies from the host that ``many`` blocks of steps have beyond ``few``."""
    counts = []
    for blocks in (few, many):
        traffic.counts.clear()
        run(blocks)
        counts.append((traffic.launches, traffic.waits, traffic.copies))
    (launches, waits, copies), after = counts
    return after[0] - launches, after[1] - waits, after[2] - copies
