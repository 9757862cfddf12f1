"""The conjecture for deep networks (section 3.4): what happens to weights among lucky and irrelevant nodes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from dynamics.arrays import Array
from nets.deep.architecture import Architecture
from nets.deep.networks import DeepNetworks
from nets.deep.node_matching import block_rms, correlation, lucky_nodes, mean_best
from nets.deep.teachers import near_start, separated_teacher
from nets.deep.training.batches import FreshGaussian, gaussian_inputs
from nets.deep.training.descent import SGD
from nets.deep.training.train import train_deep
from nets.streams import network_seeds
from verify.judging import (
    LUCK_MATTERS,
    Context,
    Control,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
    Verdict,
)
from verify.mathematics.mean_over_seeds import exceeds, falls_below, weakest

SOURCE = Source(LUCK_MATTERS, "Section 3.4", "a conjecture")

EVALUATION = 2000
"""Fresh inputs on which nodes are matched by correlation."""


@dataclass(frozen=True)
class Deep:
    """Three-layer teachers of equal widths, students ``factor`` times as wide; ``luck``: see
    ``over_parameterised``."""

    d: int = 6
    width: int = 4
    factor: int = 3
    luck: float = 3.0
    networks: int = 32
    lr: float = 0.2
    steps: int = 6000
    seed: int = 0


@dataclass(frozen=True)
class Blocks:
    """What training did to blocks of weights, ``(layers, networks)`` each.

    ``vanishing``: final over initial size of the fan-outs from irrelevant to lucky nodes, ``staying``: of those among
    irrelevant nodes, ``memory``: cosine of the latter with their initial values. ``rho (networks,)``: rho-bar.
    """

    vanishing: Array
    staying: Array
    memory: Array
    rho: Array
    loss: float


@lru_cache(maxsize=8)  # the statements and their controls look at the same runs
def blocks(instance: Deep, device: str) -> Blocks:
    """Train, match the nodes of every hidden layer by correlation, and compare blocks of weights with
    their start."""
    hidden = (instance.width, instance.width)
    taught = Architecture((instance.d,), hidden, instance.width, bias=False)
    seeds = network_seeds(instance.seed, instance.networks)
    teacher = separated_teacher(taught, seeds, device=device)
    students = near_start(taught.over_parameterised(instance.factor), teacher, seeds, luck=instance.luck)
    before = students.clone()
    x = gaussian_inputs((instance.d,), seeds, EVALUATION, std=1.0, device=device)
    source = FreshGaussian(
        (instance.d,), tuple(seeds), batch_size=32, samples=32 * instance.steps // 10, std=1.0
    )
    run = train_deep(students, teacher, source, sgd=SGD(instance.lr), epochs=10, evaluation=x, record_at=[9])
    own = students.activations(x)[:-1]
    rhos = [correlation(f, taught) for f, taught in zip(own, teacher.activations(x)[:-1], strict=True)]
    lucky = [lucky_nodes(rho) for rho in rhos]
    outputs = torch.ones((instance.networks, instance.width), dtype=torch.bool, device=x.device)
    vanishing = [
        ratio(students, before, layer, ~rows, columns, own[layer - 1])
        for layer, (rows, columns) in enumerate(zip(lucky, [*lucky[1:], outputs], strict=True), start=1)
    ]
    rows, columns = ~lucky[0], ~lucky[1]
    return Blocks(
        np.stack(vanishing),
        ratio(students, before, 1, rows, columns, own[0])[None],
        memory(before.weights[1], students.weights[1], rows, columns)[None],
        torch.stack([mean_best(rho) for rho in rhos]).mean(0).cpu().numpy(),
        float(run.observables["train_loss"][-1].mean()),
    )


def ratio(
    students: DeepNetworks,
    before: DeepNetworks,
    layer: int,
    rows: torch.Tensor,
    columns: torch.Tensor,
    f: torch.Tensor,
) -> Array:
    """Final over initial size of a block, rows weighted by the rms activation of their node.

    A dead node feels no gradient: its fan-out stays where it is and feeds nothing, so it must not count.
    """
    activity = f.square().mean(dim=-2).sqrt()[..., None]
    now, then = (block_rms(net.weights[layer] * activity, rows, columns) for net in (students, before))
    return np.asarray((now / then).cpu().numpy())


def memory(W0: torch.Tensor, W: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor) -> Array:
    """Cosine between the block's initial and final entries, one a network."""
    inside = (rows[..., :, None] & columns[..., None, :]).to(W.dtype)
    inner = (W0 * W * inside).sum(dim=(-2, -1))
    sizes = [(weights.square() * inside).sum(dim=(-2, -1)).sqrt() for weights in (W0, W)]
    return np.asarray((inner / (sizes[0] * sizes[1])).cpu().numpy())


SHRINKS = float(np.log10(0.5))
REMEMBERS = 0.9


