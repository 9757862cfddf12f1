"""A claimed direction of motion against the sampled gradient, on as many samples as it takes to resolve it."""

from __future__ import annotations

import math

import numpy as np

from dynamics.arrays import Array
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import Context, Evidence
from verify.mathematics.gradients.sampled_gradient import sampled_gradient

PILOT = 10_000
"""Samples that tell how many are needed; they are not used again."""

SAMPLE_LIMIT = {"quick": 1_000_000, "full": 4_000_000}

STILL = 1e-13
"""Standard error below which a coordinate does not vary at all (in d = 2 a projected one may vanish identically)."""


def resolved(
    problem: TeacherStudent,
    claimed: Array,
    context: Context,
    rng: np.random.Generator,
    *,
    projected: bool = False,
) -> Evidence:
    """The largest |z| over the coordinates of a claimed W' (and V'), flat, decides.

    The standard error is brought down to two per cent of the claimed size (three per mille at the full budget) by as
    many samples as a pilot says, up to ``SAMPLE_LIMIT``; up to a fifth is still accepted, beyond that the evidence is
    inconclusive. ``projected`` compares the parts across each w_k only. Cost 1 to 3 microseconds a sample.
    """
    flat = claimed.ravel()
    scale, limit = float(np.linalg.norm(flat)), context.z(flat.size)
    _, spread = sampled_gradient(problem, PILOT, rng, projected=projected)
    full = context.budget.full
    finest = (0.003 if full else 0.02) * scale
    needed = PILOT * float(np.sum(spread[: flat.size] ** 2)) / finest**2
    size = math.ceil(min(max(needed, PILOT), SAMPLE_LIMIT["full" if full else "quick"]))
    mean, error = (part[: flat.size] for part in sampled_gradient(problem, size, rng, projected=projected))
    moving = error > STILL
    score = float(np.max(np.abs(mean - flat)[moving] / error[moving], initial=0.0))
    return Evidence(
        predicted=scale,
        measured=float(mean @ flat) / scale,
        margin=limit - score,
        tolerance=limit,
        standard_error=float(np.linalg.norm(error * flat)) / scale,
        inconclusive=bool(np.linalg.norm(error) > 0.2 * scale and score <= limit),
        details={
            "largest |z|": score,
            "relative gap": float(np.linalg.norm(mean - flat)) / scale,
            "samples": size,
        },
    )
