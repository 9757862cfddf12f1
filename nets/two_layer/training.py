"""Stochastic gradient descent on ensembles of students, on fresh samples, recorded like an integrated flow."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from dynamics.boundary import checked
from dynamics.memory import check_fits
from dynamics.ode.progress import Progress, Report, reporting
from dynamics.ode.status import Status
from dynamics.ode.trajectory import Trajectory
from dynamics.validation import number, positive_int
from nets.captured_steps import CapturedSteps
from nets.endings import Ending
from nets.products import Products, require_products
from nets.record_times import checked_rate, record_steps
from nets.streams import network_seeds
from nets.two_layer.batches import BLOCK_VALUES, FreshBatches
from nets.two_layer.networks import TwoLayerStudents
from nets.two_layer.optimiser import checked_optimiser
from nets.two_layer.recording import Recorder
from nets.two_layer.rounded_gradient import StepGradient, step_gradient

CHECK_STEPS = 64
"""Steps between two looks at the clock and the batch losses; on CUDA each look waits for the device."""

CAPTURED_FROM = 8
"""Steps in a block of samples from which on they are captured: where it has fewer, a step keeps the device busy."""


@checked
def train(
    students: TwoLayerStudents,
    *,
    lr: float,
    batch_size: int,
    steps: int,
    seed: int | Sequence[int],
    projected: bool = True,
    train_V: bool | None = None,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    products: Products = "own",
    record_every: int | None = None,
    record_at: Sequence[int] | None = None,
    max_seconds: float | None = None,
    progress: bool | Progress = False,
) -> Trajectory:
    """Train every network on its own fresh samples; the students are updated in place.

    One step, with g_j minus the gradient of ``J = 1/2 mean_b ||f*(x_b) - f(x_b)||^2`` at node j:

        projected:      w_j <- normalise(w_j + lr P_perp(w_j) g_j)        (unit norm, Theorem 4)
        not projected:  w_j <- w_j + lr g_j                               (plain SGD)

    and, where V is trained, ``v_j <- v_j + lr g_vj`` with both gradients taken at the same weights. As lr -> 0 the run
    follows the gradient flow of the same problem over ``t = steps * lr``, the time axis of the result.

    Momentum mu and weight decay lambda are those of ``torch.optim.SGD``: b replaces g in a step, with
    ``b <- mu b + (g - lambda w)`` and b = 0 at first, so that the run follows the flow of the loss plus
    ``lambda/2 ||w||^2`` over ``t = steps * lr / (1 - mu)``, which is then the time axis. Where projected, what enters b
    is projected, and so is what leaves it, at the columns of that step; weight decay then acts on V alone. On a CPU a
    network takes the same path, up to rounding, alone or in company.

    Args:
        students: n >= m nodes, in unit columns where ``projected``.
        lr: learning rate, > 0.
        batch_size: samples B of one step and network.
        steps: SGD steps.
        seed: one integer, spawned into a stream per network, or one integer per network
            (:func:`nets.streams.network_seeds`).
        projected: steps on the sphere instead of plain ones.
        momentum: mu, in [0, 1).
        weight_decay: lambda, >= 0.
        products: ``own``, of the students' number format; ``float32``, for students in float64: matrix products of
            rounded operands, while weights, momentum and steps stay in float64; ``float32-backward``: those of the
            gradients alone, from a residual in float64. What each costs: see :func:`nets.train_deep`.
        train_V: whether V is trained; None: in plain SGD only. Projected without V is Theorem 4, with V Theorem 5.
        record_every, record_at: steps between records, or the steps of the records; give one of the two. Step 0 and
            the last are always recorded, and about ``DEFAULT_RECORDS`` steps where neither is given.
        max_seconds: ends the run with status ``time_limit``; looked at every ``CHECK_STEPS`` steps.
        progress: a bar on stderr where that is a terminal, or a callable of the fraction done.
    Returns:
        A trajectory over ``t = steps * lr`` with W (and V), and the observables of
        :func:`dynamics.two_layer.observables.two_layer_observables` in closed form on the host: no test samples. A
        loss that is not finite ends it with status ``diverged``, naming step and network; all networks' records before
        it are there.
    Raises:
        ValueError, TypeError: naming the argument.
    Cost: O(S B (m + n) (d + c)) a step; memory O(S max(d B, 2^15)) for samples and O(records S n (d + c)) for records.
        On CUDA blocks of steps are captured as graphs (:mod:`nets.captured_steps`), which need up to as much again for
        their samples.
    Source: Luck Matters, Theorem 4 (the network whose gradient flow it describes) and section 4.
    """
    problem = students.problem
    problem.require_u_set()
    if projected:
        problem.require_unit_columns()
    batch_size = positive_int("batch_size", batch_size)
    marks = record_steps(positive_int("steps", steps), record_every, record_at)
    lr = checked_rate(lr, steps)
    seconds = None if max_seconds is None else number("max_seconds", max_seconds, positive=True)
    trains_V = not projected if train_V is None else bool(train_V)
    fixed = "where columns stay on the sphere and V is fixed" if projected and not trains_V else ""
    optimiser = checked_optimiser(momentum, weight_decay, fixed=fixed)
    rule = UpdateRule(lr, batch_size, projected, trains_V, *optimiser)
    seeds = network_seeds(seed, students.count)
    descent = Descent(students, rule, seeds, batch_size, require_products(products, students.dtype))
    recorder = Recorder(students, rule.time_step, trains_V=rule.trains_V)
    deadline = None if seconds is None else time.monotonic() + seconds
    with reporting(progress, 0, steps, "training") as report:
        ending = _run(descent, recorder, marks, deadline, report)
    settings = {
        "lr": lr, "batch_size": batch_size, "steps": steps, "seed": seed, "network_seeds": seeds,
        "projected": projected, "trains_V": rule.trains_V, "max_seconds": seconds,
        **({"momentum": rule.momentum} if rule.momentum else {}),
        **({"weight_decay": rule.weight_decay} if rule.weight_decay else {}),
        **({} if products == "own" else {"products": products}),
    }  # fmt: skip
    return recorder.trajectory(ending, descent.step, settings)


def _run(
    descent: Descent, recorder: Recorder, marks: list[int], deadline: float | None, report: Report
) -> Ending:
    """Train from mark to mark and record at each, until the last one or until a network or the time gives out."""
    for mark in marks:
        while descent.step < mark:
            if deadline is not None and time.monotonic() > deadline:
                late = (
                    f"max_seconds is over at step {descent.step} of {marks[-1]}; raise it or take fewer steps"
                )
                return recorder.record(descent.step) or Ending(Status.TIME_LIMIT, late)
            if diverged := descent.advance(min(CHECK_STEPS, mark - descent.step)):
                return diverged
            report(descent.step)
        if diverged := recorder.record(mark):
            return diverged
    return Ending(Status.FINISHED, f"{marks[-1]} steps taken")


class Descent:
    """The students with the step they are at, their batches, and the rule that moves them."""

    def __init__(
        self,
        students: TwoLayerStudents,
        rule: UpdateRule,
        seeds: Sequence[int],
        batch_size: int,
        products: Products = "own",
    ) -> None:
        students.require_relu_networks("negative_gradients")
        problem = students.problem
        check_fits("batch_size", batch_size * (problem.d + problem.m + problem.n) * students.count)
        check_fits("students", BLOCK_VALUES[students.device.type] * students.count)
        self.step = 0
        self._students = students
        self._rule = rule
        self._velocity = Velocity(students) if rule.momentum else None
        self._gradient = step_gradient(students, batch_size, products)
        self._batches = FreshBatches(
            students.problem.measure, seeds, batch_size, device=students.device, dtype=students.dtype
        )
        self._sizes = students.fan_in.new_zeros((CHECK_STEPS, students.count))
        self._rows = self._sizes.unbind()
        self._captured = CapturedSteps(students.device)
        self._at_once = min(CHECK_STEPS, self._batches.block)
        captured = self._captured.recording and self._at_once >= CAPTURED_FROM
        shape = (students.count, self._at_once if captured else 0, problem.d, batch_size)
        self._fixed = students.fan_in.new_empty(
            shape
        )  # captured steps have their samples always in the same place

    def advance(self, count: int) -> Ending | None:
        """Take ``count <= CHECK_STEPS`` steps; returns how the run ends where a batch loss was not finite."""
        with torch.inference_mode():
            if self._fixed.shape[1]:
                for first in range(0, count, self._at_once):
                    self._take_captured(first, min(self._at_once, count - first))
            else:
                for row in self._rows[:count]:
                    self._take(next(self._batches), row)
        bad = torch.nonzero(~torch.isfinite(self._sizes[:count]))
        self.step += count
        if len(bad) == 0:
            return None
        first, network = (int(index) for index in bad[0])
        return Ending.divergence(network, self.step - count + first, self._rule.time_step)

    def _take(self, x: torch.Tensor, row: torch.Tensor) -> None:
        """One step on the batch ``x (S, d, B)``, whose residual's norms go to ``row (S,)``."""
        residual = self._gradient.residual(x)
        torch.linalg.vector_norm(residual.flatten(1), dim=1, out=row)
        self._rule.apply(self._students, self._gradient, x, self._velocity)

    def _take_captured(self, first: int, count: int) -> None:
        """So many steps, whose norms go to the rows from ``first`` on, as one block."""
        x, rows = self._fixed[:, :count], self._rows[first : first + count]

        def steps() -> None:
            for batch, row in zip(x.unbind(1), rows, strict=True):
                self._take(batch, row)

        self._batches.into(x)
        self._captured.run((first, count), steps)


