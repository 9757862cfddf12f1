"""The batch gradient of float64 students by products in float32."""

from __future__ import annotations

import torch
from torch import Tensor

from nets.products import Products
from nets.two_layer.networks import BatchGradient, TwoLayerStudents


class RoundedGradient:
    """What :class:`BatchGradient` gives, from weights and inputs rounded to float32, which are copied anew every batch.

    The residual and the two gradients come back in float64. Each product of k terms has an error of at most
    ``((1 + u)^(k+2) - 1) |A| |B|`` with ``u = 2^-24``, see :class:`nets.deep.rounded_map.RoundedMap`. With
    ``residual_too = False`` the residual is that of float64, however small, and only what follows it is rounded.

    Memory: besides that of a batch gradient, students and teachers in float32, and a gradient of theirs.
    """

    def __init__(self, students: TwoLayerStudents, batch_size: int, *, residual_too: bool) -> None:
        self._students = students
        self._own = None if residual_too else BatchGradient(students, batch_size)
        self._rounded = TwoLayerStudents(students.problem, students.device, torch.float32)
        self._gradient = BatchGradient(self._rounded, batch_size)
        (S, nodes, d), c, m = students.fan_in.shape, students.readout.shape[1], students.problem.m
        empty = students.fan_in.new_empty
        self._x = empty((S, d, batch_size), dtype=torch.float32)
        self._residual = empty((S, c, batch_size))
        self._grad_fan_in = empty((S, nodes - m, d))
        self._grad_readout = empty((S, c, nodes - m))

    def residual(self, x: Tensor) -> Tensor:
        """As :meth:`BatchGradient.residual`."""
        self._x.copy_(x)
        self._rounded.fan_in.copy_(self._students.fan_in)
        self._rounded.readout.copy_(self._students.readout)
        if self._own is None:
            return self._residual.copy_(self._gradient.residual(self._x))
        exact = self._own.residual(x)
        self._gradient.take_over(self._own)
        return exact

    def for_fan_in(self, x: Tensor) -> Tensor:
        """As :meth:`BatchGradient.for_fan_in`; of the batch ``x`` that :meth:`residual` was given last."""
        return self._grad_fan_in.copy_(self._gradient.for_fan_in(self._x))

    def for_readout(self) -> Tensor:
        """As :meth:`BatchGradient.for_readout`."""
        return self._grad_readout.copy_(self._gradient.for_readout())


StepGradient = BatchGradient | RoundedGradient
"""The gradient of a step, in either precision."""


def step_gradient(students: TwoLayerStudents, batch_size: int, products: Products) -> StepGradient:
    """The gradient of batches with its products as :data:`nets.products.PRODUCTS` says."""
    if products == "own":
        return BatchGradient(students, batch_size)
    return RoundedGradient(students, batch_size, residual_too=products == "float32")
