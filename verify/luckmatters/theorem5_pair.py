"""Theorem 5's limit without its conditions: an opposite pair of irrelevant nodes, and what it keeps in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import hypothesis.strategies as st
import matplotlib.pyplot as plt
import mpmath as mp
import numpy as np
from matplotlib.figure import Figure

from dynamics.arrays import Array
from dynamics.geometry.angles import angles
from dynamics.ode.events import Event
from dynamics.ode.integrate import integrate
from dynamics.ode.status import Status
from dynamics.two_layer.flows import TwoLayerFlow
from dynamics.two_layer.opposite_pair import lost_square, remaining_fan_out
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import (
    SEARCH,
    Assumption,
    CannotJudgeError,
    Context,
    Evidence,
    Instance,
    OneOf,
    Verdict,
    drawn,
    reals,
)
from verify.judging.instances import drawn_fields
from verify.luckmatters.theorem5 import THEOREM5
from verify.luckmatters.theorem5_residue import MERGED, MergingPair, state_at
from verify.mathematics.precise.two_layer_flow import TwoLayerReference

NEAREST, DYING = 1e-5, 1e-7
"""A pair has merged below this angle: what it still loses of v² is then below 3e-11. A fan-out below DYING is dead."""

LONGEST = 1000.0
"""Time given. Next to the threshold the end is approached algebraically, and is not judged."""

RTOL, ATOL = 1e-11, 1e-13
TOLERANCE = 1e-6
"""An error of 1e-8 in v² (thousands of steps at RTOL) is one of 5e-8 in the smallest limit that is reached in time."""

FLOWS = ("projected", "printed")


@dataclass(frozen=True)
class SymmetricPair(Instance):
    """A student on its teacher e1 (fan-out e1), and two nodes ``apart`` with fan-outs ±size e2, seen alike by e1.

    ``lean``: how far the middle of the pair is turned from e2 towards e1; at 0 both are orthogonal to the teacher.
    ``flow``: Theorem 5's on unit columns, or the printed one without projection.
    """

    size: float = drawn(1.0, st.floats(0.2, 3.0).map(lambda x: round(x, 2)), reals(0.05, 10.0))
    apart: float = drawn(1.5, st.floats(0.2, 2.8).map(lambda x: round(x, 2)), reals(0.05, 3.1))
    lean: float = drawn(0.0, st.sampled_from((0.0, 0.4, -0.7)), reals(-1.5, 1.5))
    flow: str = drawn("projected", st.sampled_from(FLOWS), OneOf(FLOWS))

    def problem(self) -> TeacherStudent:
        """The start, in three dimensions."""
        half = self.apart / 2
        middle = np.array([math.sin(self.lean), math.cos(self.lean), 0.0])
        side = np.array([0.0, 0.0, math.sin(half)])
        W = np.stack([[1.0, 0, 0], math.cos(half) * middle + side, math.cos(half) * middle - side], axis=1)
        V = np.array([[1.0, 0.0], [0.0, self.size], [0.0, -self.size]])
        return TeacherStudent(W[:, :1], W, V[:1], V)


@lru_cache(maxsize=64)  # the statement and its controls look at the same runs
def end_of(pair: SymmetricPair) -> tuple[Array, float, float]:
    """Norms of the two fan-outs in the end, the angle between the nodes, the loss."""
    flow = TwoLayerFlow(pair.problem(), projected=pair.flow == "projected")

    def apart(t: float, y: Array) -> float:
        state = flow.unpack(y)
        turn = float(angles(state["W"][:, 1:2], state["W"][:, 2:])[0, 0])
        return min(turn / NEAREST, float(np.linalg.norm(state["V"][1])) / DYING) - 1

    done = Event("merged or dead", apart, direction=-1, status=Status.CONVERGED, at_start=True)
    run = integrate(
        flow, (0.0, LONGEST), t_eval=[0.0, LONGEST], rtol=RTOL, atol=ATOL, events=[done], method="DOP853"
    )
    if not run.success:
        raise CannotJudgeError(run.message)
    if run.status is not Status.CONVERGED:
        raise CannotJudgeError(f"neither merged nor dead at t = {LONGEST:g}: too near the threshold")
    W, V = run.state["W"][-1], run.state["V"][-1]
    turn = float(angles(W[:, 1:2], W[:, 2:])[0, 0])
    return np.linalg.norm(V[1:], axis=-1), turn, float(run.observables["loss"][-1])


@THEOREM5.claim(
    "sharp",
    part="pair",
    expected="holds",
    on=SymmetricPair,
    examples=(
        SymmetricPair(0.9, math.pi / 2),
        SymmetricPair(1.0, math.pi / 2),
        SymmetricPair(0.66, math.pi / 2, flow="printed"),
        SymmetricPair(1.0, math.pi / 2, flow="printed"),
        SymmetricPair(0.35, 0.6),
        SymmetricPair(0.27, 0.6),
        SymmetricPair(2.0, 2.5, 0.4),
        SymmetricPair(0.94, 2.8, -0.7, "printed"),
    ),
    cost=SEARCH.at_quick(12),
    compares=("‖v_r‖ in the end", "=", "√(v₀² − lost), 0 where that is not positive"),
    note="our own closed form",
)
def keeps_what_the_closed_form_says(pair: SymmetricPair, context: Context, *, lost: float = 1.0) -> Evidence:
    """Two irrelevant nodes with opposite fan-outs: what they keep, in closed form

    W_u = W*, V_u = V*, v₁ = −v₂ ⊥ V*, ‖v₁‖ = v₀, both nodes at equal angles to each teacher, φ₀ apart:
    v² − 2Q(φ) is conserved, 2Q(φ) = ∫₀^φ [π − sin t − (π − t) cos t] / [(π − t) sin t] dt
    v₀² > 2Q(φ₀)  ⇒  φ → 0, ‖v_r‖ → √(v₀² − 2Q(φ₀)) ≠ 0, loss → 0
    v₀² < 2Q(φ₀)  ⇒  V_r → 0
    as printed, without projection: the same with ∫₀^φ₀ e^{2Q(t) − 2Q(φ₀)} (π − φ₀)/(π − t) d(2Q(t)) in place of 2Q(φ₀)

    The thresholds of ‖v_r(0)‖ between orthogonal nodes are 0.911456 and, as printed, 0.681050; at φ₀ = 1, .6, .3 they
    are .535139, .309786, .151996 (.469270, .292035, .148603). They do not depend on ‖v*‖. For small φ₀ they are φ₀/2:
    no positive bound on ‖V_r(0)‖ alone is enough. On the threshold both go to zero like t^{−1/2}. Derived in
    docs/theorems.md; compared here with the end of the flow, on both sides.
    """
    # Altered: what is lost, by the factor ``lost``.
    norms, apart, loss = end_of(pair)
    square = pair.size**2 - lost * lost_square(pair.apart, projected=pair.flow == "projected")
    predicted = math.sqrt(max(square, 0.0))
    worst = float(norms[np.abs(norms - predicted).argmax()])
    return Evidence.close(worst, predicted=predicted, tolerance=TOLERANCE, apart=apart, loss=loss)


keeps_what_the_closed_form_says.rejects("0.1 % more is lost", SymmetricPair(1.2, math.pi / 2), lost=1.001)
keeps_what_the_closed_form_says.rejects(
    "0.1 % less is lost, as printed", SymmetricPair(1.0, math.pi / 2, flow="printed"), lost=0.999
)
keeps_what_the_closed_form_says.rejects("nothing is lost", SymmetricPair(0.5, 1.0), lost=0.0)
keeps_what_the_closed_form_says.accepts("as it is", SymmetricPair(1.2, math.pi / 2))


@keeps_what_the_closed_form_says.drawn_by
def sizes_before_and_after(verdict: Verdict) -> Figure:
    """What is left over what was there, from orthogonal nodes, in both flows; crosses are runs."""
    fig, axes = plt.subplots(figsize=(6.0, 4.2), layout="constrained")
    sizes = np.linspace(0.0, 2.0, 201)
    for colour, kind in enumerate(FLOWS):
        left = [remaining_fan_out(float(v), math.pi / 2, projected=kind == "projected") for v in sizes]
        axes.plot(sizes, left, color=f"C{colour}", label=f"{kind}, nodes orthogonal")
        threshold = math.sqrt(lost_square(math.pi / 2, projected=kind == "projected"))
        scaled = [
            (
                threshold
                / math.sqrt(lost_square(r.instance.apart, projected=kind == "projected"))
                * np.array([r.instance.size, r.evidence.measured])
            )
            for r in verdict.judged
            if r.evidence is not None and r.instance.flow == kind
        ]
        if scaled:
            axes.plot(*zip(*scaled, strict=True), "x", color=f"C{colour}", label="runs, scaled to it")
    axes.set(xlabel="‖v_r‖ at the start", ylabel="‖v_r‖ in the end", xlim=(0, 2), ylim=(0, 2))
    axes.legend(frameon=False)
    return fig


REMAINS = 0.01
"""A fan-out counts as vanishing where less than this, times the teacher's, is left at the end."""

