"""Lemma 2 (bottom bounds): the difference of two modulated fan-ins, and the overlap of a student with a teacher."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import matplotlib.pyplot as plt
import mpmath as mp
import numpy as np
from matplotlib.figure import Figure

from verify.judging import (
    LUCK_MATTERS,
    Assumption,
    Context,
    Control,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
    Verdict,
)
from verify.mathematics.families.near_pairs import NearPair, columns, isotropic_pairs, pairs
from verify.mathematics.precise.first_moment import difference, length, psi_d
from verify.mathematics.precise.kernels import DIGITS
from verify.mathematics.theorem4_constants import lipschitz_d_isotropic, lipschitz_d_thresholded

ROUNDING = 64 * float(np.finfo(np.float64).eps)
"""Relative rounding of a kernel and of the few products around it."""


@lru_cache(maxsize=256)
def lipschitz_d(threshold: float, angle: float, theta0: float) -> float:
    """``K_d`` of Assumption 2 on the balls of the pair."""
    if threshold:
        return lipschitz_d_thresholded(threshold, 2, theta0)
    return lipschitz_d_isotropic(angle, theta0)


@dataclass(frozen=True)
class Overlaps:
    """``d*_jk, d_jk, d*_jj``, the teachers' ``d**``, ``K_d``, ``eps_d``, both ``||dw||`` and ``||Delta p_jk||``."""

    star: float
    student: float
    own: float
    teachers: Any
    K_d: float
    eps_d: float
    dw_j: float
    dw_k: float
    delta_p: float


def overlaps_of(pair: NearPair) -> Overlaps:
    """Everything that Lemma 2 speaks of, for one pair."""
    teacher, student = pair.nodes()
    star, own = pair.measure.psi_d(student, teacher), pair.measure.psi_d(student, student)
    teachers = pair.measure.psi_d(teacher, teacher)
    dw_j, dw_k = pair.displacements()
    shift = student[:, 1] * (star[0, 1] - own[0, 1]) + (teacher[:, 1] - student[:, 1]) * star[0, 1]
    eps_d = float(teachers[0, 1] / min(teachers[0, 0], teachers[1, 1]))
    K_d = lipschitz_d(pair.threshold, pair.angle, pair.theta0)
    size = float(np.linalg.norm(shift))
    return Overlaps(
        float(star[0, 1]), float(own[0, 1]), float(star[0, 0]), teachers, K_d, eps_d, dw_j, dw_k, size
    )


def assumptions(pair: NearPair) -> Sequence[Assumption]:
    """A finite K_d, and Assumption 2 with it for each of the steps that the lemma takes."""
    o = overlaps_of(pair)
    steps = (
        (o.star, o.student, o.dw_k),
        (float(o.teachers[0, 1]), o.star, o.dw_j),
        (float(o.teachers[0, 0]), o.own, o.dw_j),
        (o.own, float(o.teachers[0, 0]), o.dw_j),
    )
    needed = max(_slope(*step) for step in steps)
    room = o.K_d * (1 + 1e-9) - needed if np.isfinite(o.K_d) else -1.0
    return (Assumption("Assumption 2 with K_d, at the steps taken", room),)


def _slope(value: float, moved: float, distance: float) -> float:
    """The K that one step needs. A step below 1e-6 tells rounding from slope no longer and is left out."""
    return abs(value - moved) / (value * distance) if distance > 1e-6 else 0.0


def difference_bound(pair: NearPair, context: Context) -> Evidence:
    """(19): ``||Delta p_jk|| <= (1 + K_d) d*_jk ||dw_k||``."""
    o = overlaps_of(pair)
    bound = (1 + o.K_d) * o.star * o.dw_k
    return Evidence.at_most(o.delta_p, bound=bound, tolerance=4 * ROUNDING * o.star, K_d=o.K_d)


