"""Theorem 3: batch normalisation conserves the norm of every filter, and the three conditions it needs for that."""

from __future__ import annotations

import dataclasses

import hypothesis.strategies as st
import numpy as np
import torch
from matplotlib.figure import Figure

from nets.matrix_form.normalised import PLACEMENTS, normalisation_variance
from verify.judging import (
    LUCK_MATTERS,
    Assumption,
    Budget,
    Context,
    Control,
    Cost,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
    Verdict,
)
from verify.mathematics.normalised_training import Training, flow_rates, trained
from verify.mathematics.precise.normalised import radial_drift


def alive(training: Training) -> tuple[Assumption, ...]:
    """sigma > 0 at every normalised node, above what rounding would fake.

    At sigma > 1e-4 |f| the rounding bounds, which are of first order in EPS |f| / sigma, neglect 1e-10 of themselves.
    """
    student, (x, _) = training.student(), training.batch()
    with torch.no_grad():
        fed = student.traced(x)[1]
    ratio = min(float((normalisation_variance(f).sqrt() / (f.abs().amax(dim=0) + 1e-300)).min()) for f in fed)
    return (Assumption("σ > 0 at every node", ratio - 1e-4),)


# As printed


def printed_evidence(training: Training, context: Context) -> Evidence:
    """||w_j|| before and after training, or its rate where lr = 0, relative to the rounding."""
    if training.lr == 0:
        blocks = flow_rates(training)
        worst = max(float((block.weight.abs() / block.rounding).max()) for block in blocks)
        return Evidence.at_most(
            worst, bound=0.0, tolerance=1.0, fastest=max(float(b.weight.abs().max()) for b in blocks)
        )
    growth, _, rounding = trained(training)
    return Evidence.at_most(
        float((growth.abs() / rounding).max()), bound=0.0, tolerance=1.0, growth=float(growth.max())
    )


def confirm(training: Training) -> Evidence:
    """With 40 digits and without back-propagation; see theorem3_exact."""
    return Evidence.at_most(float(radial_drift(training)), bound=0.0, tolerance=1e-25)


# A finite step


def step_evidence(training: Training, context: Context, factor: float = 1.0) -> Evidence:
    """||w_T||^2 - ||w_0||^2 against the sum of lr^2 ||grad||^2."""
    growth, summed, rounding = trained(training)
    error = (growth - factor * summed).abs() / rounding
    at = int(error.argmax())
    return Evidence(
        predicted=float(summed[at]),
        measured=float(growth[at]),
        margin=float(1 - error[at]) * float(rounding[at]),
        tolerance=float(rounding[at]),
    )


# eps and biases


def eps_evidence(training: Training, context: Context, factor: float = 1.0) -> Evidence:
    """d||(w_j, b_j)||^2/dt against ``eps/(sigma^2 + eps) d(c0^2)/dt``, every node of every block."""
    worst = (-float("inf"), 0.0, 0.0, 0.0)
    for block in flow_rates(training):
        total = block.weight + block.bias
        predicted = factor * training.eps / (block.variance + training.eps) * block.scale
        error = (total - predicted).abs() / block.rounding
        at = int(error.argmax())
        worst = max(
            worst, (float(error[at]), float(predicted[at]), float(total[at]), float(block.rounding[at]))
        )
    share, claimed, measured, allowed = worst
    return Evidence(predicted=claimed, measured=measured, margin=(1 - share) * allowed, tolerance=allowed)


def bias_evidence(training: Training, context: Context) -> Evidence:
    """bn_relu: the bias's gradient is zero. relu_bn: d||w||^2/dt = -d(b^2)/dt. At eps = 0."""
    worst = (-float("inf"), 0.0, 0.0, 0.0)
    for block in flow_rates(training):
        still = training.placement == "bn_relu"
        measured = block.bias if still else block.weight
        predicted = torch.zeros_like(measured) if still else -block.bias
        error = (measured - predicted).abs() / block.rounding
        at = int(error.argmax())
        worst = max(
            worst, (float(error[at]), float(predicted[at]), float(measured[at]), float(block.rounding[at]))
        )
    share, claimed, found, allowed = worst
    return Evidence(predicted=claimed, measured=found, margin=(1 - share) * allowed, tolerance=allowed)


