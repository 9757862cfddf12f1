"""Lemma 1: batch normalisation sends gradients down through a projection."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np
import torch
from mpmath import mp, mpf
from torch import Tensor
from torch.nn import functional

from nets.matrix_form.normalised import NO_EPS, batchnorm_backward, normalisation_variance
from verify.judging import (
    LUCK_MATTERS,
    Assumption,
    CannotJudgeError,
    Context,
    Evidence,
    Item,
    Source,
    drawn,
    drawn_fields,
)
from verify.judging.domains import SEED, Instance, OneOf, integers, reals

LEMMA1 = Item("luckmatters.lemma1", Source(LUCK_MATTERS, "Lemma 1, Eqn 16", version="v4", section="8.3"))
EPS = float(np.finfo(np.float64).eps)
SMALLEST = 1e-280
"""Of variances and slopes: NO_EPS and the rounding bounds, some 1e-16 of them, are still normal numbers beside it."""


@dataclass(frozen=True)
class Batch(Instance):
    """Activations of one node over a batch, ``offset + spread * normal``, and a top-down gradient.

    ``rectified`` puts a ReLU before the normalisation; ``eps`` is the normalisation's own.
    """

    size: int = drawn(3, lambda budget: st.integers(2, 256 if budget.full else 64), integers(2))
    offset: float = drawn(0.0, st.floats(-3, 3), reals())
    spread: float = drawn(1.0, st.floats(0.1, 10), reals(0, low_open=True))
    scale: float = drawn(1.0, st.sampled_from([1.0, -0.5, 0.01, 4.0]), reals())
    rectified: bool = drawn(False, st.booleans(), OneOf((False, True)))
    eps: float = drawn(0.0, st.sampled_from([1e-8, 1e-5, 1e-3, 0.1, 1.0]), reals(0))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)

    def impossible(self) -> str:
        """A scale of zero passes nothing down: no multiple of its rounding can be told."""
        return "" if self.scale else "expected a scale other than 0"

    def columns(self) -> tuple[Tensor, Tensor]:
        """``f`` and ``g``, each ``(N, 1)``."""
        rng = np.random.default_rng(self.seed)
        f, g = rng.standard_normal((2, self.size, 1))
        f = self.offset + self.spread * f
        return torch.from_numpy(np.maximum(f, 0) if self.rectified else f), torch.from_numpy(g)


TORCH_DEFAULT = Batch(8, eps=1e-5)
LARGE_EPS = Batch(43, offset=0.3, spread=0.5, scale=0.01, eps=0.3, seed=666)


def spread_out(batch: Batch) -> tuple[Assumption, ...]:
    """sigma > 0: beyond what rounding of the mean would fake, relative to the largest activation."""
    f, _ = batch.columns()
    largest = float(f.abs().max())
    share = float((f / largest).std(correction=0)) if largest else 0.0
    return (Assumption.above("σ / max |f|", share, 1e-6),)


def without_eps(batch: Batch) -> tuple[Assumption, ...]:
    """The normalisation of the lemma: no eps, sigma > 0."""
    return (Assumption.equal("eps", batch.eps), *spread_out(batch))


def autograd_backward(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """``(g_f, g_c0, g_c1)`` of torch's batch normalisation in training mode."""
    f, g = batch.columns()
    f = f.clone().requires_grad_()
    c0 = torch.full((1,), batch.scale, dtype=torch.float64, requires_grad=True)
    c1 = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    out = functional.batch_norm(f, None, None, c0, c1, training=True, eps=max(batch.eps, NO_EPS))
    down = torch.autograd.grad(out, (f, c0, c1), grad_outputs=g)
    return down[0], down[1], down[2]


def rounding_of(batch: Batch) -> float:
    """Rounding of ``c0/s g``: eps per addition, and the digits lost when the mean is taken off f."""
    f, g = batch.columns()
    sigma = float(normalisation_variance(f).sqrt())
    lost = 1 + float(f.abs().max()) / sigma
    return 8 * EPS * (batch.size + 4) * lost * abs(batch.scale) / sigma * float(g.abs().max())