HORIZON = 60.0
"""Time given: ten e-folds of a pair 1 rad apart (rate 0.18), twenty of the merging from fan-outs of 0.6."""

DIGITS, STEP = 20, 0.5
"""Of the confirmation: rates are of order one, its error far below a hundredth."""


def near_and_apart(start: MergingPair) -> tuple[Assumption, ...]:
    """What remains of the theorem's 'close' and 'far away': as in the reading of its limit."""
    apart = min(start.apart, math.pi / 2)
    return (
        Assumption.at_least("α, the smallest angle between nodes,", apart, 0.6, "rad"),
        Assumption.below("θ₀ / α", start.theta0 / apart, Fraction(1, 3)),
    )


@THEOREM5.claim(
    "necessity",
    part="pair",
    expected="needed",
    on=MergingPair,
    draw=drawn_fields(MergingPair, apart=st.sampled_from((0.8, 1.0, 1.5))),
    assume=near_and_apart,
    examples=(MergingPair(1.5, 0.1, 1.0), MergingPair(1.2, 0.2, 1.5), MergingPair(2.0, 0.05, 1.5)),
    cost=SEARCH.at_quick(8),
    compares=("‖v_r‖ / ‖v*‖ left at t = 60", "≤", "0.01, what counts as vanished"),
    telling=lambda start: start.theta0 >= 0.1 and start.apart >= 1.0,
    note="left out: conditions (41), (42), which no start of this family meets; the limit only",
)
def limit_without_its_conditions(start: MergingPair, context: Context, *, shrunk: float = 1.0) -> Evidence:
    """Theorem 5's limit with conditions (41), (42) left out

    W_u(0) near W*, V_u(0) = V*, all nodes well apart  ⇒  V_r → 0

    It fails: two irrelevant nodes with opposite fan-outs of 1.2 ‖v*‖ and more merge and keep them, while the relevant
    student, 0.1 to 0.3 rad off at the start, finds its teacher and the loss goes to zero. Exactly symmetric starts have
    a closed form, ``theorem5.pair``; these are near it, and an open set of starts around them fails too. The theorem
    itself is untouched: where V_r is that large its conditions do not hold.
    """
    # Altered: fan-outs ``shrunk`` by a factor.
    _, left, apart = state_at(shrunk_by(start, shrunk), HORIZON)
    if left > REMAINS and apart > MERGED:
        raise CannotJudgeError(f"still merging or dying at t = {HORIZON:g}")
    return Evidence.at_most(left, bound=REMAINS, tolerance=0.0, apart=apart)


