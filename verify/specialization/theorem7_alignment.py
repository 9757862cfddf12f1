"""After Theorem 7: "all students align with w*" in the symmetric case, its hidden condition, and what plain r does."""

from __future__ import annotations

from typing import Any

import mpmath as mp
import numpy as np
from scipy.linalg import null_space

from dynamics.two_layer.shared_residual_flow import SharedResidualFlow
from verify.judging import (
    FLOW,
    SEARCH,
    SPECIALIZATION,
    CannotJudgeError,
    Context,
    Evidence,
    Item,
    Relation,
    Source,
)
from verify.mathematics.precise.kernels import columns, dot
from verify.mathematics.precise.runge_kutta import runge_kutta
from verify.mathematics.runs.herds import (
    ALIGNED,
    HEAVY,
    LIGHT,
    Herd,
    final_cosine,
    herds,
    light,
    lowest_cosine,
    turns_at_most,
    two_or_more,
)
from verify.specialization import VERSION

ALIGNMENT = Item(
    "specialization.theorem7.alignment",
    Source(
        SPECIALIZATION,
        "the simple and symmetric case after Theorem 7",
        "words from the paper; its formulas are lost in the text at hand",
        version=VERSION,
        section="5.3",
    ),
)

LIGHTEST = 1e-3
"""Σa below which students of the plain dynamics end further than 1000 away, nearly along w* whatever their start."""

DIGITS, STEPS = 20, 800
"""Of the confirming integration: classical Runge-Kutta with steps of 1/20."""


COSINE: tuple[str, Relation, str] = ("smallest cosine of a student to w* in the limit", "=", "1")


@ALIGNMENT.claim(
    "reading",
    expected="refuted",
    on=Herd,
    draw=herds([2.0, 1.5, 0.8, 0.5], fewest=2),
    assume=two_or_more,
    cost=FLOW.at_quick(15),
    compares=COSINE,
    telling=lambda herd: herd.d >= 4 and herd.n >= 3 and herd.total >= 1.5,
)
def all_align(herd: Herd, context: Context, *, tilt: float = 0.0) -> Evidence:
    """All students align with the joint pull, our reading under the projected dynamics

    r_k = w* − Σ a_k w_k for all k,  ẇ_k = P⊥_{w_k} r_k:   w_k/‖w_k‖ → w*/‖w*‖

    Hidden condition: Σ a_k‖w_k‖ < ‖w*‖. Otherwise the students jointly reach r = 0 while they still point in different
    directions, and stop there: nothing pulls any more. A limit is not refuted by a finite run: how far any student can
    still turn is bounded from ‖r‖ and subtracted. Readings under other dynamics may fare differently (.plain).
    """
    return final_cosine(herd, "projected", tilt)


@all_align.confirmed_precisely(digits=DIGITS)
def in_twenty_digits(herd: Herd) -> Evidence:
    """The projected flow again by Runge-Kutta, coordinates in mpmath."""
    target, W, weights = herd.start()
    with mp.workdps(DIGITS):
        goal = columns(target[:, None])[0]
        a = [mp.mpf(float(x)) for x in weights]

        def field(time: Any, nodes: list[Any]) -> list[Any]:
            r = goal.copy()
            for share, node in zip(a, nodes, strict=True):
                r -= share * node
            return [r - node * (dot(node, r) / dot(node, node)) for node in nodes]

        ends = runge_kutta(field, mp.mpf(0), columns(W), mp.mpf(1) / 20, STEPS)
        lowest = _lowest(ends, goal)
    if lowest < 1 - ALIGNED:
        more = turns_at_most(target, np.array([[float(x) for x in node] for node in ends]).T, weights)
        lowest = float(np.cos(max(np.arccos(lowest) - more, 0.0))) if np.isfinite(more) else 1.0
    return lowest_cosine(lowest)


def _lowest(nodes: list[Any], goal: Any) -> float:
    return float(min(dot(x, goal) / mp.sqrt(dot(x, x) * dot(goal, goal)) for x in nodes))