def require_float64_range(batch: Batch) -> None:
    """Raise CannotJudgeError where squares of the activations or the rounding itself leave float64's normal range."""
    f, _ = batch.columns()
    variance = float(normalisation_variance(f)) + batch.eps
    if not SMALLEST < variance < 1 / SMALLEST:
        raise CannotJudgeError("the variance leaves float64's range")
    slope = abs(batch.scale) / variance**0.5
    if not SMALLEST < slope < 1 / SMALLEST:
        raise CannotJudgeError("the slope scale / s leaves float64's range")


def closed_form_against_torch(batch: Batch, eps: float) -> Evidence:
    """The closed form with ``eps`` against torch with the batch's own, node by sample."""
    require_float64_range(batch)
    f, g = batch.columns()
    actual, g_c0, g_c1 = autograd_backward(batch)
    c0 = torch.full((1,), batch.scale, dtype=torch.float64)
    claimed = batchnorm_backward(f, g, c0, eps)
    s = (normalisation_variance(f) + batch.eps).sqrt()
    whitened = (f - f.mean(dim=0)) / s
    errors = [actual - claimed, g_c1 - g.sum(dim=0), g_c0 - (whitened * g).sum(dim=0)]
    allowed = rounding_of(batch)
    # The gradients of c0 and c1 are sums over the batch without the factor c0 / sigma.
    sums = allowed * float(s) / abs(batch.scale) * batch.size
    limits = (allowed, sums, sums)
    largest = max(float(error.abs().max()) / limit for error, limit in zip(errors, limits, strict=True))
    return Evidence.at_most(
        largest, bound=0.0, tolerance=1.0, mean=float(actual.mean()), along=float((actual * f).mean())
    )


@LEMMA1.claim(
    "printed",
    expected="holds",
    on=Batch,
    draw=drawn_fields(Batch, eps=st.just(0.0)),
    assume=without_eps,
    examples=(Batch(), Batch(64, rectified=True), Batch(2)),
    note="the paper's normalisation is (f − μ)/σ, without eps",
    compares=("difference of autograd and the projection, in units of its rounding bound", "≤", "one"),
)
def projects_at_eps_zero(batch: Batch, context: Context) -> Evidence:
    """Back-propagation through batch normalisation is a projection

    g_f = (c₀/σ) P⊥_{f,1} g,   g_c = [f̃, 1]ᵀ g   at eps = 0 and σ > 0

    The printed lemma: its normalisation has no eps. On a batch of two the span of f and 1 is everything: no gradient
    passes at all.
    """
    return closed_form_against_torch(batch, eps=0.0)


projects_at_eps_zero.excludes("eps = 1e-5", TORCH_DEFAULT, "eps = 0")
projects_at_eps_zero.excludes("all activations alike", Batch(8, offset=1.0, spread=1e-9), "σ / max |f|")
projects_at_eps_zero.includes("hardly any spread", Batch(8, offset=1.0, spread=1e-5))
projects_at_eps_zero.rejects("eps = 1e-11", Batch(8, eps=1e-11))
projects_at_eps_zero.rejects("eps = 1e-5, torch's default", TORCH_DEFAULT)


@LEMMA1.claim(
    "necessity",
    part="eps",
    expected="needed",
    on=Batch,
    assume=spread_out,
    examples=(TORCH_DEFAULT,),
    compares=("difference of autograd and the projection, in units of its rounding bound", "≤", "one"),
    telling=lambda batch: batch.size >= 8 and batch.eps <= 1e-3,
)
def projects(batch: Batch, context: Context) -> Evidence:
    """The projection with eps inside the square root

    g_f = (c₀/σ) P⊥_{f,1} g   asked of √(σ² + eps) in place of the lemma's σ

    The lemma's normalisation has no eps; every implementation divides by √(σ² + eps). The gradient keeps zero mean but
    is no longer orthogonal to f; the part along f is eps/(σ² + eps) of what was to be removed. PyTorch refuses eps = 0
    in training, so the lemma is checked with the smallest normal number, which rounds away beside σ².
    """
    return closed_form_against_torch(batch, eps=0.0)


