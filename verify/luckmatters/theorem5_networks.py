"""Theorem 5, sharp, on really trained networks: W and V learned, irrelevant nodes beside the relevant ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from hypothesis import strategies as st

from dynamics.arrays import Array
from dynamics.geometry.columns import unit_columns
from dynamics.two_layer import teachers
from dynamics.two_layer.flows import TwoLayerFlow
from dynamics.two_layer.linearization import spectral_rate
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import (
    SEED,
    Assumption,
    Budget,
    Context,
    Cost,
    Evidence,
    Instance,
    OneOf,
    fixed,
    integers,
    reals,
)
from verify.luckmatters.theorem5 import THEOREM5
from verify.mathematics.late_training import Training, Window, train_late, window_of
from verify.mathematics.tangent_modes import Modes, modes_of, settled
from verify.mathematics.tangent_network import TangentNetwork
from verify.mathematics.trained_rates import (
    RateComparison,
    compare_rates,
    judge_rate,
    rate_assumptions,
    require_isolated,
)


@dataclass(frozen=True)
class OverparameterisedNetworks(Instance):
    """``networks`` students with m relevant and r irrelevant nodes and c outputs, W and V trained on samples.

    Nodes are ``orthonormal``, of the authors' discrete entries (``separated``) or ``random``. ``size``: largest
    deviation of a relevant column (radians) or fan-out at the start; ``r_fan_out``: that of an irrelevant fan-out.
    ``settled``, ``share``, ``batch``: as for Theorem 4's networks.
    """

    m: int = fixed(1, integers(1, 50))
    r: int = fixed(1, integers(0, 50))
    c: int = fixed(1, integers(1, 50))
    d: int = fixed(2, integers(2, 200))
    nodes: str = fixed("orthonormal", OneOf(("orthonormal", "separated", "random")))
    size: float = fixed(1e-6, reals(1e-8, 0.5))
    r_fan_out: float = fixed(1e-6, reals(1e-8, 1.5))
    settled: float = fixed(3.0, reals(0.0, 8.0))
    share: float = fixed(0.2, reals(1e-3, 0.9))
    batch: int = fixed(256, integers(16, 2**16))
    networks: int = fixed(16, integers(8, 1024))
    seed: int = fixed(0, SEED)

    def impossible(self) -> str:
        if self.nodes == "orthonormal" and self.d < self.m + self.r:
            return "expected d >= m + r for orthonormal nodes"
        if self.nodes == "separated" and self.d <= 3 and self.m + self.r > 8:
            return "expected at most 8 separated nodes in two or three dimensions"
        return ""


DRAWS = {"orthonormal": teachers.orthonormal, "separated": teachers.separated, "random": teachers.random_unit}


def _rng(instance: OverparameterisedNetworks, purpose: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence((instance.seed, 50 + purpose)))


@lru_cache(maxsize=256)
def solution_of(instance: OverparameterisedNetworks) -> tuple[TeacherStudent, TangentNetwork, Modes]:
    """One network at the solution with its irrelevant columns where they start, its linearisation, and the modes."""
    rng, m, c = _rng(instance, 0), instance.m, instance.c
    nodes = DRAWS[instance.nodes](instance.d, m + instance.r, rng)
    draw = teachers.orthonormal if c >= m else teachers.random_unit
    teacher_V = draw(c, m, rng).T
    V = np.concatenate([teacher_V, np.zeros((instance.r, c))])
    problem = TeacherStudent(nodes[:, :m], nodes, teacher_V, V)
    tangent = TangentNetwork.at_solution(problem, nodes, V, trains_V=True)
    return problem, tangent, modes_of(tangent, _rng(instance, 1))


def training_of(instance: OverparameterisedNetworks) -> Training:
    """The step in units of time, and the batch."""
    return Training(instance.share / solution_of(instance)[2].largest, instance.batch, trains_V=True)


def problem_of(instance: OverparameterisedNetworks) -> TeacherStudent:
    """The ensemble at its start."""
    one, tangent, modes = solution_of(instance)
    rng, S, m = _rng(instance, 2), instance.networks, instance.m
    dW, dV = (rng.standard_normal((S, *part.shape)) for part in (tangent.W, tangent.V))
    dW[..., m:] = 0.0  # an irrelevant column has nowhere to be
    step = tangent.tangent(tangent.flat(dW, dV))
    dW, dV = tangent.matrices(settled(tangent, modes, step, instance.settled))
    # The relevant nodes have one scale, so that a settled direction keeps its proportions; irrelevant fan-outs theirs.
    relevant = np.concatenate([np.linalg.norm(dW, axis=-2), np.linalg.norm(dV[:, :m], axis=-1)], axis=1)
    scale = instance.size / _largest(relevant)
    W = unit_columns(tangent.W + scale * dW)
    V = tangent.V + scale * dV
    V[:, m:] = dV[:, m:] * instance.r_fan_out / _largest(np.linalg.norm(dV[:, m:], axis=-1))
    teacher = (np.broadcast_to(part, (S, *part.shape)) for part in (one.teacher_W, one.teacher_V))
    teacher_W, teacher_V = teacher
    return TeacherStudent(teacher_W, W, teacher_V, V)


def _largest(lengths: Array) -> Array:
    """The largest length of each network, shaped to scale its matrices."""
    return np.asarray(np.maximum(lengths.max(axis=1, initial=0.0), 1e-300)[:, None, None])


def window_for(instance: OverparameterisedNetworks) -> Window:
    """The window by rule."""
    one, _, modes = solution_of(instance)
    start = max(instance.size, instance.r_fan_out if instance.r else 0.0)
    return window_of(one, modes, training_of(instance), instance.networks, start)


def assumptions(instance: OverparameterisedNetworks) -> tuple[Assumption, ...]:
    """A batch that tames the noise, and enough samples to see 3 %."""
    modes = solution_of(instance)[2]
    return rate_assumptions(modes, training_of(instance), window_for(instance), instance.networks)


@lru_cache(maxsize=64)
def compared(instance: OverparameterisedNetworks, device: str, seed: int) -> tuple[RateComparison, float]:
    """The trained networks' rate beside the prediction, and the spectral rate where irrelevant columns started.

    Each network is linearised where its own irrelevant columns stand when it is late.
    """
    require_isolated(solution_of(instance)[2], free=instance.r * (instance.d - 1))
    problem, training = problem_of(instance), training_of(instance)
    seeds = np.random.SeedSequence((seed, instance.seed, 5))
    run = train_late(problem, training, window_for(instance), seeds, device)
    flow = TwoLayerFlow(problem)
    copies = (instance.networks, 1, 1)
    W, V = (np.broadcast_to(x, (*copies[:1], *x.shape[-2:])) for x in (run.tangent.W, run.tangent.V))
    rates = np.asarray(spectral_rate(flow, flow.pack({"W": W, "V": V})))
    rng = np.random.default_rng(seeds.spawn(1)[0])
    return compare_rates(problem, run, rates, training, rng), solution_of(instance)[2].rate


def ensembles(budget: Budget) -> st.SearchStrategy[OverparameterisedNetworks]:
    """One to three relevant and none to three irrelevant nodes, up to ten in thirty dimensions from ``full`` on."""

    def sizes() -> Iterator[tuple[int, int, int, int]]:
        yield from ((1, 1, 1, 3), (1, 1, 2, 4), (2, 1, 2, 5), (2, 2, 3, 6), (1, 2, 2, 4), (2, 0, 2, 4))
        if budget.full:
            yield from ((3, 2, 4, 6), (3, 3, 3, 8), (5, 5, 5, 12), (4, 6, 4, 10), (10, 10, 10, 30))

    def of_size(size: tuple[int, int, int, int]) -> st.SearchStrategy[OverparameterisedNetworks]:
        m, r, c, d = size
        return st.builds(
            OverparameterisedNetworks,
            m=st.just(m),
            r=st.just(r),
            c=st.just(c),
            d=st.just(d),
            nodes=st.sampled_from(("orthonormal", "separated", "random")),
            size=st.sampled_from((1e-6, 1e-4, 0.01, 0.1)),
            r_fan_out=st.sampled_from((1e-6, 1e-4, 0.01, 0.1)),
            settled=st.sampled_from((3.0, 1.0)),
            share=st.sampled_from((0.4, 0.2, 0.6, 0.1) if budget.full else (0.4, 0.2, 0.6)),
            batch=st.sampled_from((512, 256, 1024)),
            networks=st.sampled_from((32, 16, 64)),
            seed=st.integers(0, 2**16),
        )

    return st.sampled_from(tuple(sizes())).flatmap(of_size)


SMALL = OverparameterisedNetworks(m=2, r=2, c=3, d=6, size=0.01, r_fan_out=0.01, batch=512, networks=32)
DRIFTING = OverparameterisedNetworks(
    r=2, c=2, d=6, size=0.2, r_fan_out=0.8, settled=0.0, share=0.4, batch=512, networks=32, seed=3
)


@THEOREM5.claim(
    "sharp",
    part="networks",
    expected="observed",
    population="ensembles of over-parameterised networks with drawn nodes, fan-outs, step and batch",
    on=OverparameterisedNetworks,
    draw=ensembles,
    assume=assumptions,
    examples=(SMALL, DRIFTING),
    cost=Cost(8, 200, 1000),
    compares=("mean late rate of the networks", "≈", "rate of the linear map at this lr and batch"),
    note="the rate is our own",
)
def networks_decay_at_the_predicted_rate(
    instance: OverparameterisedNetworks,
    context: Context,
    *,
    stretch: float = 1.0,
    columns_at_the_start: bool = False,
) -> Evidence:
    """Over-parameterised networks decay at the predicted late rate

    mean of −Δ log ‖(sin θ, δv, v_r)‖ / Δt = −log(1 − lr λ) / lr + what faster modes add + what sampling adds,
    within z predicted standard errors and the bound of what is left out;
    λ = smallest eigenvalue, flat ones left out, of
      H = E[Φᵀ Φ],  Φ = {1[w_jᵀx > 0] v_j ⊗ P⊥_{w_j} x, relu(w_jᵀx) e_i}  at  (W*, W_r; V*, 0)

    W and V are trained. Irrelevant columns move until their fan-outs are gone, and stay where they then are: each
    network is linearised at its own. A rate that is 3 % off is rejected.
    """
    found, at_start = compared(instance, context.device, context.seed)
    found = found.stretched(stretch * (at_start / found.spectral if columns_at_the_start else 1.0))
    details = {"spectral rate where irrelevant columns start": at_start}
    return judge_rate(found, context, instance.networks, details)


networks_decay_at_the_predicted_rate.rejects("the predicted rate × 1.03", SMALL, stretch=1.03)
networks_decay_at_the_predicted_rate.rejects("the predicted rate × 0.97", SMALL, stretch=0.97)
networks_decay_at_the_predicted_rate.rejects(
    "the rate where irrelevant columns started, not where they ended", DRIFTING, columns_at_the_start=True
)
networks_decay_at_the_predicted_rate.excludes(
    "too few samples to see 3 %", replace(SMALL, batch=16, networks=8, share=0.9), "band of sampling errors"
)
networks_decay_at_the_predicted_rate.excludes(
    "a small batch in many dimensions", replace(SMALL, batch=16, share=0.9, d=60), "lr tr H / B"
)
networks_decay_at_the_predicted_rate.includes("just enough samples", SMALL)
