"""Assumption 2 as first printed (v1): its wording does not give Lemma 2."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from dynamics.arrays import Array
from dynamics.measures.empirical import EmpiricalMeasure
from verify.judging import Assumption, Budget, Context, Evidence, fixed
from verify.judging.domains import Instance, integers, reals
from verify.luckmatters.assumption2 import ASSUMPTION2


@dataclass(frozen=True)
class AtomicInput(Instance):
    """Input uniform on ``atoms`` points of the unit circle; w_j = w*_j = e_1, w*_k half past the ``turn``-th atom.

    The student w_k is turned on by ``2 pi step`` / atoms, far enough to let at least one atom pass its boundary.
    """

    atoms: int = fixed(8, integers(2))
    turn: int = fixed(0, integers(0))
    step: float = fixed(1.0, reals(0))


def gates_in_reach(budget: Budget) -> st.SearchStrategy[AtomicInput]:
    """Up to 64 atoms, the teacher's gate up to a quarter turn from the student's."""
    return st.integers(4, 64).flatmap(
        lambda atoms: st.builds(
            AtomicInput, atoms=st.just(atoms), turn=st.integers(0, atoms // 4), step=st.floats(0.5, 2.0)
        )
    )


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


def overlaps_of(instance: AtomicInput) -> tuple[float, float, float]:
    """``psi_d(w_j, w*_k)``, ``psi_d(w_j, w_k)`` and the chord ``||w*_k - w_k||``."""
    measure, w_j, teacher, student = circle(instance)
    chord = float(np.linalg.norm(teacher - student))
    return float(measure.psi_d(w_j, teacher)[0, 0]), float(measure.psi_d(w_j, student)[0, 0]), chord


def first_wording_at_K_zero(instance: AtomicInput) -> tuple[Assumption, ...]:
    """v1's Eqn 8 with K_d = 0, both ways between w*_k and w_k, as Lemma 2 uses it."""
    start, end, _ = overlaps_of(instance)
    jump = abs(start - end)
    room = min(start, end) - jump
    return (
        Assumption.at_least("v1's Eqn 8 with K_d = 0, both ways: smaller overlap less jump", room, -1e-12),
        Assumption.above("smaller overlap of the gates", min(start, end), 0),
    )


@ASSUMPTION2.claim(
    "printed",
    expected="refuted",
    on=AtomicInput,
    draw=gates_in_reach,
    assume=first_wording_at_K_zero,
    place="Assumption 2 with the lemma that uses it (Lemma 2 of v4, Eqn 19)",
    note="mended by the authors in v4",
    version="v1",
    compares=("‖w*_k d*_jk − w_k d_jk‖", "≤", "(1 + K_d) d*_jk ‖w*_k − w_k‖ at K_d = 0"),
    telling=lambda instance: instance.atoms >= 16 and instance.turn > 0,
)
def gives_lemma2(instance: AtomicInput, context: Context) -> Evidence:
    """Lipschitz kernels as first printed give Lemma 2

    |ψ_i(w,w₁) − ψ_i(w,w₂)| ≤ ψ_i(w,w₁) (1 + K_i ‖w₁−w₂‖)
    ⇒  ‖w*_k d*_jk − w_k d_jk‖ ≤ (1+K_d) d*_jk ‖w*_k−w_k‖

    The printed right-hand side does not vanish at w₁ = w₂, so a kernel may jump (finite data do) and still satisfy it
    with K_d = 0; Lemma 2 needs the fourth version's form. A slip: the authors mended it, and nothing depends on it.
    """
    _, _, teacher, student = circle(instance)
    start, end, chord = overlaps_of(instance)
    difference = float(np.linalg.norm(teacher * start - student * end))
    return Evidence.at_most(
        difference, bound=start * chord, tolerance=1e-12, d_star=start, d=end, chord=chord
    )


@gives_lemma2.confirmed_precisely(digits=0)
def gates_counted_in_fractions(instance: AtomicInput) -> Evidence:
    """The same with gates counted in exact fractions of a turn instead of signs of products."""
    quarter = Fraction(1, 4)

    def share(*angles: Fraction) -> Fraction:
        inside = 0
        for index in range(instance.atoms):
            atom = (index + quarter) / instance.atoms
            inside += all(
                abs((atom - angle + Fraction(1, 2)) % 1 - Fraction(1, 2)) < quarter for angle in angles
            )
        return Fraction(inside, instance.atoms)

    start = (instance.turn + Fraction(1, 2)) / instance.atoms
    end = start + Fraction(instance.step) / instance.atoms
    d_star, d = share(Fraction(0), start), share(Fraction(0), end)
    half_turn = np.pi * float(end - start)
    chord = 2 * np.sin(half_turn)
    # |a u - b v|^2 = (a - b)^2 + a b |u - v|^2 for unit u, v: no cancellation.
    difference = float(np.sqrt(float((d_star - d) ** 2) + float(d_star * d) * chord**2))
    return Evidence.at_most(difference, bound=float(d_star) * chord, tolerance=0.0)


gives_lemma2.errs(
    says="Assumption 2 of v1: |ψ_i(w,w₁) − ψ_i(w,w₂)| ≤ ψ_i(w,w₁)(1 + K_i‖w₁ − w₂‖).",
    true="The right-hand side does not vanish at w₁ = w₂, so finite data satisfy it with K = 0 while ψ_d jumps, and it "
    "does not give the bound ‖w*_k d*_jk − w_k d_jk‖ ≤ (1 + K_d) d*_jk ‖w*_k − w_k‖. The fourth version prints "
    "K_i ψ_i(w,w₁)‖w₁ − w₂‖, which does.",
    impact="typographical",
    matters="Nothing depends on it: the authors mended it.",
)
gives_lemma2.rejects_moved(
    "1e-10 more where no atom passes", AtomicInput(atoms=8, turn=0, step=0.5), by=1e-10
)
gives_lemma2.excludes("a third of a turn", AtomicInput(atoms=6, turn=0, step=2.0), "v1's Eqn 8")
gives_lemma2.excludes(
    "gates a quarter turn and more apart",
    AtomicInput(atoms=4, turn=1, step=0.5),
    "smaller overlap of the gates",
)
gives_lemma2.includes("a quarter of the atoms shared", AtomicInput(atoms=4, turn=0, step=0.5))
gives_lemma2.accepts(
    "with no atom between w*_k and w_k Lemma 2 is accepted", AtomicInput(atoms=8, turn=0, step=0.5)
)