def _bias_still(training: Training, context: Context) -> Evidence:
    """Altered claim: the bias gets no gradient wherever it stands."""
    blocks = flow_rates(training)
    return Evidence.at_most(
        max(float((block.bias.abs() / block.rounding).max()) for block in blocks), bound=0.0, tolerance=1.0
    )


def trainings(budget: Budget, **fixed: st.SearchStrategy[object]) -> st.SearchStrategy[Training]:
    """Both placements, one or two hidden blocks; by default no eps, no bias, gradient flow."""
    widest = 16 if budget.full else 6
    draws: dict[str, st.SearchStrategy[object]] = {
        "placement": st.sampled_from(PLACEMENTS[::-1]),
        "inputs": st.integers(1, widest),
        "hidden": st.lists(st.integers(1, widest), min_size=1, max_size=2).map(tuple),
        "outputs": st.integers(1, 3),
        "samples": st.integers(3, 64 if budget.full else 16),
        "scale": st.sampled_from([1.0, 0.1, 5.0]),
        "seed": st.integers(0, 2**16),
        **fixed,
    }
    return st.builds(Training, **draws)


def _eps_figure(verdict: Verdict) -> Figure:
    """Fastest drift of a squared norm over eps, one network in both placements."""
    figure = Figure(figsize=(5, 3.2), layout="constrained")
    axes = figure.subplots()
    sizes = np.logspace(-9, 1, 21)
    for start, label in ((_FLOW, "Linear → BN → ReLU"), (_RECTIFIED, "Linear → ReLU → BN")):
        runs = [(eps, flow_rates(dataclasses.replace(start, eps=float(eps)))) for eps in sizes]
        measured = [max(float(block.weight.abs().max()) for block in blocks) for _, blocks in runs]
        predicted = [
            max(float((eps / (block.variance + eps) * block.scale).abs().max()) for block in blocks)
            for eps, blocks in runs
        ]
        line = axes.loglog(sizes, predicted, label=f"{label}, predicted")[0]
        axes.loglog(sizes, measured, "o", ms=3, color=line.get_color())
    axes.axvline(1e-5, color="0.7", ls=":")
    axes.set(xlabel="eps (dotted: PyTorch's default)", ylabel="largest |d‖w‖²/dt|")
    axes.legend(frameon=False, fontsize=8)
    return figure


def _step_figure(verdict: Verdict) -> Figure:
    """Growth of the squared norms over 200 steps, beside the summed squares of the steps."""
    figure = Figure(figsize=(5, 3.2), layout="constrained")
    axes = figure.subplots()
    counts = [1, 2, 5, 10, 20, 50, 100, 200]
    runs = [trained(dataclasses.replace(_STEPS, steps=count)) for count in counts]
    for node in range(len(runs[0][0])):
        line = axes.loglog(counts, [float(summed[node]) for _, summed, _ in runs])[0]
        axes.loglog(counts, [float(growth[node]) for growth, _, _ in runs], "o", ms=3, color=line.get_color())
    axes.set(
        xlabel="steps T (step size 0.1)",
        ylabel="‖w_j‖² − ‖w_j(0)‖²",
        title="points: measured, lines: η² Σ ‖∇‖²",
    )
    return figure


_FLOW = Training(inputs=4, hidden=(5, 3), outputs=2, samples=16, seed=1)
_RECTIFIED = dataclasses.replace(_FLOW, placement="relu_bn")
_WITH_EPS = dataclasses.replace(_FLOW, eps=1e-5)
_LARGE_EPS = dataclasses.replace(_RECTIFIED, eps=0.1, biased=True)
_BIASED = dataclasses.replace(_RECTIFIED, biased=True)
_STEPS = dataclasses.replace(_FLOW, lr=0.1, steps=200)
# Two narrow blocks, the upper one fed nearly the same number by every sample: |f| / sigma multiplies the rounding.
_NARROW = Training(hidden=(1, 1), inputs=6, samples=3, scale=0.1, seed=20426)
_NARROW_BIASED = Training(hidden=(1, 1), inputs=9, samples=3, biased=True)
_NARROW_EPS = Training("relu_bn", 1e-8, True, hidden=(1, 1), inputs=5, samples=3, seed=1202)
_SOURCE = Source(LUCK_MATTERS, "Theorem 3, Eqn 17")
_EXAMPLES = Cost(60, 600, 10_000)

