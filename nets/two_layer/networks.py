"""Ensembles of two-layer ReLU or leaky-ReLU students beside their teachers, as stacked tensors."""

from __future__ import annotations

import math
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from dynamics.boundary import checked
from dynamics.overrides import keeps
from dynamics.two_layer.problem import TeacherStudent
from nets.devices import require_dtype, resolve_device
from nets.tensors import floating_tensor, real_tensor


class TwoLayerStudents:
    """S student networks ``f(x) = V^T relu(W^T x)`` beside their teachers, trained side by side.

    Where the problem's measure has a slope (:class:`~dynamics.LeakyKernels`) relu is the leaky one of that slope.

    S is the number of the problem's instances, its leading axes flattened (1 for a single one). Students: ``W (S, d,
    n)``, ``V (S, n, c)``; teachers, which stay fixed: ``teacher_W (S, d, m)``, ``teacher_V (S, m, c)``. All four are
    copies; :meth:`assign` writes. ``problem`` stays the reference in float64: start, input measure, and the teacher
    that observables compare with.

    Layout: teacher and student nodes share one stack, ``fan_in (S, m + n, d)`` and ``readout (S, c, m + n)`` with the
    student part negated, so that one product gives all pre-activations and a second one ``f*(x) - f(x)``.

    Args:
        problem: teachers, start and input measure.
        device: where the networks live; :meth:`from_problem` takes names.
        dtype: float64 or float32.
    Memory: S (m + n) (d + c) numbers.
    """

    @checked
    def __init__(
        self, problem: TeacherStudent, device: torch.device, dtype: torch.dtype = torch.float64
    ) -> None:
        self.problem = problem
        self.device = device
        self.dtype = require_dtype(dtype)
        fan_in = np.concatenate([problem.teacher_W, problem.student_W], axis=-1)
        readout = np.concatenate([problem.teacher_V, -problem.student_V], axis=-2)
        self.fan_in = self._stack(fan_in).mT.contiguous()
        self.readout = self._stack(readout).mT.contiguous()

    @classmethod
    def from_problem(
        cls,
        problem: TeacherStudent,
        device: str | torch.device = "auto",
        dtype: torch.dtype = torch.float64,
    ) -> Self:
        """The students of ``problem`` at its start, one network for each instance.

        Args:
            problem: the same object that the flows integrate.
            device: see :func:`nets.devices.resolve_device`.
            dtype: float64 or float32; in float32 the teachers are rounded too, so angles to the problem's own teacher
                level off near 1e-7.
        Raises:
            TypeError, ValueError: no :class:`~dynamics.TeacherStudent`, an unknown device, another dtype.
        """
        if not isinstance(problem, TeacherStudent):
            raise TypeError(f"problem: expected a TeacherStudent, got {type(problem).__name__}")
        return cls(problem, torch.device(resolve_device(device)), dtype)

    def _stack(self, array: NDArray[np.float64]) -> torch.Tensor:
        flat = array.reshape(-1, *array.shape[-2:])
        return torch.tensor(flat, device=self.device, dtype=self.dtype)

    @property
    def count(self) -> int:
        """Number of networks S."""
        return math.prod(self.problem.batch_shape)

    @property
    def W(self) -> torch.Tensor:
        """Student fan-ins ``(S, d, n)``, a copy."""
        return self.fan_in[:, self.problem.m :].mT.contiguous()

    @property
    def V(self) -> torch.Tensor:
        """Student fan-outs ``(S, n, c)``, a copy."""
        return -self.readout[..., self.problem.m :].mT

    @property
    def teacher_W(self) -> torch.Tensor:
        """Teacher fan-ins ``(S, d, m)``, a copy."""
        return self.fan_in[:, : self.problem.m].mT.contiguous()

    @property
    def teacher_V(self) -> torch.Tensor:
        """Teacher fan-outs ``(S, m, c)``, a copy."""
        return self.readout[..., : self.problem.m].mT.contiguous()

    @checked
    def assign(self, W: torch.Tensor, V: torch.Tensor) -> None:
        """Overwrite the student weights with ``W (S, d, n)`` and ``V (S, n, c)``; raises ValueError on other shapes."""
        for name, value, expected in (("W", W, self.W), ("V", V, self.V)):
            real_tensor(name, value, tuple(expected.shape))
        self.fan_in[:, self.problem.m :] = W.mT
        self.readout[..., self.problem.m :] = -V.mT

    def weights(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """``W (..., d, n)`` and ``V (..., n, c)`` as float64 arrays with the problem's leading axes."""
        batch = self.problem.batch_shape
        W, V = (tensor.to("cpu", torch.float64).numpy() for tensor in (self.W, self.V))
        return W.reshape(*batch, *W.shape[1:]), V.reshape(*batch, *V.shape[1:])

    def activation(self, z: torch.Tensor) -> torch.Tensor:
        """The ReLU, or the leaky one where the problem's measure has a slope."""
        slope = self.problem.measure.slope
        return torch.nn.functional.leaky_relu(z, slope) if slope else torch.relu(z)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Student outputs ``(S, B, c)`` of inputs ``x (S, B, d)``."""
        x = self._inputs(x)
        return self.activation(x @ self.W) @ self.V

    def teacher(self, x: torch.Tensor) -> torch.Tensor:
        """Teacher outputs ``(S, B, c)`` of inputs ``x (S, B, d)``."""
        x = self._inputs(x)
        return self.activation(x @ self.teacher_W) @ self.teacher_V

    def _inputs(self, x: torch.Tensor) -> torch.Tensor:
        """Inputs in the networks' precision; raises TypeError or ValueError for another shape."""
        return floating_tensor("x", x, (self.count, None, self.problem.d)).to(self.dtype)

    def require_relu_networks(self, *members: str) -> None:
        """Raise TypeError where a subclass has its own ``forward`` or ``teacher``, or one of ``members``.

        Batch gradients and sample losses are written out for ``V^T relu(W^T x)`` and would not hear them.
        """
        own = [
            name
            for name in ("forward", "teacher", "activation", *members)
            if not keeps(self, TwoLayerStudents, name)
        ]
        if own:
            raise TypeError(
                "students: expected the networks of TwoLayerStudents, whose gradient is known by hand,"
                f" got {type(self).__name__} with its own {', '.join(own)}"
            )

    def negative_gradients(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Minus the gradients of ``J = 1/2 mean_b ||f*(x_b) - f(x_b)||^2`` on a batch ``x (S, B, d)``.

        Returns:
            ``(S, d, n)`` for W and ``(S, n, c)`` for V. The gate is 0 at the kink, or the slope.
        """
        x = self._inputs(x)
        step = BatchGradient(self, x.shape[1])
        with torch.inference_mode():
            step.residual(x.mT)
            grad_W = step.for_fan_in(x.mT).mT / x.shape[1]
            grad_V = step.for_readout().mT / x.shape[1]
        return grad_W.clone(), grad_V.clone()


class BatchGradient:
    """The batch gradient of all networks by hand: two products forward, one back per layer, no autograd.

    With residual ``e = f*(x) - f(x)`` and gates ``f'_j = 1[w_j^T x > 0]``, minus the gradient is

        -dJ/dw_j = 1/B sum_b f'_j (v_j^T e) x,        -dJ/dv_j = 1/B sum_b relu(w_j^T x) e.

    Both are returned as sums over the batch, without the 1/B. The batch axis is last, ``x (S, d, B)``. Results are
    views of buffers that the next call overwrites.

    Cost: O(S B (m + n) (d + c)) a call; memory O(S B (m + 2n + c)).
    Source: Luck Matters, Eqn 1 and Theorem 1 for one hidden layer.
    """

    def __init__(self, students: TwoLayerStudents, batch_size: int) -> None:
        students.require_relu_networks()
        (S, nodes, d), c = students.fan_in.shape, students.readout.shape[1]
        m = students.problem.m
        empty = students.fan_in.new_empty
        self._slope = students.problem.measure.slope
        self._fan_in, self._readout = students.fan_in, students.readout
        self._student_readout = students.readout[..., m:]
        self._hidden = empty((S, nodes, batch_size))
        self._student_hidden = self._hidden[:, m:]
        self._residual = empty((S, c, batch_size))
        self._back = empty((S, nodes - m, batch_size))
        self._grad_fan_in = empty((S, nodes - m, d))
        self._grad_readout = empty((S, c, nodes - m))

    def residual(self, x: torch.Tensor) -> torch.Tensor:
        """``f*(x) - f(x)``, shape ``(S, c, B)``, of a batch ``x (S, d, B)``; must come before the gradients."""
        torch.bmm(self._fan_in, x, out=self._hidden)
        if self._slope:
            torch.nn.functional.leaky_relu_(self._hidden, self._slope)
        else:
            self._hidden.relu_()
        return torch.bmm(self._readout, self._hidden, out=self._residual)

    def take_over(self, other: BatchGradient) -> None:
        """Stand where ``other`` does after its :meth:`residual`, in one's own number format."""
        self._hidden.copy_(other._hidden)
        self._residual.copy_(other._residual)

    def for_fan_in(self, x: torch.Tensor) -> torch.Tensor:
        """Sum over the batch of minus dJ/dW, node-major ``(S, n, d)``."""
        minus_V = self._student_readout.mT
        if minus_V.shape[-1] == 1:
            torch.mul(minus_V, self._residual, out=self._back)
        else:
            torch.bmm(minus_V, self._residual, out=self._back)
        if self._slope:  # the result's sign is that of its argument
            torch.ops.aten.leaky_relu_backward.grad_input(
                self._back, self._student_hidden, self._slope, True, grad_input=self._back
            )
        else:
            torch.ops.aten.threshold_backward.grad_input(
                self._back, self._student_hidden, 0, grad_input=self._back
            )
        return torch.bmm(self._back, x.mT, out=self._grad_fan_in).neg_()

    def for_readout(self) -> torch.Tensor:
        """Sum over the batch of minus dJ/dV, output-major ``(S, c, n)``."""
        return torch.bmm(self._residual, self._student_hidden.mT, out=self._grad_readout)
