"""Eqn 6 for networks of any depth on given samples: with per-sample modulation (exact), or closed by separation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np

from dynamics.arrays import Array
from dynamics.deep.closure import closed, gaps
from dynamics.deep.observables import balance_drift, block_norms, correlations, hidden_moments, mean_best
from dynamics.deep.problem import DeepProblem, Weights
from dynamics.deep.sample_means import descent, kernels, modulation_elements, modulations, over_samples
from dynamics.geometry.columns import directions
from dynamics.ode.flow import Flow
from dynamics.validation import one_of

Modulation = Literal["per_sample", "separated"]


class DeepFlow(Flow):
    """``W_l' = L*_l W*_l H*_{l+1}^T - L_l W_l H_{l+1}`` for l = 0 .. L-1, over an ``EmpiricalMeasure``.

    ``modulation="per_sample"``: the expectation is taken of the whole product, with beta of every sample; this is
    Theorem 1 averaged and *is* the full-batch gradient flow of ``J = 1/2 E||f* - f||^2``. ``"separated"``: Eqn 6 as a
    closed system, ``E[beta_l] = W_l H_{l+1} W_l^T`` from the top downwards (:func:`dynamics.deep.closure.closed`); what
    this leaves out is among the observables. ``projected=True`` keeps the fan-ins of hidden nodes at unit norm by
    P_perp, the top layer is free (two layers: Theorem 5's flow). Constant nodes of biased problems do not move.

    The field is piecewise smooth: it jumps where a sample crosses the gate of a node, by O(1/N), and methods of high
    order reject their way down to every jump. ``integrate(method="auto")`` takes
    :class:`~dynamics.ode.steppers.heun_descent.HeunDescent` here, whose steps are controlled by the loss. Measured on
    100 samples and a student 6-8-10-3: for the loss within 0.2 % along the run DOP853 needs more than ten times its
    evaluations (tests/test_dynamics/deep/test_gates_and_steps.py); RK45 is as cheap at rtol 1e-3 to 1e-4, and falls
    behind below.

    State: W0, W1, .. flat in C order, ensembles on leading axes. Observables (layers from the bottom up):
    ``loss (...)``; ``mean_best_correlation (..., L-1)``; ``block_norm (..., L, 2, 2)``, see
    :func:`~dynamics.deep.observables.block_norms`; ``balance_drift (..., L-1)``, zero in the exact unprojected flow;
    and with ``watch_gaps`` the relative errors of the closure: ``field_gap (..., L)`` of W_l' (what of it may move),
    ``beta_gap``, ``beta_teacher_gap (..., L-1)`` of E[beta_l], E[beta*_l]; NaN where the exact value is zero.

    Assumes nothing of the samples. Cost of an evaluation O(N sum n_l n_{l+1}), separated O(N sum n_l (n_l + m_l));
    of the gaps, once a row of output, O(N C sum n_l n_{l+1}). Memory for samples: 16 MiB
    (:data:`dynamics.deep.sample_means.CHUNK_ELEMENTS`), never samples x n x n; separated O(sum n_l (n_l + m_l)) more.
    Raises ValueError on an unknown modulation, and on hidden fan-ins that are not unit where projected.
    Source: Luck Matters, Theorems 1 and 2.
    """

    discontinuous = True
    """The field jumps: see :func:`dynamics.ode.steppers.method_choice.choose_method`."""

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
        term = descent if self.modulation == "per_sample" else kernels
        means = over_samples(self.problem, weights, term)[0]
        field = means[1:] if self.modulation == "per_sample" else closed(self.problem, weights, means).field
        return self._packed_field(y, self._constrained(weights, field))

    def with_loss(self, t: float, y: Array) -> tuple[Array, Array, Array]:
        """``(y', J, dJ/dt)``, the last two ``(...)`` over the ensemble: what a step controlled by the loss asks for.

        ``dJ/dt = <grad J, y'>``, which is ``-||grad J||^2`` with per-sample modulation.
        Cost: as an evaluation; separated, twice that.
        """
        weights = self.weights(y)
        terms = (descent,) if self.modulation == "per_sample" else (descent, kernels)
        (loss, *steepest), *means = over_samples(self.problem, weights, *terms)
        field = closed(self.problem, weights, means[0]).field if means else steepest
        constrained = self._constrained(weights, field)
        slope = -sum((a * b).sum(axis=(-2, -1)) for a, b in zip(steepest, constrained, strict=True))
        return self._packed_field(y, constrained), loss, np.asarray(slope)

    def _constrained(self, weights: Weights, field: Sequence[Array]) -> list[Array]:
        """The field with what may not move taken out: constant nodes, and norms where projected."""
        found = list(field)
        for level, W in enumerate(weights[:-1]):
            if self.projected:
                found[level] = directions(f"W{level}", W).tangent(found[level])
            if self.problem.biased:
                found[level][..., -1] = 0.0
        return found

    def _packed_field(self, y: Array, field: list[Array]) -> Array:
        """Extended homogeneously off unit columns, so that the drift of norms leaves the directions alone."""
        if self.projected:
            state = list(self.unpack(y).values())
            for level, W in enumerate(state[:-1]):
                field[level] = field[level] * directions(f"W{level}", W).norms[..., None, :]
        return self.pack(_named(field))

    def observables(self, y: Array) -> dict[str, Array]:
        """See the class."""
        problem, weights = self.problem, self.weights(y)
        terms = (descent, hidden_moments, *((kernels, modulations) if self.watch_gaps else ()))
        extra = modulation_elements(problem) if self.watch_gaps else 0
        (loss, *steepest), moments, *rest = over_samples(problem, weights, *terms, extra=extra)
        rho = correlations(moments)
        watched = {
            "loss": np.asarray(loss),
            "mean_best_correlation": mean_best(rho),
            "block_norm": block_norms(problem, weights, rho),
            "balance_drift": balance_drift(problem, weights),
        }
        if self.watch_gaps:
            means, exact = rest
            closure = closed(problem, weights, means)
            moves = (self._constrained(weights, field) for field in (steepest, closure.field))
            watched["field_gap"] = gaps(*moves)
            watched["beta_gap"] = gaps(exact[0::2], closure.beta)
            watched["beta_teacher_gap"] = gaps(exact[1::2], closure.beta_teacher)
        return watched

    def equilibrium(self) -> Array:
        """Flat state of a solution: paired nodes (see ``DeepProblem.paired_nodes``) at the teacher; the others keep
        their fan-ins, and their fan-outs to paired nodes vanish.

        Raises ValueError where a hidden layer has fewer students than teachers.
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
