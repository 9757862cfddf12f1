"""Steps recorded as CUDA graphs end where the same steps do, launched one operation after the other."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
import torch

from luckproof import (
    SpecializationSetting,
    TeacherStudent,
    Trajectory,
    TwoLayerStudents,
    teachers,
    train,
    train_specialization,
)
from nets.captured_steps import SWITCH, CapturedSteps

pytestmark = pytest.mark.gpu

STEPS = 1000


def two_layer(device: str, **options: object) -> Trajectory:
    rng = np.random.default_rng(0)
    teacher = np.broadcast_to(teachers.orthonormal(10, 5, rng), (32, 10, 5))
    students = TwoLayerStudents.from_problem(TeacherStudent.at_angle(teacher, 0.3, rng), device)
    return train(students, lr=0.05, batch_size=64, steps=STEPS, seed=0, record_every=250, **options)  # type: ignore[arg-type]


def specialization(device: str) -> Trajectory:
    setting = SpecializationSetting(d=20, m=5, c=10, train_samples=500, eval_samples=500)
    return train_specialization(setting, seed=0, networks=32, steps=STEPS, record_every=250, device=device)


TRAININGS: dict[str, Callable[[str], Trajectory]] = {
    "Theorem 4": two_layer,
    "Theorem 5": lambda device: two_layer(device, train_V=True),
    "plain SGD": lambda device: two_layer(device, projected=False),
    "momentum": lambda device: two_layer(device, projected=False, momentum=0.5, weight_decay=0.01),
    "specialization": specialization,
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
        record_property(f"steps_per_second, {word}", STEPS / (time.perf_counter() - start))
    assert CapturedSteps(torch.device(device)).recording == (device == "cuda")
    plain, captured = runs["never"], runs["auto"]
    assert captured.success
    for name, values in plain.observables.items():
        allowed = 100 * STEPS * np.finfo(np.float64).eps * max(1.0, float(np.abs(values).max()))
        np.testing.assert_allclose(captured.observables[name], values, rtol=0, atol=allowed)