def overlap_bound(pair: NearPair, first: float, second: float, o: Overlaps) -> Evidence:
    """``d*_jk`` against ``eps_d (1 + K_d first) (1 + K_d second) d*_jj``."""
    bound = o.eps_d * (1 + o.K_d * first) * (1 + o.K_d * second) * o.own
    details = {"K_d": o.K_d, "eps_d": o.eps_d, "dw_j": o.dw_j, "dw_k": o.dw_k}
    return Evidence.at_most(o.star, bound=bound, tolerance=ROUNDING * bound, **details)


def printed_overlap(pair: NearPair, context: Context) -> Evidence:
    """(20): one factor for the step of k, one for the step of j."""
    o = overlaps_of(pair)
    return overlap_bound(pair, o.dw_j, o.dw_k, o)


def corrected_overlap(pair: NearPair, context: Context) -> Evidence:
    """Both factors for the step of j."""
    o = overlaps_of(pair)
    return overlap_bound(pair, o.dw_j, o.dw_j, o)


def confirm_overlap(pair: NearPair) -> Evidence:
    """(20) in mpmath: own kernels, K_d from its closed form in exact arithmetic."""
    with mp.workdps(DIGITS):
        (teacher_j, teacher_k), (student_j, _) = columns(pair, mp.mp)
        biased = pair.threshold != 0
        star = psi_d(student_j, teacher_k, biased=biased)
        own = psi_d(student_j, teacher_j, biased=biased)
        apart, active = (
            psi_d(teacher_j, teacher_k, biased=biased),
            psi_d(teacher_j, teacher_j, biased=biased),
        )
        theta0 = mp.mpf(pair.theta0)
        if biased:
            K_d = mp.mpf(lipschitz_d(pair.threshold, pair.angle, pair.theta0))
        else:
            K_d = theta0 / 2 / mp.sin(theta0 / 2) / (mp.pi - mp.mpf(pair.angle) - theta0)
        chords = [2 * mp.sin(mp.mpf(near) * theta0 / 2) for near in (pair.near_j, pair.near_k)]
        bound = apart / active * (1 + K_d * chords[0]) * (1 + K_d * chords[1]) * own
        return Evidence(predicted=float(bound), measured=float(star), margin=float(bound - star))


def precise_difference(pair: NearPair) -> tuple[float, float]:
    """``(||Delta p_jk||, d*_jk)`` in mpmath, for the tests."""
    with mp.workdps(DIGITS):
        (_, teacher_k), (student_j, student_k) = columns(pair, mp.mp)
        biased = pair.threshold != 0
        star, own = (psi_d(student_j, k, biased=biased) for k in (teacher_k, student_k))
        shift = difference(mp.matrix(teacher_k) * star, mp.matrix(student_k) * own)
        return float(length(shift)), float(star)


def overlap_figure(verdict: Verdict) -> Figure:
    """``d*_jk`` over the printed and the corrected bound, as student j walks straight towards teacher k."""
    figure, axis = plt.subplots(figsize=(5.2, 3.4), layout="constrained")
    angles = np.linspace(1e-3, 0.6, 60)
    walk = [NearPair(theta0=float(theta), angle=float(np.pi / 2)) for theta in angles]
    for name, bound, style in (
        ("(20) as printed", printed_overlap, "C3-"),
        ("both factors for j", corrected_overlap, "C0-"),
    ):
        ratio = [(e := bound(pair, Context())).measured / e.predicted for pair in walk]
        axis.plot(angles, ratio, style, label=name)
    axis.axhline(1.0, color="0.4", linewidth=0.8)
    axis.set_xlabel("angle of student j from its teacher, δw_k = 0")
    axis.set_ylabel("d*_jk / bound")
    axis.legend(frameon=False)
    return figure


TOWARDS = NearPair(theta0=0.1, angle=1.5)
"""Student j steps straight towards teacher k; student k sits on its teacher."""
REACHING = replace(TOWARDS, near_k=1.0)
SOURCE = Source(LUCK_MATTERS, "Lemma 2, Eqns 18-28")

