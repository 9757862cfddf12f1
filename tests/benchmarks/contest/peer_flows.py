"""The papers' two flows written for jax and for torch, as their users would: the fields that the peers integrate.

Same formulas and layout as ``ProjectedFlow`` and ``TwoLayerFlow`` for standard Gaussian input, float64, compiled by
jax where it can be. Angles come from ``arccos`` of the clipped cosine (what anyone would write; right to 1e-8 near 0).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

# One thread for every contestant; jax reads this when it starts.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import jax
import jax.numpy as jnp
import torch

from luckproof import ProjectedFlow, TwoLayerDynamics

jax.config.update("jax_enable_x64", True)

JaxField = Callable[[Any, Any, Any], Any]
TorchField = Callable[[Any, torch.Tensor], torch.Tensor]


def jax_field(flow: TwoLayerDynamics) -> JaxField:
    """``f(t, y, args)`` of one instance, as diffrax calls it."""
    return _jax_projected(flow) if isinstance(flow, ProjectedFlow) else _jax_two_layers(flow)


def _jax_unit(W: Any) -> tuple[Any, Any]:
    size = jnp.linalg.norm(W, axis=0)
    return W / size, size


def _jax_tangent(unit: Any, size: Any, pull: Any) -> Any:
    return (pull - unit * (unit * pull).sum(axis=0)) * size


def _jax_gates(cosine: Any) -> Any:
    return (jnp.pi - jnp.arccos(jnp.clip(cosine, -1.0, 1.0))) / (2 * jnp.pi)


def _jax_projected(flow: TwoLayerDynamics) -> JaxField:
    shape = flow.problem.student_W.shape[-2:]
    fixed = None if flow.instances > 1 else jnp.asarray(flow.problem.teacher_W)

    def field(t: Any, y: Any, args: Any) -> Any:
        teacher = args if fixed is None else fixed
        W, size = _jax_unit(y.reshape(shape))
        pull = teacher @ _jax_gates(W.T @ teacher).T - W @ _jax_gates(W.T @ W)
        return _jax_tangent(W, size, pull).ravel()

    return field


def _jax_kernels(cosine: Any) -> tuple[Any, Any]:
    cosine = jnp.clip(cosine, -1.0, 1.0)
    rest = jnp.pi - jnp.arccos(cosine)
    return (jnp.sqrt(1 - cosine**2) + rest * cosine) / (2 * jnp.pi), rest / (2 * jnp.pi)


def _jax_two_layers(flow: TwoLayerDynamics) -> JaxField:
    problem = flow.problem
    teacher, fan_out = jnp.asarray(problem.teacher_W), jnp.asarray(problem.teacher_V)
    shape_W, shape_V = problem.student_W.shape, problem.student_V.shape
    split = problem.student_W.size

    def field(t: Any, y: Any, args: Any) -> Any:
        W, size = _jax_unit(y[:split].reshape(shape_W))
        V = y[split:].reshape(shape_V)
        teacher_l, teacher_d = _jax_kernels(W.T @ teacher)
        own_l, own_d = _jax_kernels(W.T @ W)
        pull = teacher @ (teacher_d * (V @ fan_out.T)).T - W @ (own_d * (V @ V.T))
        dW = _jax_tangent(W, size, pull)
        return jnp.concatenate([dW.ravel(), (teacher_l @ fan_out - own_l @ V).ravel()])

    return field


def torch_field(flow: TwoLayerDynamics) -> TorchField:
    """``f(t, y)`` of one instance, as torchdiffeq calls it."""
    return _torch_projected(flow) if isinstance(flow, ProjectedFlow) else _torch_two_layers(flow)


def _torch_tangent(unit: torch.Tensor, size: torch.Tensor, pull: torch.Tensor) -> torch.Tensor:
    return (pull - unit * (unit * pull).sum(dim=0)) * size


def _torch_kernels(cosine: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    cosine = cosine.clamp(-1.0, 1.0)
    rest = torch.pi - cosine.arccos()
    return ((1 - cosine**2).sqrt() + rest * cosine) / (2 * torch.pi), rest / (2 * torch.pi)


def _torch_projected(flow: TwoLayerDynamics) -> TorchField:
    teacher, shape = torch.tensor(flow.problem.teacher_W), flow.problem.student_W.shape

    def gates(cosine: torch.Tensor) -> torch.Tensor:
        return (torch.pi - cosine.clamp(-1.0, 1.0).arccos()) / (2 * torch.pi)

    def field(t: Any, y: torch.Tensor) -> torch.Tensor:
        W = y.reshape(shape)
        size = torch.linalg.vector_norm(W, dim=0)
        W = W / size
        pull = teacher @ gates(W.T @ teacher).T - W @ gates(W.T @ W)
        return _torch_tangent(W, size, pull).ravel()

    return field


def _torch_two_layers(flow: TwoLayerDynamics) -> TorchField:
    problem = flow.problem
    teacher, fan_out = torch.tensor(problem.teacher_W), torch.tensor(problem.teacher_V)
    shape_W, shape_V = problem.student_W.shape, problem.student_V.shape
    split = problem.student_W.size

    def field(t: Any, y: torch.Tensor) -> torch.Tensor:
        W, V = y[:split].reshape(shape_W), y[split:].reshape(shape_V)
        size = torch.linalg.vector_norm(W, dim=0)
        W = W / size
        teacher_l, teacher_d = _torch_kernels(W.T @ teacher)
        own_l, own_d = _torch_kernels(W.T @ W)
        pull = teacher @ (teacher_d * (V @ fan_out.T)).T - W @ (own_d * (V @ V.T))
        dW = _torch_tangent(W, size, pull)
        return torch.cat([dW.ravel(), (teacher_l @ fan_out - own_l @ V).ravel()])

    return field
