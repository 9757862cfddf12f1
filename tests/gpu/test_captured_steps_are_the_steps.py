"""Steps recorded as CUDA graphs end where the same steps do, launched one operation after the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from luckproof import (
    SGD,
    Architecture,
    FreshGaussian,
    SpecializationSetting,
    TeacherStudent,
    Trajectory,
    TwoLayerStudents,
    deep_teachers,
    teachers,
    train,
    train_deep,
    train_specialization,
)
from nets.captured_steps import SWITCH, CapturedSteps
from nets.deep.training.batches import gaussian_inputs

pytestmark = pytest.mark.gpu


def count(device: str) -> int:
    """Steps of a training; a CPU captures nothing and compares it with itself."""
    return 1000 if device == "cuda" else 80


def two_layer(device: str, **options: object) -> Trajectory:
    rng = np.random.default_rng(0)
    teacher = np.broadcast_to(teachers.orthonormal(10, 5, rng), (32, 10, 5))
    students = TwoLayerStudents.from_problem(TeacherStudent.at_angle(teacher, 0.3, rng), device)
    return train(students, lr=0.05, batch_size=64, steps=count(device), seed=0, record_every=40, **options)  # type: ignore[arg-type]


def specialization(device: str) -> Trajectory:
    setting = SpecializationSetting(d=20, m=5, c=10, train_samples=500, eval_samples=500)
    return train_specialization(
        setting, seed=0, networks=32, steps=count(device), record_every=40, device=device
    )


def deep(device: str, sgd: SGD) -> Trajectory:
    shape, seeds = Architecture((20,), (10, 15, 20), 20, normalisation="after"), tuple(range(16))
    teacher = deep_teachers.separated_teacher(replace(shape, normalisation="none"), seeds, device=device)
    students = deep_teachers.random_start(shape.over_parameterised(2), seeds, device=device)
    return train_deep(
        students, teacher, FreshGaussian(shape.inputs, seeds, 64, 16 * count(device), std=1.0), sgd=sgd, epochs=4,
        evaluation=gaussian_inputs(shape.inputs, seeds, 500, 1.0, device=device),
    )  # fmt: skip


TRAININGS: dict[str, Callable[[str], Trajectory]] = {
    "Theorem 4": two_layer,
    "Theorem 5": lambda device: two_layer(device, train_V=True),
    "plain SGD": lambda device: two_layer(device, projected=False),
    "momentum": lambda device: two_layer(device, projected=False, momentum=0.5, weight_decay=0.01),
    "specialization": specialization,
    "deep": lambda device: deep(device, SGD(0.02)),
    "deep, momentum": lambda device: deep(
        device, SGD(0.02, momentum=0.5, weight_decay=0.001, drops=((2, 0.01),))
    ),
}


@pytest.mark.parametrize("training", TRAININGS)
def test_captured_is_plain(
    training: str,
    device: str,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    """To rounding, from the same samples; no recording fails, which would be a warning, and so an error here."""
    runs = {}
    for word in ("never", "auto"):
        monkeypatch.setenv(SWITCH, word)
        TRAININGS[training](device)  # what is loaded at the first use is not timed
        start = time.perf_counter()
        runs[word] = TRAININGS[training](device)
        record_property(f"steps_per_second, {word}", count(device) / (time.perf_counter() - start))
    assert CapturedSteps(torch.device(device)).recording == (device == "cuda")
    plain, captured = runs["never"], runs["auto"]
    assert captured.success
    for name in {"loss", "sin_theta", "correlation"} & set(plain.observables):  # ranks jump
        values = plain.observables[name]
        allowed = 100 * count(device) * np.finfo(np.float64).eps * max(1.0, float(np.abs(values).max()))
        np.testing.assert_allclose(captured.observables[name], values, rtol=0, atol=allowed)
