"""Eqn 8: fan-in and fan-out of a node grow alike under the gradient flow, and nearly so in finite steps."""

from __future__ import annotations

from dataclasses import replace

from verify.judging import ALGEBRA, SEARCH, SPECIALIZATION, Context, Evidence, Item, Source
from verify.mathematics.families.gradient_batches import (
    EPS,
    Batch,
    Networks,
    absolute_sums,
    descents,
    farthest_off,
    homogeneous,
    stable_descent,
)
from verify.specialization import FROM_THE_TEXT, VERSION

EQN8 = Item(
    "specialization.eqn8", Source(SPECIALIZATION, "Eqn 8", FROM_THE_TEXT, version=VERSION, section="5.1")
)
EXAMPLE = Batch(samples=16, seed=1)
DESCENT = replace(EXAMPLE, steps=100)


@EQN8.claim(
    "reading",
    expected="holds",
    on=Batch,
    assume=homogeneous,
    examples=(EXAMPLE,),
    cost=ALGEBRA.at_quick(80),
    compares=("growth of ½‖v_k‖²", "=", "growth of ½‖w_k‖²"),
)
def norms_grow_alike(
    batch: Batch, context: Context, *, with_bias: bool = True, factor: float = 1.0
) -> Evidence:
    """Fan-in and fan-out of a node grow alike

    d‖v_k‖²/dt = d‖w_k‖²/dt  under gradient flow

    Exact at every instant of the gradient flow, on any batch. ‖w_k‖² includes b_k², the output bias belongs
    to neither side. So ‖w_k‖² − ‖v_k‖² keeps its initial value, and a node that starts small stays balanced.
    """
    networks = Networks(batch)
    (for_W, for_V), W, V = networks.flow(), networks.W.numpy(), networks.V.numpy()
    rows = slice(None) if with_bias else slice(-1)
    fan_in, fan_out = (W * for_W)[rows].sum(axis=0), (V * for_V).sum(axis=1)
    rounding = (absolute_sums(W) + absolute_sums(V.T)) * networks.rounding()
    return farthest_off(fan_in, factor * fan_out, rounding)


norms_grow_alike.rejects("tanh", replace(EXAMPLE, activation="tanh"))
norms_grow_alike.rejects("norm of w_k without its bias", EXAMPLE, with_bias=False)
norms_grow_alike.rejects("fan-out larger by 1e-9 of itself", EXAMPLE, factor=1 + 1e-9)
norms_grow_alike.excludes("tanh nodes", replace(EXAMPLE, activation="tanh"), "ReLU or linear nodes")
norms_grow_alike.includes("linear nodes", replace(EXAMPLE, activation="linear"))


@EQN8.claim(
    "corrected",
    part="step",
    expected="holds",
    on=Batch,
    draw=descents,
    assume=stable_descent,
    examples=(DESCENT,),
    cost=SEARCH.at_quick(40),
    note="finite steps, not in the paper",
    compares=("change of ‖w_k‖² − ‖v_k‖²", "=", "η² times the summed differences of squared gradients"),
)
def imbalance_after_finite_steps(batch: Batch, context: Context, *, factor: float = 1.0) -> Evidence:
    """What a finite step does to the balance

    ‖w_k‖² − ‖v_k‖² after T steps = its start + η² Σ_t (‖∂J/∂w_k‖² − ‖∂J/∂v_k‖²)
    which is of order η at a fixed time ηT
    """
    networks = Networks(batch)
    measured, summed = networks.descend()
    size = networks.W.numpy() ** 2
    level = 1.0 + size.sum(axis=0) + (networks.V.numpy() ** 2).sum(axis=1)
    # A step rounds W, V and the exact orthogonality of the cross terms, each to the norms' last digits.
    rounding = 8 * (batch.steps + 1) * (EPS * level + batch.lr * networks.rounding() * level)
    return farthest_off(factor * summed, measured, rounding)


imbalance_after_finite_steps.rejects("drift said to be zero", DESCENT, factor=0.0)
imbalance_after_finite_steps.rejects("drift × 1.001", DESCENT, factor=1.001)
imbalance_after_finite_steps.rejects("drift × (1 + 1e-6)", DESCENT, factor=1 + 1e-6)
imbalance_after_finite_steps.excludes(
    "tanh nodes", replace(DESCENT, activation="tanh"), "ReLU or linear nodes"
)
imbalance_after_finite_steps.excludes(
    "steps so large that weights run away", replace(DESCENT, lr=10.0), "largest weight after the steps"
)
imbalance_after_finite_steps.includes("a hundred small steps", DESCENT)
imbalance_after_finite_steps.rejects("tanh", replace(DESCENT, activation="tanh"))