PRINTED = Statement(
    key="luckmatters.theorem3",
    form=Form.PRINTED,
    title="The norm of a filter is conserved in training",
    claim="‖w_j‖ before BN remains constant in training;  Linear → ReLU → BN and Linear → BN → ReLU",
    source=_SOURCE,
    expected=Outcome.REFUTED,
    instance_type=Training,
    instances=lambda budget: trainings(
        budget,
        eps=st.sampled_from([0.0, 1e-5, 0.1]),
        biased=st.booleans(),
        lr=st.sampled_from([0.0, 0.1]),
    ),
    assumptions=alive,
    evidence=printed_evidence,
    confirm=confirm,
    controls=(
        Control("eps = 1e-5, torch's default", lambda context: printed_evidence(_WITH_EPS, context)),
        Control("a bias, Linear → ReLU → BN", lambda context: printed_evidence(_BIASED, context)),
        Control("200 steps of 0.1", lambda context: printed_evidence(_STEPS, context)),
        Control("none of the three", lambda context: printed_evidence(_FLOW, context), must_hold=True),
    ),
    cost=Cost(60, 200, 1000),
    remark="Three conditions are not printed, each a statement of its own below: eps = 0 (theorem3.eps), no bias or "
    "the bias inside the norm (theorem3.bias), and infinitely small steps of plain gradient descent (theorem3.step).",
)

CONSERVED = Statement(
    key="luckmatters.theorem3",
    form=Form.CORRECTED,
    title="The norm of a filter is conserved by the gradient flow at eps = 0",
    claim="d‖w_j‖²/dt = 0  under gradient flow at eps = 0 without biases;  both placements, any depth",
    source=dataclasses.replace(_SOURCE, note="conditions added"),
    expected=Outcome.HOLDS,
    instance_type=Training,
    instances=trainings,
    assumptions=alive,
    evidence=printed_evidence,
    controls=(
        Control("eps = 1e-5", lambda context: printed_evidence(_WITH_EPS, context)),
        Control("a bias, Linear → ReLU → BN", lambda context: printed_evidence(_BIASED, context)),
    ),
    examples=(_FLOW, _RECTIFIED, _NARROW),
    cost=_EXAMPLES,
    remark="Holds because scaling a filter does not change the network; the running statistics of evaluation mode, "
    "weight decay, and optimisers other than plain gradient descent break it as well.",
)

WITH_EPS = Statement(
    key="luckmatters.theorem3.eps",
    form=Form.CORRECTED,
    title="What eps does to the norm: energy is exchanged with BN's scale",
    claim="d‖(w_j, b_j)‖²/dt = eps/(σ_j² + eps) · d(c₀ⱼ²)/dt  under gradient flow, both placements",
    source=dataclasses.replace(_SOURCE, note="eps term added"),
    expected=Outcome.HOLDS,
    instance_type=Training,
    instances=lambda budget: trainings(
        budget, eps=st.sampled_from([1e-8, 1e-5, 1e-3, 0.1, 1.0]), biased=st.booleans()
    ),
    assumptions=alive,
    evidence=eps_evidence,
    controls=(
        Control("drift said to be zero", lambda context: eps_evidence(_LARGE_EPS, context, factor=0.0)),
        Control("drift × 1.001", lambda context: eps_evidence(_LARGE_EPS, context, factor=1.001)),
    ),
    examples=(_WITH_EPS, _LARGE_EPS, dataclasses.replace(_FLOW, eps=1.0), _NARROW_EPS),
    figure=_eps_figure,
    cost=_EXAMPLES,
    remark="Not in the paper. The drift is O(eps/σ²) and its sign is that of the growth of the learnable scale c₀: "
    "it vanishes where ∂J/∂c₀ = 0. Small filters drift fastest, since σ² falls with ‖w‖².",
)