def shrunk_by(start: MergingPair, factor: float) -> MergingPair:
    """The start with smaller fan-outs of its pair."""
    return MergingPair(start.size * factor, start.theta0, start.apart, start.seed)


@limit_without_its_conditions.confirmed_precisely(digits=DIGITS)
def in_many_digits(start: MergingPair, *, shrunk: float = 1.0) -> Evidence:
    """The smaller of the two norms with kernels, field and Runge-Kutta steps written again, in 20 digits."""
    with mp.workdps(DIGITS):
        reference = TwoLayerReference(shrunk_by(start, shrunk).problem())
        _, V = reference.integrate(HORIZON, round(HORIZON / STEP))
        left = float(min(mp.norm(v) for v in V[1:]))
    return Evidence.at_most(left, bound=REMAINS, tolerance=0.0)


limit_without_its_conditions.accepts("a fifth of it", MergingPair(1.5, 0.1, 1.0), shrunk=0.2)
limit_without_its_conditions.rejects(
    "0.6 of the teacher's fan-out, 1 rad apart", MergingPair(1.2, 0.1, 1.0), shrunk=0.5
)
limit_without_its_conditions.excludes("nodes half a radian apart", MergingPair(apart=0.5), "α, the smallest")
limit_without_its_conditions.excludes("a student 0.6 rad off", MergingPair(theta0=0.6, apart=1.0), "θ₀ / α")
limit_without_its_conditions.includes("just inside", MergingPair(theta0=0.2, apart=0.61))
