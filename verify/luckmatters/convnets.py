"""Section 5 for ConvNets (Figs. 8, 19-23): correlations grow, ranks of winners fall at once, the loss falls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from dynamics.ode.trajectory import Trajectory
from verify.judging import (
    LUCK_MATTERS,
    SEED,
    Context,
    Evidence,
    Instance,
    Item,
    OneOf,
    Source,
    fixed,
    integers,
    reals,
)
from verify.mathematics.mean_over_seeds import exceeds, weakest
from verify.mathematics.studies.deep_study import Arm, DeepStudy

CONVNETS = Item(
    "luckmatters.convnets",
    Source(
        LUCK_MATTERS,
        "Figure 8 and Figures 19-23, their ConvNet halves on GAUS",
        version="v4",
        section="5.2 and 9",
    ),
)


@dataclass(frozen=True)
class ConvNets(Instance):
    """``networks`` ConvNets of hidden channels ``width`` (``layers`` of them), ``factor`` times as wide as the teacher.

    Inputs: Gaussian images of ``side`` pixels squared, one channel; ``outputs`` of the teacher. ``normalised``: batch
    normalisation after the ReLU.
    """

    normalised: bool = fixed(False, OneOf((False, True)))
    rate: float = fixed(0.01, reals(0.0, 10.0, low_open=True))
    width: int = fixed(6, integers(1, 512))
    layers: int = fixed(2, integers(2, 8))
    factor: int = fixed(3, integers(1, 100))
    side: int = fixed(6, integers(3, 64))
    outputs: int = fixed(12, integers(1, 1000))
    networks: int = fixed(24, integers(3))
    epochs: int = fixed(3, integers(2))
    samples: int = fixed(640, integers(16))
    seed: int = fixed(0, SEED)


PLAIN, NORMALISED = ConvNets(), ConvNets(normalised=True, rate=0.1)


def deeper(instance: ConvNets) -> ConvNets:
    """Beyond ``quick``: four layers, five times as wide; the paper's own size is figure ``luckmatters.gaus-cnn``."""
    return replace(instance, width=8, layers=4, factor=5, side=12, outputs=50, samples=6400)


@lru_cache(maxsize=4)  # the statement and its controls look at the same networks
def trained(instance: ConvNets, device: str) -> Trajectory:
    """Train and measure."""
    study = DeepStudy(
        (instance.width,) * instance.layers,
        instance.factor,
        (1, instance.side, instance.side),
        instance.outputs,
        networks=instance.networks,
        epochs=instance.epochs,
        samples=instance.samples,
        batch_size=16,
        rates=(instance.rate,),
        bn_rates=(instance.rate,),
        eval_samples=128,
        bits=64,
        seed=instance.seed,
    )
    arm = Arm("after" if instance.normalised else "none", instance.rate)
    return study.run(arm, device, lambda fraction: None, workers=1)


@CONVNETS.claim(
    "reading",
    expected="observed",
    on=ConvNets,
    draw=None,
    examples=(PLAIN, NORMALISED),
    compares=(
        "growth of ρ̄, fall of r̄ in the first epoch, fall of the loss: the weakest mean over networks",
        ">",
        "0",
    ),
    population=(
        "24 ConvNets of 18 channels in two layers beside teachers of six on Gaussian images of 6 × 6, without and with"
        " BN"
    ),
    note="our reading of 'steadily goes up' and 'a good rank at the early stage'; small networks on drawn images",
)
def winners_are_known_early(instance: ConvNets, context: Context, *, backwards: bool = False) -> Evidence:
    """ConvNets: correlations grow and the winners are known early

    ConvNets on Gaussian images, without and with BN after the ReLU: the best correlation ρ̄ with the teacher's channels
    goes up, the rank of the final winners falls already in the first epoch, the loss falls
    (judged: last ρ̄ less first, in the layer where that is least; mean rank at the start less after one epoch; log₁₀
      loss at the start less at the end; all three means over networks > 0)

    Small but real ConvNets at quick: two layers of 18 channels, 1,920 images; with a larger budget four layers of 40.
    The paper's size, 64-64-64-64 ten times over-realised, takes a GPU: the figure ``luckmatters.gaus-cnn``. CIFAR-10 is
    not at hand and not judged. Learning rates differ between the two (0.01 without BN, 0.1 with it).
    """
    # Altered: the records in reverse order.
    if context.budget.full:
        instance = deeper(instance)
    seen = trained(instance, context.device).observables
    rho, rank, loss = seen["rho_bar"], seen["mean_rank"], seen["loss"]
    if backwards:
        rho, rank, loss = rho[::-1], rank[::-1], loss[::-1]
    found = (
        exceeds((rho[-1] - rho[0]).min(axis=-1), 0.0, context, comparisons=3, part="ρ̄"),
        exceeds((rank[0] - rank[1]).mean(axis=-1), 0.0, context, comparisons=3, part="r̄"),
        exceeds(np.log10(loss[0] / loss[-1]), 0.0, context, comparisons=3, part="loss"),
    )
    return weakest(*found)


winners_are_known_early.rejects("time runs backwards", PLAIN, backwards=True)
