"""Eqns 6 to 8: the two-layer gradient in residual form, growth of norms, and the balance of fan-in and fan-out."""

from __future__ import annotations

import dataclasses

import hypothesis.strategies as st
import numpy as np

from dynamics.arrays import Array
from verify.judging import (
    SPECIALIZATION,
    Context,
    Control,
    Cost,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
)
from verify.mathematics.families.gradient_batches import (
    EPS,
    Batch,
    Networks,
    away_from_kinks,
    batches,
    stable_descent,
)


def _worst(predicted: Array, measured: Array, rounding: Array) -> Evidence:
    """The entry whose difference is the largest multiple of its rounding."""
    rounding = np.broadcast_to(rounding, predicted.shape)
    at = np.unravel_index(np.argmax(np.abs(predicted - measured) / rounding), predicted.shape)
    return Evidence.close(float(measured[at]), predicted=float(predicted[at]), tolerance=float(rounding[at]))


def _gradient(batch: Batch, context: Context, gated: bool = True) -> Evidence:
    """``E[D_k x r^T] v_k`` written out against autograd, every entry of W."""
    networks = Networks(batch)
    _, slope, residual = networks.hidden()
    back = residual @ networks.V.numpy().T * (slope if gated else 1.0)
    predicted = networks.x.numpy().T @ back / batch.samples
    return _worst(predicted, networks.flow()[0], networks.rounding())


def _growth(batch: Batch, context: Context, factor: float = 1.0) -> Evidence:
    """``E[f_k r^T] v_k`` against ``w_k^T w_k'`` with w_k' by autograd."""
    networks = Networks(batch)
    f, _, residual = networks.hidden()
    predicted = factor * (f * (residual @ networks.V.numpy().T)).mean(axis=0)
    W = networks.W.numpy()
    return _worst(predicted, (W * networks.flow()[0]).sum(axis=0), _length(W) * networks.rounding())


def _balance(batch: Batch, context: Context, with_bias: bool = True) -> Evidence:
    """``v_k^T v_k'`` against ``w_k^T w_k'``, both by autograd; without the bias row where asked."""
    networks = Networks(batch)
    (for_W, for_V), W, V = networks.flow(), networks.W.numpy(), networks.V.numpy()
    rows = slice(None) if with_bias else slice(-1)
    fan_in, fan_out = (W * for_W)[rows].sum(axis=0), (V * for_V).sum(axis=1)
    return _worst(fan_in, fan_out, (_length(W) + _length(V.T)) * networks.rounding())


def _length(columns: Array) -> Array:
    return np.asarray(1.0 + np.abs(columns).sum(axis=0))


def _drift(batch: Batch, context: Context, factor: float = 1.0) -> Evidence:
    """Change of ``||w_k||^2 - ||v_k||^2`` over the steps against ``lr^2 sum (||grad_w||^2 - ||grad_v||^2)``."""
    networks = Networks(batch)
    measured, summed = networks.descend()
    size = networks.W.numpy() ** 2
    level = 1.0 + size.sum(axis=0) + (networks.V.numpy() ** 2).sum(axis=1)
    # A step rounds W, V and the exact orthogonality of the cross terms, each to the norms' last digits.
    rounding = 8 * (batch.steps + 1) * (EPS * level + batch.lr * networks.rounding() * level)
    return _worst(factor * summed, measured, rounding)


_BATCH = Batch(samples=16, seed=1)
_TANH = dataclasses.replace(_BATCH, activation="tanh")
_STEPS = dataclasses.replace(_BATCH, steps=100)
_EXAMPLES = Cost(80, 500, 10_000)

EQN6 = Statement(
    key="specialization.eqn6",
    form=Form.PRINTED,
    title="The two-layer gradient flow in residual form",
    claim="ẇ_k = E_x[D_k x r₁ᵀ] v_k,   r₁ = V*₁ f*₁ − V₁ f₁",
    source=Source(SPECIALIZATION, "Eqn 6", "formula derived from the surrounding text"),
    expected=Outcome.HOLDS,
    instance_type=Batch,
    instances=batches,
    assumptions=away_from_kinks,
    evidence=_gradient,
    controls=(Control("without the gate D_k", lambda c: _gradient(_BATCH, c, gated=False)),),
    examples=(_BATCH, _TANH),
    cost=_EXAMPLES,
    remark="Plain back-propagation: it holds for any activation with D_k its slope, the tanh included.",
)

EQN7 = Statement(
    key="specialization.eqn7",
    form=Form.PRINTED,
    title="How fast a node grows",
    claim="½ d‖w_k‖²/dt = E_x[f_k r₁ᵀ] v_k  for ReLU and linear nodes, bias inside the norm",
    source=Source(SPECIALIZATION, "Eqn 7", "formula derived from the surrounding text"),
    expected=Outcome.HOLDS,
    instance_type=Batch,
    instances=batches,
    assumptions=away_from_kinks,
    evidence=_growth,
    controls=(
        Control("tanh, where f ≠ D wᵀx", lambda c: _growth(_TANH, c)),
        Control("without the ½", lambda c: _growth(_BATCH, c, factor=2.0)),
    ),
    examples=(_BATCH,),
    cost=_EXAMPLES,
)

EQN8 = Statement(
    key="specialization.eqn8",
    form=Form.PRINTED,
    title="Fan-in and fan-out of a node grow alike",
    claim="d‖v_k‖²/dt = d‖w_k‖²/dt  under gradient flow",
    source=Source(SPECIALIZATION, "Eqn 8", "formula derived from the surrounding text"),
    expected=Outcome.HOLDS,
    instance_type=Batch,
    instances=batches,
    assumptions=away_from_kinks,
    evidence=_balance,
    controls=(
        Control("tanh", lambda c: _balance(_TANH, c)),
        Control("norm of w_k without its bias", lambda c: _balance(_BATCH, c, with_bias=False)),
    ),
    examples=(_BATCH,),
    cost=_EXAMPLES,
    remark="Exact at every instant of the gradient flow, on any batch. ‖w_k‖² includes b_k², the output bias belongs "
    "to neither side. So ‖w_k‖² − ‖v_k‖² keeps its initial value, and a node that starts small stays balanced.",
)

STEP = Statement(
    key="specialization.eqn8.step",
    form=Form.CORRECTED,
    title="What a finite step does to the balance",
    claim="‖w_k‖² − ‖v_k‖² after T steps = its start + η² Σ_t (‖∂J/∂w_k‖² − ‖∂J/∂v_k‖²)\n"
    "which is of order η at a fixed time ηT",
    source=Source(SPECIALIZATION, "Eqn 8", "finite steps, not in the paper"),
    expected=Outcome.HOLDS,
    instance_type=Batch,
    instances=lambda budget: batches(
        budget, lr=st.sampled_from([1e-3, 1e-2]), steps=st.integers(1, 200 if budget.full else 30)
    ),
    assumptions=stable_descent,
    evidence=_drift,
    controls=(
        Control("drift said to be zero", lambda c: _drift(_STEPS, c, factor=0.0)),
        Control("drift × 1.001", lambda c: _drift(_STEPS, c, factor=1.001)),
        Control("tanh", lambda c: _drift(dataclasses.replace(_STEPS, activation="tanh"), c)),
    ),
    examples=(_STEPS,),
    cost=Cost(40, 200, 2000),
)