all_align.accepts("Σa = 0.5", LIGHT)
all_align.rejects("Σa = 2", HEAVY)
all_align.rejects("Σa = 0.5, 0.01 rad off", LIGHT, tilt=0.01)
all_align.excludes("one student", Herd(n=1), "1 − |cosine| of the first and the last direction")
all_align.excludes("Σa at the threshold", Herd(d=6, n=4, total=1.0), "|Σa − 1|")
all_align.includes("two students", Herd(d=6, n=2, total=2.0))
all_align.excludes("a student opposite", Herd(d=2, n=5, total=0.5, seed=5), "no student opposite")
all_align.errs(
    says=(
        "Section 5.3: in the simple symmetric case, in which all students follow one residual, every student is said to"
        " align with the joint pull w* of the teachers (formulas lost; read for ẇ = P⊥r and for ẇ = r)."
    ),
    true=(
        "Under ẇ = P⊥r it holds from almost every start if Σ a‖w‖ < ‖w*‖, at rates ‖w*‖ − Σa (n − 1 times) and ‖w*‖,"
        " and fails for two or more students if Σ a‖w‖ > ‖w*‖: they reach r = 0 together while they still differ. Under"
        " ẇ = r it fails always: w₁ − w₂ never changes."
    ),
    impact="substance",
    matters=(
        "The paragraphs on symmetry breaking and on strong teachers argue from this symmetric case, as an intuition;"
        " over-realised students at the end of training are in the regime where it fails."
    ),
)


@ALIGNMENT.claim(
    "corrected",
    expected="holds",
    on=Herd,
    draw=herds([0.5, 0.1, 0.3, 0.7, 0.9]),
    assume=light,
    examples=(LIGHT,),
    cost=SEARCH.at_quick(25),
    note="condition added",
    compares=("smallest cosine of a student to w* after 40 decay times", "=", "1"),
)
def light_students_align(
    herd: Herd, context: Context, *, form: str = "projected", tilt: float = 0.0
) -> Evidence:
    """Light students align with the joint pull

    ẇ_k = P⊥_{w_k} (w* − Σ a_i w_i),  Σ a_k‖w_k‖ < ‖w*‖:   w_k/‖w_k‖ → w*/‖w*‖ from almost every start

    ‖r‖² falls and r cannot vanish, so every student ends along ±r; the minus sign is unstable. One student alone needs
    no condition. Judged: 1 − cos below 1e-6 after 40 times the slower of the two decay times.
    """
    return final_cosine(herd, form, tilt)


light_students_align.rejects("Σa = 2", HEAVY)
light_students_align.rejects("plain ẇ = r", LIGHT, form="plain")
light_students_align.rejects("0.01 rad off", LIGHT, tilt=0.01)
light_students_align.excludes("Σa = 2", HEAVY, "Σ a‖w‖ / ‖w*‖")
light_students_align.excludes("Σa = 0.97", Herd(d=6, n=4, total=0.97), "|Σa − 1|")
light_students_align.includes("Σa = 0.94", Herd(d=6, n=4, total=0.94))
light_students_align.excludes("a student opposite", Herd(d=2, n=5, total=0.5, seed=5), "no student opposite")


@ALIGNMENT.claim(
    "sharp",
    expected="holds",
    on=Herd,
    draw=herds([0.5, 0.1, 0.9, 1.0, 1.5, 3.0]),
    examples=(LIGHT, HEAVY),
    cost=SEARCH,
    note="linearisation, not in the paper",
    compares=("tangent rate of the differentiated flow, the one furthest off", "=", "‖w*‖ − Σa or ‖w*‖"),
)
def rates_at_alignment(herd: Herd, context: Context, *, heavier: float = 1.0) -> Evidence:
    """The rates of alignment

    at w_k = w*/‖w*‖ the tangent rates are ‖w*‖ − Σa  (n−1 times) and ‖w*‖  (once), each d−1 fold

    Differences among students die at ‖w*‖ − Σa only, which turns negative at Σa = ‖w*‖: there alignment loses its
    stability. What all share decays at ‖w*‖.
    """
    target, _, weights = herd.start()
    aligned = np.repeat(target[:, None], herd.n, axis=1)
    flow = SharedResidualFlow(target, aligned, weights, form="projected")
    basis, h = null_space(target[None, :]), 1e-5
    tangents = [np.kron(basis[:, i], np.eye(herd.n)[k]) for i in range(herd.d - 1) for k in range(herd.n)]
    y = flow.initial_state()
    slopes = [(flow(0.0, y + h * t) - flow(0.0, y - h * t)) / (2 * h) for t in tangents]
    jacobian = np.array([[t @ slope for slope in slopes] for t in tangents])
    measured = np.sort(-np.linalg.eigvals(jacobian).real)
    slow, fast = 1 - heavier * herd.total, 1.0
    predicted = np.sort([fast] * (herd.d - 1) + [slow] * ((herd.n - 1) * (herd.d - 1)))
    at = int(np.argmax(np.abs(measured - predicted)))
    # h^2 of the difference and eps / h of its rounding; the eigenvectors of a rank-one change are well conditioned
    # while the weights are within a factor of 3 of one another.
    tolerance = 100 * (1 + herd.total) * (h**2 + np.finfo(float).eps / h)
    return Evidence.close(float(measured[at]), predicted=float(predicted[at]), tolerance=tolerance)


