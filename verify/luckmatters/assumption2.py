"""Assumption 2: the Lipschitz kernels; the v1 wording does not give Lemma 2, the v4 wording holds on the balls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from dynamics.arrays import Array
from dynamics.geometry.angles import tangent_projection, unit_columns
from dynamics.measures.biased_gaussian import BiasedGaussian
from dynamics.measures.empirical import EmpiricalMeasure
from dynamics.measures.input_measure import InputMeasure
from dynamics.measures.isotropic_gaussian import IsotropicGaussian
from dynamics.two_layer import teachers
from verify.judging import (
    LUCK_MATTERS,
    Assumption,
    Budget,
    Context,
    Control,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
)
from verify.mathematics.theorem4_constants import lipschitz_d_isotropic, lipschitz_d_thresholded

KEY = "luckmatters.assumption2"
PAIRS = 400


# --- v1: |psi(w, w1) - psi(w, w2)| <= psi(w, w1) (1 + K ||w1 - w2||) ---------------------------------------------


@dataclass(frozen=True)
class AtomicInput:
    """Input uniform on ``atoms`` points of the unit circle; w_j = w*_j = e_1, w*_k half past the ``turn``-th atom.

    The student w_k is turned on by ``2 pi step`` / atoms, far enough to let at least one atom pass its boundary.
    """

    atoms: int = 8
    turn: int = 0
    step: float = 1.0


def circle(instance: AtomicInput) -> tuple[EmpiricalMeasure, Array, Array, Array]:
    """The measure and the three columns ``w_j, w*_k, w_k``."""
    grid = 2 * np.pi * (np.arange(instance.atoms) + 0.25) / instance.atoms
    start = 2 * np.pi * (instance.turn + 0.5) / instance.atoms
    end = start + 2 * np.pi * instance.step / instance.atoms

    def column(angle: float) -> Array:
        return np.array([[np.cos(angle)], [np.sin(angle)]])

    return (
        EmpiricalMeasure(np.stack([np.cos(grid), np.sin(grid)], axis=1)),
        column(0.0),
        column(start),
        column(end),
    )


def counts(instance: AtomicInput) -> tuple[float, float, float]:
    """``psi_d(w_j, w*_k)``, ``psi_d(w_j, w_k)`` and the chord ``||w*_k - w_k||``."""
    measure, w_j, teacher, student = circle(instance)
    chord = float(np.linalg.norm(teacher - student))
    return float(measure.psi_d(w_j, teacher)[0, 0]), float(measure.psi_d(w_j, student)[0, 0]), chord


def v1_assumptions(instance: AtomicInput) -> tuple[Assumption, ...]:
    """v1's Eqn 8 with K_d = 0, both ways between w*_k and w_k, as Lemma 2 uses it."""
    start, end, _ = counts(instance)
    jump = abs(start - end)
    room = min(start, end) - jump
    return (
        Assumption("v1's Eqn 8 with K_d = 0, both ways", room + 1e-12),
        Assumption("the gates overlap", min(start, end)),
    )


def lemma2_from_v1(instance: AtomicInput, context: Context) -> Evidence:
    """Lemma 2's Eqn 19 with the same K_d = 0: ``||w*_k d*_jk - w_k d_jk|| <= d*_jk ||w*_k - w_k||``."""
    _, _, teacher, student = circle(instance)
    start, end, chord = counts(instance)
    difference = float(np.linalg.norm(teacher * start - student * end))
    return Evidence.at_most(
        difference, bound=start * chord, tolerance=1e-12, d_star=start, d=end, chord=chord
    )


def confirm_v1(instance: AtomicInput) -> Evidence:
    """The same with gates counted in exact fractions of a turn instead of signs of products."""
    quarter = Fraction(1, 4)

    def _share(*angles: Fraction) -> Fraction:
        inside = 0
        for index in range(instance.atoms):
            atom = (index + quarter) / instance.atoms
            inside += all(
                abs((atom - angle + Fraction(1, 2)) % 1 - Fraction(1, 2)) < quarter for angle in angles
            )
        return Fraction(inside, instance.atoms)

    start = (instance.turn + Fraction(1, 2)) / instance.atoms
    end = start + Fraction(instance.step) / instance.atoms
    d_star, d = _share(Fraction(0), start), _share(Fraction(0), end)
    half_turn = np.pi * float(end - start)
    chord = 2 * np.sin(half_turn)
    # |a u - b v|^2 = (a - b)^2 + a b |u - v|^2 for unit u, v: no cancellation.
    difference = float(np.sqrt(float((d_star - d) ** 2) + float(d_star * d) * chord**2))
    return Evidence.at_most(difference, bound=float(d_star) * chord, tolerance=0.0)


