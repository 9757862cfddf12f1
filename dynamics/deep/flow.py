"""Eqn 6 for networks of any depth on given samples: with per-sample modulation (exact), or closed by separation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np

from dynamics.arrays import Array
from dynamics.boundary import checked
from dynamics.deep.closure import closed, relative_errors
from dynamics.deep.observables import (
    balance_drift,
    block_norms,
    correlations,
    hidden_moments,
    mean_best_correlations,
)
from dynamics.deep.problem import DeepProblem
from dynamics.deep.sample_means import (
    kernel_means,
    loss_and_descent,
    modulation_elements,
    modulation_means,
    over_samples,
)
from dynamics.deep.weights import Weights
from dynamics.geometry.columns import directions
from dynamics.ode.flow import Flow
from dynamics.validation import one_of

Modulation = Literal["per_sample", "separated"]


class DeepFlow(Flow):
    """Eqn 6 on given samples: ``W_l' = L*_l W*_l H*_{l+1}^T - L_l W_l H_{l+1}`` for l = 0 .. L-1.

    The field is piecewise smooth: it jumps by O(1/N) where a sample crosses the gate of a node, and methods of high
    order reject their steps at every jump. ``integrate(method="auto")`` takes
    :class:`~dynamics.ode.steppers.heun_descent.HeunDescent` here, whose steps are controlled by the loss. Measured on
    100 samples and a student 6-8-10-3: for the loss within 0.2 % along the run DOP853 needs more than ten times its
    evaluations (tests/test_dynamics/deep/test_gates_and_steps.py); RK45 is as cheap as HeunDescent at rtol 1e-3
    to 1e-4, and dearer at tighter tolerances.

    Args:
        problem: teacher, start and samples; nothing is assumed of the samples.
        modulation: ``"per_sample"`` takes the expectation of the whole product, with beta of every sample; this is
            Theorem 1 averaged and *is* the full-batch gradient flow of ``J = 1/2 E||f* - f||^2``. ``"separated"`` is
            Eqn 6 as a closed system (:func:`dynamics.deep.closure.closed`).
        projected: keep the fan-ins of hidden nodes at unit norm by P_perp; the top layer is free (two layers:
            Theorem 5's flow). Constant nodes of biased problems do not move in either case.
        watch_gaps: observe what the separation leaves out.

    State: W0, W1, .., ``(..., n_l, n_{l+1})`` each; arrays of their own, since layers differ in width. Observables,
    layers from the bottom up:

        loss (...)
        mean_best_correlation (..., hidden_layer)   over a layer's teachers, of the best student's correlation
        block_norm (..., layer, below, above)       see :func:`~dynamics.deep.observables.block_norms`
        balance_drift (..., hidden_layer)           zero in the exact unprojected flow
        field_gap (..., layer)                      with ``watch_gaps``: relative error of W_l', of what may move of it
        beta_gap, beta_teacher_gap (..., hidden_layer)      of E[beta_l] and E[beta*_l]; NaN where these are zero

    Raises:
        TypeError: another problem.
        ValueError: an unknown modulation; hidden fan-ins that are not unit where projected.
    Cost: an evaluation takes O(N sum n_l n_{l+1}), separated O(N sum n_l (n_l + m_l)); the gaps, once a row of output,
        O(N C sum n_l n_{l+1}). Memory for samples: 16 MiB (:data:`dynamics.deep.sample_means.CHUNK_ELEMENTS`), never
        samples x n x n; separated O(sum n_l (n_l + m_l)) more.
    Source: Luck Matters, Theorems 1 and 2.
    """

    discontinuous = True
    """The field jumps: see :func:`dynamics.ode.steppers.method_choice.choose_method`."""

    @checked
    def __init__(
        self,
        problem: DeepProblem,
        modulation: Modulation = "per_sample",
        *,
        projected: bool = False,
        watch_gaps: bool = True,
    ) -> None:
        if not isinstance(problem, DeepProblem):
            raise TypeError(f"problem: expected a DeepProblem, got {type(problem).__name__}")
        one_of("modulation", modulation, get_args(Modulation))
        if projected:
            problem.require_unit_columns()
        self.problem = problem
        self.modulation = modulation
        self.projected = projected
        self.watch_gaps = watch_gaps

    def _told(self) -> str:
        return repr(self.problem)

    @property
    def dimensions(self) -> Mapping[str, tuple[str, ...]]:
        """Names of the trailing axes of states and observables."""
        depth = self.problem.depth
        nodes = ["input", *(f"node_{layer}" for layer in range(1, depth)), "output"]
        return {
            **{f"W{level}": (nodes[level], nodes[level + 1]) for level in range(depth)},
            "loss": (),
            "mean_best_correlation": ("hidden_layer",),
            "balance_drift": ("hidden_layer",),
            "block_norm": ("layer", "below", "above"),
            "field_gap": ("layer",),
            "beta_gap": ("hidden_layer",),
            "beta_teacher_gap": ("hidden_layer",),
        }

    @property
    def coordinates(self) -> Mapping[str, tuple[str, Any]]:
        """The l of W_l along ``layer``, numbers of hidden layers along ``hidden_layer``, and which nodes are lucky."""
        depth = self.problem.depth
        return {
            "layer": ("layer", np.arange(depth)),
            "hidden_layer": ("hidden_layer", np.arange(1, depth)),
            "below": ("below", ["lucky", "unlucky"]),
            "above": ("above", ["lucky", "unlucky"]),
        }

    @property
    def initial_arrays(self) -> Mapping[str, Array]:
        """The student's weight matrices."""
        return _named(self.problem.student)

    def weights(self, y: Array) -> Weights:
        """W_0 .. W_{L-1} of a flat state; unit fan-ins of hidden nodes where the flow is projected."""
        found = tuple(self.unpack(y).values())
        if not self.projected:
            return found
        return (*(directions(f"W{level}", W).unit for level, W in enumerate(found[:-1])), found[-1])

    def __call__(self, t: float, y: Array) -> Array:
        weights = self.weights(y)
        term = loss_and_descent if self.modulation == "per_sample" else kernel_means
        means = over_samples(self.problem, weights, term)[0]
        field = means[1:] if self.modulation == "per_sample" else closed(self.problem, weights, means).field
        return self._packed_field(y, self._constrained(weights, field))

    def with_loss(self, t: float, y: Array) -> tuple[Array, Array, Array]:
        """``(y', J, dJ/dt)`` with ``dJ/dt = <grad J, y'>``: ``-||grad J||^2`` with per-sample modulation.

        Returns:
            The flat derivative, and the losses and their slopes, ``(...)`` over the ensemble.
        Cost: as an evaluation; separated, twice that.
        """
        weights = self.weights(y)
        terms = (loss_and_descent,) if self.modulation == "per_sample" else (loss_and_descent, kernel_means)
        (loss, *steepest), *means = over_samples(self.problem, weights, *terms)
        field = closed(self.problem, weights, means[0]).field if means else steepest
        constrained = self._constrained(weights, field)
        slope = -sum((a * b).sum(axis=(-2, -1)) for a, b in zip(steepest, constrained, strict=True))
        return self._packed_field(y, constrained), loss, np.asarray(slope)

    def _constrained(self, weights: Weights, field: Sequence[Array]) -> list[Array]:
        """The field without its parts along what is kept: constant nodes, and norms where projected."""
        found = list(field)
        for level, W in enumerate(weights[:-1]):
            if self.projected:
                found[level] = directions(f"W{level}", W).tangent(found[level])
            if self.problem.biased:
                found[level][..., -1] = 0.0
        return found

    def _packed_field(self, y: Array, field: list[Array]) -> Array:
        """Flat field. Off unit columns it is scaled by their norms, so that a drift of norms does not turn a column."""
        if self.projected:
            state = list(self.unpack(y).values())
            for level, W in enumerate(state[:-1]):
                field[level] = field[level] * directions(f"W{level}", W).norms[..., None, :]
        return self.pack(_named(field))

    def observables(self, y: Array) -> dict[str, Array]:
        """See the class."""
        problem, weights = self.problem, self.weights(y)
        terms = (
            loss_and_descent,
            hidden_moments,
            *((kernel_means, modulation_means) if self.watch_gaps else ()),
        )
        extra = modulation_elements(problem) if self.watch_gaps else 0
        (loss, *steepest), moments, *rest = over_samples(problem, weights, *terms, extra=extra)
        rho = correlations(moments)
        watched = {
            "loss": np.asarray(loss),
            "mean_best_correlation": mean_best_correlations(rho),
            "block_norm": block_norms(problem, weights, rho),
            "balance_drift": balance_drift(problem, weights),
        }
        if self.watch_gaps:
            means, exact = rest
            closure = closed(problem, weights, means)
            moves = (self._constrained(weights, field) for field in (steepest, closure.field))
            watched["field_gap"] = relative_errors(*moves)
            watched["beta_gap"] = relative_errors(exact[0::2], closure.beta)
            watched["beta_teacher_gap"] = relative_errors(exact[1::2], closure.beta_teacher)
        return watched

    def equilibrium(self) -> Array:
        """Flat state of a solution: paired nodes at the teacher (:meth:`DeepProblem.paired_nodes`).

        The other nodes keep their fan-ins, and their fan-outs to paired nodes are zero.

        Raises:
            ValueError: a hidden layer has fewer students than teachers.
        """
        problem, found = self.problem, []
        for level, (own, theirs) in enumerate(zip(problem.student, problem.teacher, strict=True)):
            rows, columns = problem.paired_nodes(level), problem.paired_nodes(level + 1)
            W = own.copy()
            W[..., columns] = 0.0
            W[..., rows[:, None], columns] = theirs
            found.append(W)
        return self.pack(_named(found))

    def problem_description(self) -> dict[str, Any]:
        """Teacher, start and samples; :meth:`DeepProblem.from_description` makes the problem of it again."""
        return self.problem.description()

    def configuration(self) -> dict[str, Any]:
        """The flow in plain data, for a result's attributes."""
        problem = self.problem
        return {
            **super().configuration(),
            "modulation": self.modulation,
            "projected": self.projected,
            "measure": repr(problem.measure),
            "teacher_widths": list(problem.teacher_widths),
            "student_widths": list(problem.student_widths),
            "slope": problem.slope,
            "biased": problem.biased,
        }


def _named(weights: Sequence[Array]) -> dict[str, Array]:
    return {f"W{level}": W for level, W in enumerate(weights)}
