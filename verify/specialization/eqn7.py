"""Eqn 7: how fast the fan-in of a node grows."""

from __future__ import annotations

from dataclasses import replace

from verify.judging import ALGEBRA, SPECIALIZATION, Context, Evidence, Item, Source
from verify.mathematics.families.gradient_batches import (
    Batch,
    Networks,
    absolute_sums,
    farthest_off,
    homogeneous,
)
from verify.specialization import FROM_THE_TEXT, VERSION

EQN7 = Item(
    "specialization.eqn7", Source(SPECIALIZATION, "Eqn 7", FROM_THE_TEXT, version=VERSION, section="5.1")
)
EXAMPLE = Batch(samples=16, seed=1)


@EQN7.claim(
    "reading",
    expected="holds",
    on=Batch,
    assume=homogeneous,
    examples=(EXAMPLE,),
    cost=ALGEBRA.at_quick(80),
    compares=("growth of ½‖w_k‖² by automatic differentiation", "=", "E[f_k r₁ᵀ] v_k"),
)
def growth_of_a_node(batch: Batch, context: Context, *, factor: float = 1.0) -> Evidence:
    """How fast a node grows

    ½ d‖w_k‖²/dt = E_x[f_k r₁ᵀ] v_k  for ReLU and linear nodes, bias inside the norm
    """
    networks = Networks(batch)
    f, _, residual = networks.hidden()
    predicted = factor * (f * (residual @ networks.V.numpy().T)).mean(axis=0)
    W = networks.W.numpy()
    return farthest_off(
        predicted, (W * networks.flow()[0]).sum(axis=0), absolute_sums(W) * networks.rounding()
    )


growth_of_a_node.rejects("tanh, where f ≠ D wᵀx", replace(EXAMPLE, activation="tanh"))
growth_of_a_node.rejects("without the ½", EXAMPLE, factor=2.0)
growth_of_a_node.excludes("tanh nodes", replace(EXAMPLE, activation="tanh"), "ReLU or linear nodes")
growth_of_a_node.includes("linear nodes", replace(EXAMPLE, activation="linear"))
growth_of_a_node.rejects("larger by 1e-9 of itself", EXAMPLE, factor=1 + 1e-9)