@projects.confirmed_precisely(digits=50)
def in_fifty_digits(batch: Batch) -> Evidence:
    """g_f by differentiating ``<g, BN(f)>`` in each sample, against the projection, in the same units."""
    with mp.workdps(50):
        f, g = ([mpf(v) for v in column.ravel().tolist()] for column in batch.columns())

        def normalised(values: list[mpf]) -> mpf:
            mean = mp.fsum(values) / len(values)
            variance = mp.fsum((v - mean) ** 2 for v in values) / len(values)
            root = mp.sqrt(variance + mpf(batch.eps))
            return mp.fsum(w * (v - mean) for v, w in zip(values, g, strict=True)) * mpf(batch.scale) / root

        mean_f, mean_g = mp.fsum(f) / len(f), mp.fsum(g) / len(g)
        centred = [v - mean_f for v in f]
        variance = mp.fsum(v**2 for v in centred) / len(f)
        along = mp.fsum(v * w for v, w in zip(centred, g, strict=True)) / (len(f) * variance)
        largest = mpf(0)
        for i, v in enumerate(f):
            slope = mp.diff(lambda x, i=i: normalised([*f[:i], x, *f[i + 1 :]]), v)
            claimed = mpf(batch.scale) / mp.sqrt(variance) * (g[i] - mean_g - along * centred[i])
            largest = max(largest, abs(slope - claimed))
        measured = float(largest) / rounding_of(batch)
    return Evidence.at_most(measured, bound=0.0, tolerance=1.0)


projects.rejects("eps = 1", Batch(8, eps=1.0))
projects.rejects("eps = 1e-11", Batch(8, eps=1e-11))
projects.excludes("all activations alike", Batch(8, offset=1.0, spread=1e-9), "σ / max |f|")
projects.includes("hardly any spread", Batch(8, offset=1.0, spread=1e-5))
projects.accepts("eps = 0", Batch(8))
projects.errs(
    says="Lemma 1 (v4, section 8.3, Eqn 16): g_f = (c₀/σ) P⊥_{f,1} g, for a normalisation without eps.",
    true="With s² = σ² + eps, as in every implementation, g_f = (c₀/s)[P⊥g + (eps/s²) f̃⟨f̃, g⟩/N]: the gradient keeps "
    "mean zero and loses orthogonality to f (3e-7 at eps = 1e-8). At eps = 0 the lemma holds as printed.",
    impact="constant",
    matters="Theorem 3 inherits it: norms drift by O(eps/σ²).",
)


@LEMMA1.claim(
    "corrected",
    part="eps",
    expected="holds",
    on=Batch,
    assume=spread_out,
    examples=(TORCH_DEFAULT, Batch(64, rectified=True, eps=0.1), LARGE_EPS),
    note="eps term added",
    compares=("difference of autograd and the closed form, in units of its rounding bound", "≤", "one"),
)
def projects_and_adds_eps(batch: Batch, context: Context, *, share_of_eps: float = 1.0) -> Evidence:
    """Back-propagation through batch normalisation with eps

    g_f = (c₀/s) [ P⊥_{f,1} g + (eps/s²) f̃ ⟨f̃, g⟩/N ],   s² = σ² + eps,   f̃ = (f − μ)/σ

    Mean zero for every eps; ⟨g_f, f⟩ is not zero but c₀ eps/s² times the gradient of c₀.
    """
    return closed_form_against_torch(batch, share_of_eps * batch.eps)


projects_and_adds_eps.rejects("half the eps", TORCH_DEFAULT, share_of_eps=0.5)
projects_and_adds_eps.rejects("an eps 1e-6 larger", TORCH_DEFAULT, share_of_eps=1 + 1e-6)
projects_and_adds_eps.excludes("all activations alike", Batch(8, offset=1.0, spread=1e-9), "σ / max |f|")
projects_and_adds_eps.includes("hardly any spread", Batch(8, offset=1.0, spread=1e-5))
projects_and_adds_eps.rejects("the projection alone", TORCH_DEFAULT, share_of_eps=0.0)