DIFFERENCE = Statement(
    key="luckmatters.lemma2.difference",
    form=Form.PRINTED,
    title="Lemma 2: the difference of modulated fan-ins",
    claim="‖Δp_jk‖ ≤ (1 + K_d) d*_jk ‖δw_k‖,  Δp_jk = w*_k d*_jk − w_k d_jk",
    source=SOURCE,
    expected=Outcome.HOLDS,
    instance_type=NearPair,
    assumptions=assumptions,
    evidence=difference_bound,
    instances=pairs,
    examples=(REACHING, NearPair(theta0=0.01, threshold=4.0, near_k=1.0)),
    controls=(
        Control(
            "(1 + K_d) replaced by 1 (only the node moves, not its overlap)",
            lambda c: _without_K(replace(REACHING, near_j=0.0)),
        ),
    ),
    remark="Holds as printed, on the region where Assumption 2 holds with K_d.",
)


def _without_K(pair: NearPair) -> Evidence:
    o = overlaps_of(pair)
    return Evidence.at_most(o.delta_p, bound=o.star * o.dw_k, tolerance=4 * ROUNDING * o.star)


def _shared(pair: NearPair) -> Evidence:
    """(20) with both displacements at their common bound ``2 sin(theta0/2)``, as Theorem 4 uses it."""
    o, common = overlaps_of(pair), 2 * float(np.sin(pair.theta0 / 2))
    return overlap_bound(pair, common, common, o)


OVERLAP_PRINTED = Statement(
    key="luckmatters.lemma2.overlap",
    form=Form.PRINTED,
    title="Lemma 2: the overlap of a student with another teacher",
    claim="d*_jk ≤ ε_d (1 + K_d ‖δw_k‖)(1 + K_d ‖δw_j‖) d*_jj",
    source=SOURCE,
    expected=Outcome.REFUTED,
    instance_type=NearPair,
    assumptions=assumptions,
    evidence=printed_overlap,
    instances=isotropic_pairs,
    examples=(TOWARDS,),
    confirm=confirm_overlap,
    controls=(
        Control(
            "both displacements at their common bound 2 sin(θ₀/2)", lambda c: _shared(TOWARDS), must_hold=True
        ),
        Control(
            "ε_d at half its value",
            lambda c: _with_less_overlap(replace(TOWARDS, near_j=0.0), printed_overlap),
        ),
    ),
    figure=overlap_figure,
    remark=(
        "Erratum. Neither d*_jk = ψ_d(w_j, w*_k) nor d*_jj depends on w_k: both factors come from moving "
        "w_j, from w*_j in d*_jk (26) and in d*_jj (28). With δw_k = 0 one factor is lost and the bound "
        "fails at first order in ‖δw_j‖. Theorem 4 bounds both displacements by 2 sin(θ₀/2), so it is not "
        "affected."
    ),
)


def _with_less_overlap(pair: NearPair, bound: Any) -> Evidence:
    evidence = bound(pair, Context())
    return Evidence.at_most(evidence.measured, bound=evidence.predicted / 2, tolerance=evidence.tolerance)


OVERLAP_CORRECTED = replace(
    OVERLAP_PRINTED,
    form=Form.CORRECTED,
    claim="d*_jk ≤ ε_d (1 + K_d ‖δw_j‖)² d*_jj",
    expected=Outcome.HOLDS,
    evidence=corrected_overlap,
    instances=pairs,
    examples=(TOWARDS, REACHING, NearPair(theta0=0.01, threshold=4.0)),
    confirm=None,
    controls=(
        Control("one factor only", lambda c: _with_one_factor(TOWARDS)),
        Control(
            "ε_d at half its value",
            lambda c: _with_less_overlap(replace(TOWARDS, near_j=0.0), corrected_overlap),
        ),
    ),
    remark="The printed bound with both factors for the step of student j, which is the one that moves.",
)


def _with_one_factor(pair: NearPair) -> Evidence:
    o = overlaps_of(pair)
    return overlap_bound(pair, o.dw_j, 0.0, o)