def v1_instances(budget: Budget) -> st.SearchStrategy[AtomicInput]:
    """Up to 64 atoms, the teacher's gate up to a quarter turn from the student's."""
    return st.integers(4, 64).flatmap(
        lambda atoms: st.builds(
            AtomicInput, atoms=st.just(atoms), turn=st.integers(0, atoms // 4), step=st.floats(0.5, 2.0)
        )
    )


PRINTED = Statement(
    key=KEY,
    form=Form.PRINTED,
    title="Lipschitz kernels as first printed give Lemma 2",
    claim="|ψ_i(w,w₁) − ψ_i(w,w₂)| ≤ ψ_i(w,w₁) (1 + K_i ‖w₁−w₂‖)\n"
    "⇒  ‖w*_k d*_jk − w_k d_jk‖ ≤ (1+K_d) d*_jk ‖w*_k−w_k‖",
    source=Source(LUCK_MATTERS, "Assumption 2 (v1, Eqn 8) with Lemma 2 (Eqn 19)"),
    expected=Outcome.REFUTED,
    instance_type=AtomicInput,
    assumptions=v1_assumptions,
    evidence=lemma2_from_v1,
    confirm=confirm_v1,
    instances=v1_instances,
    controls=(
        Control(
            "with no atom between w*_k and w_k Lemma 2 is accepted",
            lambda c: lemma2_from_v1(AtomicInput(atoms=8, turn=0, step=0.5), c),
            must_hold=True,
        ),
    ),
    remark="The printed right-hand side does not vanish at w₁ = w₂, so a kernel may jump (finite data do) and still "
    "satisfy it with K_d = 0; Lemma 2 needs the fourth version's form.",
)


# --- v4: |psi(w, w1) - psi(w, w2)| <= K psi(w, w1) ||w1 - w2|| on the balls --------------------------------------


@dataclass(frozen=True)
class BallInstance:
    """Two teachers ``alpha`` apart (or thresholded and orthogonal) in d dimensions, balls of radius ``theta0``."""

    d: int = 2
    theta0: float = 0.5
    alpha: float = np.pi / 2
    threshold: float = 0.0
    seed: int = 0


def setting(instance: BallInstance) -> tuple[InputMeasure, Array, float]:
    """Measure, the two teachers as columns, and K_d."""
    rng = np.random.default_rng(instance.seed)
    if instance.threshold > 0:
        teacher = teachers.thresholded(instance.d, 2, instance.threshold, rng)
        bound = lipschitz_d_thresholded(instance.threshold, 2, instance.theta0)
        return BiasedGaussian(instance.d), teacher, bound
    frame = teachers.orthonormal(instance.d, 2, rng)
    bent = np.cos(instance.alpha) * frame[:, 0] + np.sin(instance.alpha) * frame[:, 1]
    bound = lipschitz_d_isotropic(instance.alpha, instance.theta0)
    return IsotropicGaussian(instance.d), np.stack([frame[:, 0], bent], axis=1), bound


def ball_assumptions(instance: BallInstance) -> tuple[Assumption, ...]:
    """A finite K_d exists only where the balls stay away from antiparallel pairs (and from the bias axis)."""
    bound = setting(instance)[2]
    return (Assumption("finite K_d on the balls", 1 / bound if bound > 0 else 1.0),)


def in_ball(centre: Array, radius: Array, rng: np.random.Generator) -> Array:
    """Unit columns at angles ``radius (pairs,)`` from ``centre (d, 1)`` in random directions, ``(pairs, d, 1)``."""
    centre = np.broadcast_to(centre, (len(radius), *centre.shape))
    tangent = unit_columns(tangent_projection(centre, rng.standard_normal(centre.shape)))
    # Once more: a draw almost along the centre leaves a rest along it, and the column would lie outside the ball.
    tangent = unit_columns(tangent_projection(centre, tangent))
    turn = radius[:, None, None]
    return np.asarray(np.cos(turn) * centre + np.sin(turn) * tangent)


def worst_ratio(instance: BallInstance, rng: np.random.Generator) -> float:
    """Largest ``|psi_d(w, w_1) - psi_d(w, w_2)| / (psi_d(w, w_1) ||w_1 - w_2||)`` found in the three uses.

    Random members of the balls, half of them on the rim, and the pair on the great circle through both teachers
    where the closed form is attained.
    """
    measure, teacher, _ = setting(instance)
    first, second = teacher[:, :1], teacher[:, 1:]
    radius = instance.theta0 * np.where(rng.random(PAIRS) < 0.5, 1.0, rng.uniform(0.01, 1.0, PAIRS))
    w, moved = in_ball(first, radius, rng), in_ball(second, rng.permutation(radius), rng)
    own = in_ball(first, radius, rng)
    outward = unit_columns(tangent_projection(first, -second))
    onward = unit_columns(tangent_projection(second, -first))
    turn = instance.theta0
    w[0], moved[0] = (
        np.cos(turn) * first + np.sin(turn) * outward,
        np.cos(turn) * second + np.sin(turn) * onward,
    )
    uses = [
        (w, second, moved),
        (w, first, own),
        (second, first, own),
        (second, own, first),
        (first, own, first),
    ]
    return max(_ratio(measure, *use) for use in uses)


def _ratio(measure: InputMeasure, w: Array, base: Array, moved: Array) -> float:
    seen_base, seen_moved = measure.psi_d(w, base), measure.psi_d(w, moved)
    chord = np.linalg.norm(base - moved, axis=-2)[..., None]
    return float(np.max(np.abs(seen_base - seen_moved) / (seen_base * chord)))


def lipschitz_on_balls(instance: BallInstance, context: Context, shrink: float = 1.0) -> Evidence:
    """Evidence for ``K_d`` (times ``shrink``, 1 but for the control) bounding every ratio found."""
    bound = setting(instance)[2]
    measured = worst_ratio(instance, context.rng(instance.seed))
    return Evidence.at_most(measured, bound=shrink * bound, tolerance=ball_rounding(instance, bound))


def ball_rounding(instance: BallInstance, bound: float) -> float:
    """Bound on the rounding of a ratio: kernels good to some ulp, over a chord of 0.01 theta0 and the smallest kernel.

    Without bias the smallest is ``room / 2 pi``, ``room = pi - alpha - theta0``, and columns placed on the rim to some
    eps move it, and with it the ratio, by that share of ``room``.
    """
    eps = float(np.finfo(np.float64).eps)
    room = np.pi - instance.alpha - instance.theta0
    smallest, placed = (
        (1e-9, 1e-12) if instance.threshold > 0 else (room / (2 * np.pi), 16 * eps / room + 1e-12)
    )
    return float(eps / 2 / (0.01 * instance.theta0 * smallest) + placed * bound)


def ball_instances(budget: Budget) -> st.SearchStrategy[BallInstance]:
    """Unbiased teachers at any angle; thresholded ones from a grid, whose K_d is kept once found."""
    seeds = st.integers(0, 2**16)
    unbiased = st.builds(
        BallInstance, d=st.integers(2, 10), theta0=st.floats(1e-3, 1.2), alpha=st.floats(0.1, 3.0), seed=seeds
    )
    thresholded = st.builds(
        BallInstance,
        d=st.integers(2, 10),
        theta0=st.sampled_from((1e-3, 3e-3, 1e-2, 2.5e-2)),
        threshold=st.sampled_from((0.5, 1.0, 2.0, 3.0, 4.0)),
        seed=seeds,
    )
    return st.one_of(unbiased, thresholded)


NEARLY_ANTIPARALLEL = BallInstance(theta0=0.640625, alpha=2.5)
"""The balls come within 0.001 of antiparallel: a column 1e-14 outside its ball once exceeded K_d = 1051."""

CORRECTED = Statement(
    key=KEY,
    form=Form.CORRECTED,
    title="Lipschitz kernels on the balls, with the constant",
    claim="|ψ_d(w,w₁) − ψ_d(w,w₂)| ≤ K_d ψ_d(w,w₁) ‖w₁−w₂‖  on ∠(w_j, w*_j) ≤ θ₀,\n"
    "isotropic input: K_d = [(θ₀/2)/sin(θ₀/2)] / (π − α_max − θ₀)",
    source=Source(LUCK_MATTERS, "Assumption 2 (v4)", "the constant is our own"),
    expected=Outcome.HOLDS,
    instance_type=BallInstance,
    assumptions=ball_assumptions,
    evidence=lipschitz_on_balls,
    instances=ball_instances,
    examples=(BallInstance(), BallInstance(threshold=4.0, theta0=1e-2, d=4), NEARLY_ANTIPARALLEL),
    controls=(
        Control(
            "K_d × 0.99 is rejected where the closed form is attained",
            lambda c: lipschitz_on_balls(replace(BallInstance(), theta0=0.3), c, shrink=0.99),
        ),
        Control(
            "K_d × 0.8 is rejected for thresholded teachers",
            lambda c: lipschitz_on_balls(BallInstance(threshold=3.0, theta0=1e-2), c, shrink=0.8),
        ),
    ),
    remark="A finite K_d exists only on a region: ψ_d → 0 as two vectors become antiparallel.",
)