BIAS_PRINTED = Statement(
    key="luckmatters.theorem3.bias",
    form=Form.PRINTED,
    title="The norm without the bias, in a layer that has one",
    claim="‖w_j‖ is conserved in Linear → ReLU → BN with a bias, at eps = 0 under gradient flow",
    source=dataclasses.replace(_SOURCE, note="read for layers with biases, as in Fig. 6"),
    expected=Outcome.REFUTED,
    instance_type=Training,
    instances=lambda budget: trainings(budget, placement=st.just("relu_bn"), biased=st.just(True)),
    assumptions=alive,
    evidence=printed_evidence,
    confirm=confirm,
    controls=(
        Control("a bias before the ReLU", lambda context: printed_evidence(_BIASED, context)),
        Control(
            "a bias before the BN has no gradient",
            lambda context: printed_evidence(dataclasses.replace(_FLOW, biased=True), context),
            must_hold=True,
        ),
    ),
    cost=Cost(60, 200, 1000),
    remark="The proof sums w_jk f_k over the children and calls the sum f_j^lin; with a bias that is w_jᵀf + b_j.",
)

BIAS = Statement(
    key="luckmatters.theorem3.bias",
    form=Form.CORRECTED,
    title="The bias belongs to the conserved norm",
    claim="Linear → ReLU → BN: d‖w_j‖²/dt = −d(b_j²)/dt, so ‖(w_j, b_j)‖ is conserved\n"
    "Linear → BN → ReLU: ḃ_j = 0.   At eps = 0 under gradient flow",
    source=dataclasses.replace(_SOURCE, note="bias added"),
    expected=Outcome.HOLDS,
    instance_type=Training,
    instances=lambda budget: trainings(budget, biased=st.just(True)),
    assumptions=alive,
    evidence=bias_evidence,
    controls=(
        Control(
            "bias said to stand still in Linear → ReLU → BN",
            lambda context: _bias_still(_BIASED, context),
        ),
        Control(
            "eps = 0.1 (Linear → ReLU → BN)",
            lambda context: bias_evidence(dataclasses.replace(_BIASED, eps=0.1), context),
        ),
    ),
    examples=(_BIASED, dataclasses.replace(_FLOW, biased=True), _NARROW_BIASED),
    cost=_EXAMPLES,
    remark="In Linear → BN → ReLU the mean takes the bias out again (for every eps), which is why such layers are "
    "built without one.",
)

STEP = Statement(
    key="luckmatters.theorem3.step",
    form=Form.CORRECTED,
    title="Every step of gradient descent lengthens a filter",
    claim="‖w_j‖² after T steps = ‖w_j‖² + η² Σ_t ‖∇_j J_t‖²   at eps = 0, no bias before a ReLU",
    source=dataclasses.replace(_SOURCE, note="finite steps"),
    expected=Outcome.HOLDS,
    instance_type=Training,
    instances=lambda budget: trainings(
        budget,
        lr=st.sampled_from([1e-3, 1e-2, 0.1]),
        steps=st.integers(1, 200 if budget.full else 30),
    ),
    assumptions=alive,
    evidence=step_evidence,
    controls=(
        Control("norm said to be conserved", lambda context: step_evidence(_STEPS, context, factor=0.0)),
        Control("growth × 1.001", lambda context: step_evidence(_STEPS, context, factor=1.001)),
        Control(
            "a bias before the ReLU",
            lambda context: step_evidence(
                dataclasses.replace(_STEPS, placement="relu_bn", biased=True), context
            ),
        ),
    ),
    examples=(_STEPS, dataclasses.replace(_STEPS, placement="relu_bn", steps=50)),
    cost=Cost(40, 200, 2000),  # it trains networks
    figure=_step_figure,
    remark="The gradient is orthogonal to the filter, so a step is the long side of a right triangle. Norms only "
    "grow, and the angle turned by a step, η‖∇‖/‖w‖ with ‖∇‖ ∝ 1/‖w‖, falls: a built-in decay of the learning rate.",
)
