"""Theorem 2 on finitely many samples: interpolation with random features, and no student aligned with anything."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import mpmath as mp
import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import unit_columns
from dynamics.geometry.boundaries import Box, colinear, visibility
from dynamics.two_layer.critical.critical_points import dyadic_columns, dyadic_teacher, fit_fan_outs
from dynamics.two_layer.critical.relu_network import TwoLayerNetwork, sample_gradients
from verify.judging import FLOW, SEED, Assumption, Context, Evidence, Instance, OneOf, drawn, fixed, integers
from verify.mathematics.families.two_layer_pairs import NetworkPair, dyadic_points
from verify.mathematics.precise.kernels import DIGITS
from verify.specialization.theorem2 import THEOREM2


@dataclass(frozen=True)
class RandomFeatures(Instance):
    """``samples`` inputs from (-2, 2)^d and ``students`` random nodes whose top layer is fitted to the teacher."""

    d: int = drawn(2, st.integers(2, 4), integers(2))
    teachers: int = drawn(1, st.integers(1, 2), integers(1))
    samples: int = drawn(2, st.integers(2, 20), integers(1))
    students: int = drawn(4, st.integers(4, 60), integers(1))
    aligned: bool = fixed(False, OneOf((False, True)))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)

    def setting(self) -> tuple[Box, TwoLayerNetwork, Array, Array]:
        """Region, teacher, student columns and samples; ``aligned`` puts the teacher's columns among the students."""
        rng = np.random.default_rng(self.seed)
        region = Box.cube(self.d, 2.0)
        teacher = dyadic_teacher(region, self.teachers, 1, rng)
        columns = dyadic_columns(region, self.students, rng, teacher.augmented)
        if self.aligned:
            columns = np.concatenate([teacher.augmented, columns], axis=1)
        return region, teacher, columns, dyadic_points(region, rng, self.samples)

    def networks(self) -> tuple[NetworkPair, Array]:
        """Teacher and student of random features with least-squares fan-outs, and the samples."""
        region, teacher, columns, x = self.setting()
        fit = fit_fan_outs(columns, teacher, x, wander=0.0, rng=np.random.default_rng(0))
        return NetworkPair(region, teacher, fit.student), x


def critical_on_the_samples(features: RandomFeatures) -> tuple[Assumption, ...]:
    """A critical point on the samples: every per-sample gradient at the rounding of the fit."""
    networks, x = features.networks()
    student, teacher = networks.student, networks.teacher
    gradient = sample_gradients(student, teacher, x).largest
    weights = 1 + float(np.abs(student.W).max() + np.abs(student.V).max()) * networks.region.reach
    rounding = weights * networks.rounding
    visible = float(visibility(networks.region, teacher.augmented).min())
    active = float(teacher.activations(x).max(axis=0).min())
    return (
        Assumption.below(
            "every per-sample gradient / rounding", gradient / rounding, 1e3
        ),  # condition of the fit
        Assumption.above("every teacher visible: reach", visible, 0),
        Assumption.above("every teacher active at some sample: value", active, 0),
        Assumption.above("some fan-out: strength", float(student.strengths.max()), 0),
    )


PAPER_SIZE = RandomFeatures(d=3, teachers=3, samples=20, students=60)


@THEOREM2.claim(
    "necessity",
    part="finite_sample",
    expected="needed",
    on=RandomFeatures,
    assume=critical_on_the_samples,
    examples=(PAPER_SIZE,),
    cost=FLOW.at_quick(40),
    place="Theorem 2 read on the dataset of Theorem 1",
    compares=("teachers without a co-linear student", "=", "none"),
    telling=lambda features: features.teachers >= 2 and features.samples >= 10,
)
def active_teachers_are_learned(features: RandomFeatures, context: Context) -> Evidence:
    """Is the region needed: student specialization from a finite data set

    f* = f at N samples, every per-sample gradient zero, teacher j active there  ⇒  a student co-linear with j

    The paper takes the training set to be a region and leaves finite samples as future work (section 1).
    With more random nodes than samples a fitted top layer interpolates; nothing is aligned and the error
    between the samples is large. Theorems 2 to 5 need an open region of inputs, as their setting says;
    Theorem 1 does not.
    """
    networks, _ = features.networks()
    student, teacher = networks.student, networks.teacher
    covered = colinear(student.augmented, teacher.augmented).any(axis=0)
    x = networks.region.sample(2000, context.rng(features.seed))
    cosines = np.abs(unit_columns(student.augmented).T @ unit_columns(teacher.augmented)).max(axis=0)
    error = float(((teacher(x) - student(x)) ** 2).mean())
    missing = float((~covered).sum())
    return Evidence(
        predicted=0.0,
        measured=missing,
        margin=-missing,
        details={"largest cosine to each teacher": cosines.tolist(), "mean squared error elsewhere": error},
    )


@active_teachers_are_learned.confirmed_precisely(digits=50)
def fitted_in_fifty_digits(features: RandomFeatures) -> Evidence:
    """The same fit in 50 digits (normal equations of least norm); missing teachers count only if it interpolates."""
    _, teacher, columns, x = features.setting()
    with mp.workdps(DIGITS):
        nodes = mp.matrix(_node_values(columns, x))
        theirs = _node_values(teacher.augmented, x)
        fan_outs = [*teacher.V[:, 0].tolist(), float(teacher.c[0])]
        target = mp.matrix([mp.fsum(f * v for f, v in zip(row, fan_outs, strict=True)) for row in theirs])
        top = nodes.T * mp.lu_solve(nodes * nodes.T, target)
        residual = max(abs(entry) for entry in nodes * top - target)
        distinct = all(
            any(a[i] * b[j] != a[j] * b[i] for i in range(len(a)) for j in range(i))
            for a in columns.T.tolist()
            for b in teacher.augmented.T.tolist()
        )
        interpolates = residual < mp.mpf(10) ** (-DIGITS + 15)
        largest = max(abs(entry) for entry in top)
    count = float(teacher.nodes) if interpolates and distinct else 0.0
    details = {"residual": float(residual), "largest fan-out": float(largest)}
    return Evidence(predicted=0.0, measured=count, margin=-count, details=details)


def _node_values(columns: Array, x: Array) -> list[list[float]]:
    """Node values and a 1 at every sample; exact: products and sums of few-bit dyadic numbers."""
    return [[*np.maximum(point @ columns[:-1] + columns[-1], 0).tolist(), 1.0] for point in x]


active_teachers_are_learned.accepts(
    "the teacher's own columns among the students",
    RandomFeatures(samples=20, students=60, aligned=True),
)
active_teachers_are_learned.rejects("60 random nodes on 20 samples", PAPER_SIZE)
active_teachers_are_learned.excludes(
    "fewer nodes than samples", RandomFeatures(samples=20), "every per-sample gradient / rounding"
)
active_teachers_are_learned.excludes(
    "a sample at which the teacher is shut", RandomFeatures(samples=1), "every teacher active"
)
active_teachers_are_learned.includes("60 random nodes on 20 samples, inside", PAPER_SIZE)

active_teachers_are_learned.errs(
    says="Section 1: the training set is a region, finite samples are left as future work.",
    true=(
        "The region is needed: 60 random nodes interpolate 20 samples with every per-sample gradient "
        "zero, no student aligned and large errors elsewhere. Points are not a region; the inputs must "
        "form an open set."
    ),
    impact="substance",
    matters="Theorems 2 to 5 say nothing of a finite data set; Theorem 1 does.",
)