class Velocity:
    """What momentum carries from step to step: sums of gradients over a batch, in the layout of the weights."""

    def __init__(self, students: TwoLayerStudents) -> None:
        m = students.problem.m
        self.fan_in = torch.zeros_like(students.fan_in[:, m:])
        self.readout = torch.zeros_like(students.readout[..., m:])


@dataclass(frozen=True)
class UpdateRule:
    """One step along a batch gradient that is summed over the batch: hence ``lr / batch_size``."""

    lr: float
    batch_size: int
    projected: bool
    trains_V: bool
    momentum: float = 0.0
    weight_decay: float = 0.0

    @property
    def time_step(self) -> float:
        """Time of the gradient flow that a step takes: momentum adds up ``1 / (1 - mu)`` gradients."""
        return self.lr / (1 - self.momentum) if self.momentum else self.lr

    def apply(
        self,
        students: TwoLayerStudents,
        gradient: StepGradient,
        x: torch.Tensor,
        velocity: Velocity | None = None,
    ) -> None:
        """Move the students along the gradient of the batch ``x (S, d, B)`` whose residual is in ``gradient``."""
        m, rate = students.problem.m, self.lr / self.batch_size
        grad = gradient.for_fan_in(x)
        W = students.fan_in[:, m:]
        if self.trains_V:
            V = students.readout[..., m:]
            # The student part of the readout is stored negated.
            V.sub_(
                self._smoothed(
                    V, gradient.for_readout(), None if velocity is None else velocity.readout, sign=-1
                ),
                alpha=rate,
            )
        if self.projected:
            grad.addcmul_(W, (W * grad).sum(-1, keepdim=True), value=-1)
            if velocity is not None:
                grad = velocity.fan_in.mul_(self.momentum).add_(grad)
                grad.addcmul_(W, (W * grad).sum(-1, keepdim=True), value=-1)
        else:
            grad = self._smoothed(W, grad, None if velocity is None else velocity.fan_in, sign=1)
        W.add_(grad, alpha=rate)
        if self.projected:
            W.div_(torch.linalg.vector_norm(W, dim=-1, keepdim=True))

    def _smoothed(
        self, weights: torch.Tensor, grad: torch.Tensor, carried: torch.Tensor | None, *, sign: int
    ) -> torch.Tensor:
        """Minus a gradient with decay and momentum; ``sign``: of the weights as they are stored."""
        if self.weight_decay:
            grad = grad.add(weights, alpha=-sign * self.weight_decay * self.batch_size)
        return grad if carried is None else carried.mul_(self.momentum).add_(grad)
