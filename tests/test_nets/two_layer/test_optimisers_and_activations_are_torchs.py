"""Momentum, weight decay and leaky ReLUs of hand-written training are those of torch, on the same batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from luckproof import (
    AnisotropicGaussian,
    Array,
    GradientFlow,
    IsotropicGaussian,
    LeakyKernels,
    ProjectedFlow,
    TeacherStudent,
    TwoLayerStudents,
    UniformSphere,
    integrate,
    network_seeds,
    teachers,
    train,
)
from nets.two_layer.batches import FreshBatches

D, M = 4, 2


def problem(slope: float) -> TeacherStudent:
    W = teachers.orthonormal(D, M, 0)
    V = np.array([[1.0, 0.5], [-0.5, 1.0]])
    measure = LeakyKernels.of(IsotropicGaussian(D), slope)
    return TeacherStudent.at_angle(W, 0.5, 1, teacher_V=V, measure=measure)


def by_torch(start: TeacherStudent, steps: int, **options: float) -> tuple[Array, Array]:
    """Plain SGD by autograd and ``torch.optim.SGD`` on the batches of ``train`` with seed 3."""
    W, V = (torch.tensor(x, requires_grad=True) for x in (start.student_W, start.student_V))
    target_W, target_V = torch.tensor(start.teacher_W), torch.tensor(start.teacher_V)
    optimiser = torch.optim.SGD([W, V], lr=0.1, **options)
    batches = FreshBatches(
        start.measure, network_seeds(3, 1), 16, device=torch.device("cpu"), dtype=torch.float64
    )

    def f(x: torch.Tensor, W: torch.Tensor, V: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.leaky_relu(x @ W, start.slope) @ V

    for _ in range(steps):
        x = next(batches)[0].T.clone()
        optimiser.zero_grad()
        loss = 0.5 * (f(x, target_W, target_V) - f(x, W, V)).square().sum(1).mean()
        loss.backward()
        optimiser.step()
    return W.detach().numpy(), V.detach().numpy()


@pytest.mark.parametrize("slope", [0.0, 0.2, 1.0])
@pytest.mark.parametrize(("momentum", "weight_decay"), [(0.0, 0.0), (0.9, 0.0), (0.0, 0.05), (0.8, 0.05)])
def test_plain_steps_are_torchs(slope: float, momentum: float, weight_decay: float) -> None:
    """Thirty steps of W and V, to rounding."""
    start = problem(slope)
    students = TwoLayerStudents.from_problem(start, device="cpu")
    run = train(
        students, lr=0.1, batch_size=16, steps=30, seed=3, projected=False,
        momentum=momentum, weight_decay=weight_decay,
    )  # fmt: skip
    for found, expected in zip(
        students.weights(), by_torch(start, 30, momentum=momentum, weight_decay=weight_decay), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)
    assert run.t[-1] == pytest.approx(3.0 / (1 - momentum))


def test_momentum_on_the_sphere_follows_the_flow() -> None:
    """Columns stay unit, and over ``t = steps lr / (1 - mu)`` networks of small steps are on the flow."""
    start = TeacherStudent.at_angle(teachers.orthonormal(D, M, 0), 0.5, 1)
    students = TwoLayerStudents.from_problem(start, device="cpu")
    run = train(students, lr=0.01, batch_size=256, steps=1000, seed=3, momentum=0.5)
    flow = integrate(ProjectedFlow(start), (0.0, run.t[-1]), t_eval=run.t)
    assert run.t[-1] == pytest.approx(20.0)
    gap = run.observables["sin_theta"] - flow.observables["sin_theta"]
    assert np.abs(gap).max() < 0.01  # the flow itself moves by 0.4; late by lr mu / (1 - mu)^2
    assert np.abs(np.linalg.norm(run.state["W"], axis=-2) - 1).max() < 1e-12


@pytest.mark.parametrize("slope", [0.0, 0.3])
@pytest.mark.parametrize("law", [AnisotropicGaussian(np.diag([2.0, 1.0, 0.5, 0.5])), UniformSphere(D)])
def test_batch_gradients_have_the_flows_mean(law: AnisotropicGaussian | UniformSphere, slope: float) -> None:
    """Of 200 batches of 500, within five standard errors of the gradient flow's field."""
    start = TeacherStudent.at_angle(
        teachers.orthonormal(D, M, 0), 0.5, 1, measure=LeakyKernels.of(law, slope)
    )
    students = TwoLayerStudents.from_problem(start, device="cpu")
    rng = np.random.default_rng(0)
    rows = [
        [part[0].numpy() for part in students.negative_gradients(torch.tensor(law.sample(500, rng))[None])]
        for _ in range(200)
    ]
    flow = GradientFlow(start)
    field = flow.unpack(flow(0.0, flow.initial_state()))
    for place, name in enumerate(("W", "V")):
        found = np.stack([row[place] for row in rows])
        error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
        assert np.all(np.abs(found.mean(axis=0) - field[name]) < 5 * error)


@pytest.mark.parametrize("law", [AnisotropicGaussian(np.diag([2.0, 1.0, 0.5, 0.5])), UniformSphere(D)])
def test_batches_of_training_have_the_law(law: AnisotropicGaussian | UniformSphere) -> None:
    """Second moments of what networks are given, on the host's own way of drawing."""
    batches = FreshBatches(law, [5], 4096, device=torch.device("cpu"), dtype=torch.float64)
    x = np.concatenate([next(batches)[0].numpy().copy() for _ in range(20)], axis=1)
    products = x[:, None, :] * x[None, :, :]
    error = products.std(axis=-1) / np.sqrt(x.shape[1])
    assert np.all(np.abs(products.mean(axis=-1) - law.second_moment()) < 5 * error + 1e-12)
    if isinstance(law, UniformSphere):
        np.testing.assert_allclose(np.linalg.norm(x, axis=0), 2.0, rtol=1e-12)


def test_decay_without_anything_to_act_on_is_named() -> None:
    """On the sphere with V fixed."""
    start = TeacherStudent.at_angle(teachers.orthonormal(D, M, 0), 0.5, 1)
    students = TwoLayerStudents.from_problem(start, device="cpu")
    with pytest.raises(ValueError, match="weight_decay: expected 0 where columns stay on the sphere"):
        train(students, lr=0.1, batch_size=4, steps=1, seed=0, weight_decay=0.1)
    with pytest.raises(ValueError, match=r"momentum: expected a number in \[0, 1\)"):
        train(students, lr=0.1, batch_size=4, steps=1, seed=0, momentum=1.0)
