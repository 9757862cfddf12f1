"""All critical points of given fan-ins: the fan-outs of co-linear students add up to the teacher's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dynamics.geometry.boundaries import visibility
from dynamics.two_layer.critical.critical_points import fit_fan_outs
from dynamics.two_layer.critical.residual_kinks import kink_coefficient
from verify.judging import ALGEBRA, Context, Evidence
from verify.mathematics.families.two_layer_pairs import NetworkPair, Splitting
from verify.mathematics.kinks.interpolating import FITTED, TOLERANCE, fitted, interpolating
from verify.specialization import DERIVED
from verify.specialization.theorem2 import THEOREM2

CROWD = Splitting(d=3, outputs=2, teachers=3, copies=2, cancelling=1, opposed=1, idle=1)


def largest_kink(networks: NetworkPair) -> tuple[float, int]:
    """Largest |kappa| over all visible boundaries, relative to the sum of all ``||w|| ||v||``; and their number."""
    teacher, student = networks.teacher, networks.student
    total = sum(float(net.fan_in_norms @ net.strengths) for net in (teacher, student))
    seen = networks.columns[:, visibility(networks.region, networks.columns) > 0]
    kappas = [kink_coefficient(column, teacher, student) for column in seen.T]
    return max(float(np.abs(kappa).max()) for kappa in kappas) / total, len(kappas)


@THEOREM2.claim(
    "sharp",
    expected="holds",
    on=Splitting,
    assume=interpolating,
    examples=(Splitting(), CROWD),
    cost=ALGEBRA.at_quick(80),
    place="Theorem 2",
    note=DERIVED,
    compares=("largest kink left, relative to the sum of all", "≤", "rounding"),
)
def every_kink_is_cancelled(splitting: Splitting, context: Context, *, nudge: float = 0.0) -> Evidence:
    """Fan-outs of co-linear students add up to the teacher's, observed or not

    r = 0 on the open region  ⇒  for every teacher j with a visible boundary
    v*_j ‖w*_j‖ = Σ_k v_k ‖w_k‖   over the students co-linear with j, multiples of either sign

    With a trained output bias Definition 1 already gives r = 0 (Theorem 1); neither observers nor α ≠ 0 are
    needed then. Judged on top layers fitted to given fan-ins and moved at random in the null space,
    so that every interpolating top layer can occur.
    """
    networks, error = fitted(splitting)
    V = networks.student.V.copy()
    V[0] *= 1 + nudge
    worst, count = largest_kink(replace(networks, student=replace(networks.student, V=V)))
    return Evidence.at_most(worst, bound=0.0, tolerance=TOLERANCE, boundaries=count, residual=error)


def without_copies(splitting: Splitting, context: Context) -> Evidence:
    """Altered setting: the first teacher's students are taken away; the best fit leaves its kink."""
    networks = splitting.networks()
    region, teacher = networks.region, networks.teacher
    rng = context.rng(5)
    kept = networks.student.augmented[:, splitting.copies :]
    fit = fit_fan_outs(kept, teacher, region.sample(FITTED, rng), wander=1.0, rng=rng)
    worst, _ = largest_kink(NetworkPair(region, teacher, fit.student))
    return Evidence.at_most(worst, bound=0.0, tolerance=TOLERANCE)


every_kink_is_cancelled.rejects_variant("one teacher without students", without_copies, CROWD)
every_kink_is_cancelled.rejects("a fan-out off by 1e-4", CROWD, nudge=1e-4)
every_kink_is_cancelled.includes("one copy of one teacher", Splitting())
