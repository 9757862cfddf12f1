"""Eqn 6: the two-layer gradient flow in residual form."""

from __future__ import annotations

from dataclasses import replace

from verify.judging import ALGEBRA, SPECIALIZATION, Context, Evidence, Item, Source
from verify.mathematics.families.gradient_batches import Batch, Networks, away_from_kinks, farthest_off
from verify.specialization import FROM_THE_TEXT, VERSION

EQN6 = Item(
    "specialization.eqn6", Source(SPECIALIZATION, "Eqn 6", FROM_THE_TEXT, version=VERSION, section="5")
)
EXAMPLE = Batch(samples=16, seed=1)


@EQN6.claim(
    "reading",
    expected="holds",
    on=Batch,
    assume=away_from_kinks,
    examples=(EXAMPLE, replace(EXAMPLE, activation="tanh")),
    cost=ALGEBRA.at_quick(80),
    compares=("update of w_k by automatic differentiation", "=", "E[D_k x r₁ᵀ] v_k"),
)
def residual_form(batch: Batch, context: Context, *, gated: bool = True, factor: float = 1.0) -> Evidence:
    """The two-layer gradient flow in residual form

    ẇ_k = E_x[D_k x r₁ᵀ] v_k,   r₁ = V*₁ f*₁ − V₁ f₁

    Plain back-propagation: it holds for any activation with D_k its slope, the tanh included.
    """
    networks = Networks(batch)
    _, slope, residual = networks.hidden()
    back = residual @ networks.V.numpy().T * (slope if gated else 1.0)
    predicted = factor * networks.x.numpy().T @ back / batch.samples
    return farthest_off(predicted, networks.flow()[0], networks.rounding())


residual_form.rejects("without the gate D_k", EXAMPLE, gated=False)
residual_form.rejects("larger by 1e-10 of itself", EXAMPLE, factor=1 + 1e-10)
residual_form.includes("tanh nodes, which have no kinks", replace(EXAMPLE, activation="tanh"))