rates_at_alignment.rejects("Σa 0.1 % larger", LIGHT, heavier=1.001)
rates_at_alignment.rejects("Σa 1e-6 larger", LIGHT, heavier=1 + 1e-6)


@ALIGNMENT.claim(
    "reading",
    part="plain",
    expected="refuted",
    on=Herd,
    draw=herds([0.5, 0.9, 2.0], fewest=2),
    assume=two_or_more,
    cost=FLOW.at_quick(15),
    note="read for ẇ = r; the printed formulas are lost",
    compares=COSINE,
    telling=lambda herd: herd.d >= 4 and herd.n >= 3,
)
def all_align_unprojected(
    herd: Herd, context: Context, *, form: str = "plain", tilt: float = 0.0
) -> Evidence:
    """All students align, our reading under the plain dynamics

    ẇ_k = r_k = w* − Σ a_i w_i:   w_k/‖w_k‖ → w*/‖w*‖

    All students move alike, so w₁ − w₂ never changes; how far they end from w* is settled at the start. The limit is
    known in closed form, w_k + (w* − Σ a w)/Σa, and judged in it.
    """
    if form != "plain":
        return final_cosine(herd, form, tilt)
    target, W, weights = herd.start()
    if weights.sum() < LIGHTEST:
        raise CannotJudgeError(
            f"Σa below {LIGHTEST:g}: the students end too far out to tell their directions"
        )
    ends = W + ((target - W @ weights) / weights.sum())[:, None]
    return lowest_cosine(float((target @ ends / np.linalg.norm(ends, axis=0)).min()), tilt=tilt)


@all_align_unprojected.confirmed_precisely(digits=DIGITS)
def in_closed_form(herd: Herd, *, form: str = "plain") -> Evidence:
    """The end of w' = r in 20 digits: every w_k moves by ``(w* - sum a w(0)) / sum a``."""
    if form != "plain":
        return in_twenty_digits(herd)
    target, W, weights = herd.start()
    with mp.workdps(DIGITS):
        goal, w = columns(target[:, None])[0], columns(W)
        a = [mp.mpf(float(x)) for x in weights]
        moved = goal.copy()
        for share, node in zip(a, w, strict=True):
            moved -= share * node
        return lowest_cosine(_lowest([node + moved / mp.fsum(a) for node in w], goal))


all_align_unprojected.accepts("projected, Σa = 0.5", LIGHT, form="projected")
all_align_unprojected.rejects("plain, Σa = 0.5", LIGHT)
all_align_unprojected.rejects("projected, 0.01 rad off", LIGHT, form="projected", tilt=0.01)
all_align_unprojected.excludes("a student opposite", Herd(d=2, n=5, total=0.5, seed=5), "no student opposite")
all_align_unprojected.excludes("Σa near 1", Herd(d=6, n=5, total=0.952, seed=6), "|Σa − 1|")
all_align_unprojected.excludes(
    "directions that agree",
    Herd(d=2, n=5, total=0.9, seed=22977),
    "1 − |cosine| of the first and the last direction",
)
all_align_unprojected.includes("Σa = 0.5", LIGHT)
all_align_unprojected.errs(
    says=(
        "Section 5.3: in the simple symmetric case every student is said to align with the joint pull w* (formulas"
        " lost; read for ẇ = r)."
    ),
    true=(
        "All students then move alike, so w₁ − w₂ never changes and they end at w_k + (w* − Σ a w)/Σa, each in its own"
        " direction. Alignment needs the projection and Σ a‖w‖ < ‖w*‖ (theorem7.alignment.corrected)."
    ),
    impact="substance",
    matters="See theorem7.alignment; if the paper means another dynamics, that one decides.",
)