def vanishing_evidence(
    instance: Deep, context: Context, threshold: float = SHRINKS, exchanged: bool = False
) -> Evidence:
    """log10 of the shrinkage of irrelevant-to-lucky blocks, relative to irrelevant-irrelevant ones, every layer."""
    found = blocks(instance, context.device)
    shrinkage = np.log10(found.vanishing / found.staying)
    layers = [
        falls_below(-layer if exchanged else layer, threshold, context, len(shrinkage), **described(found))
        for layer in shrinkage
    ]
    return weakest(*layers)


def memory_evidence(instance: Deep, context: Context, threshold: float = REMEMBERS) -> Evidence:
    """Cosine of the irrelevant-irrelevant block with its initial value."""
    found = blocks(instance, context.device)
    return exceeds(found.memory, threshold, context, **described(found))


def described(found: Blocks) -> dict[str, Any]:
    """Means over the networks, for the report."""
    return {
        "irrelevant_to_lucky_final_over_initial": [float(value) for value in found.vanishing.mean(axis=1)],
        "irrelevant_to_irrelevant_final_over_initial": float(found.staying.mean()),
        "irrelevant_to_irrelevant_cosine_with_start": float(found.memory.mean()),
        "rho_bar": float(found.rho.mean()),
        "loss": found.loss,
    }


def blocks_figure(verdict: Verdict) -> Figure:
    """Final over initial size of each block, mean over networks with an interval of two standard errors."""
    figure = Figure(figsize=(5.6, 3.6), layout="constrained")
    axes = figure.subplots()
    for shift, (label, instance) in zip(
        (-0.1, 0.1), (("near start", NEAR), ("random start", RANDOM)), strict=True
    ):
        found = blocks(instance, "cpu")
        rows = np.concatenate([found.vanishing, found.staying])
        error = 2 * rows.std(axis=1, ddof=1) / np.sqrt(rows.shape[1])
        axes.errorbar(
            np.arange(len(rows)) + shift, rows.mean(axis=1), error, fmt="o", ms=4, capsize=3, label=label
        )
    names = ("irrelevant → lucky,\nlayer 1", "irrelevant → output,\nlayer 2", "irrelevant →\nirrelevant")
    axes.set_xticks(range(len(names)), names)
    axes.set(ylabel="final / initial size", ylim=(0, None), xlim=(-0.5, len(names) - 0.5))
    axes.legend(frameon=False)
    return figure


def confirm_vanishing(instance: Deep) -> Evidence:
    """Other teachers, starts and samples."""
    other = replace(instance, seed=instance.seed + 1_000_003)
    return vanishing_evidence(other, Context())


NEAR, RANDOM = Deep(), Deep(luck=0.0)

STATEMENTS = (
    Statement(
        key="luckmatters.conjecture_deep",
        form=Form.PRINTED,
        title="Deep networks: fan-outs from irrelevant to lucky nodes vanish",
        claim="Fan-outs of irrelevant nodes to lucky nodes of the next layer converge to zero, lucky nodes "
        "near the teacher\n"
        "at the start (judged: they shrink to less than half of what fan-outs among irrelevant nodes shrink to)",
        source=SOURCE,
        expected=Outcome.HOLDS,
        instance_type=Deep,
        examples=[NEAR],
        evidence=vanishing_evidence,
        figure=blocks_figure,
        controls=[
            Control(
                "the two kinds of fan-outs exchanged",
                lambda context: vanishing_evidence(NEAR, context, exchanged=True),
            )
        ],
    ),
    Statement(
        key="luckmatters.conjecture_deep.irrelevant",
        form=Form.PRINTED,
        title="Deep networks: fan-outs among irrelevant nodes keep their start",
        claim="Fan-outs from irrelevant to irrelevant nodes depend on the initialisation\n"
        "(judged: cosine between initial and final block above 0.9)",
        source=SOURCE,
        expected=Outcome.HOLDS,
        instance_type=Deep,
        examples=[NEAR],
        evidence=memory_evidence,
        figure=blocks_figure,
        controls=[
            Control("cosine above 0.9999", lambda context: memory_evidence(NEAR, context, threshold=0.9999))
        ],
    ),
    Statement(
        key="luckmatters.conjecture_deep.random_start",
        form=Form.PRINTED,
        title="Deep networks: the same from random initialisation",
        claim="Fan-outs of irrelevant nodes to lucky nodes converge to zero, students initialised at random\n"
        "(judged as from the near start)",
        source=SOURCE,
        expected=Outcome.REFUTED,
        instance_type=Deep,
        examples=[RANDOM],
        evidence=vanishing_evidence,
        figure=blocks_figure,
        confirm=confirm_vanishing,
        controls=[
            Control("the near start", lambda context: vanishing_evidence(NEAR, context), must_hold=True),
            Control(
                "the two kinds of fan-outs exchanged",
                lambda context: vanishing_evidence(NEAR, context, exchanged=True),
            ),
        ],
        remark="Within the training given here. The blocks shrink, but to a half or three quarters, and "
        "hardly further in three "
        "times as many steps, while the loss falls below 1e-4: several students share a teacher, and "
        "'irrelevant' nodes "
        "go on helping.",
    ),
)
