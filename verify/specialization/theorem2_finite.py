"""Theorem 2 on finitely many samples: interpolation with random features, and no student aligned with anything."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import mpmath as mp
import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import unit_columns
from dynamics.geometry.boundaries import Box, colinear, visibility
from dynamics.two_layer.critical_points import dyadic_columns, dyadic_teacher, fit_fan_outs
from dynamics.two_layer.relu_network import TwoLayerNetwork, sample_gradients
from verify.judging import Assumption, Budget, Context, Control, Cost, Evidence, Form, Outcome, Statement
from verify.mathematics.families.two_layer_pairs import dyadic_points
from verify.mathematics.precise.kernels import DIGITS
from verify.specialization.sources import source


@dataclass(frozen=True)
class RandomFeatures:
    """``samples`` inputs from (-2, 2)^d and ``students`` random nodes whose top layer is fitted to the teacher."""

    d: int = 2
    teachers: int = 1
    samples: int = 2
    students: int = 4
    aligned: bool = False
    seed: int = 0


def setting(instance: RandomFeatures) -> tuple[Box, TwoLayerNetwork, Array, Array]:
    """Region, teacher, student columns and samples; ``aligned`` puts the teacher's columns among the students."""
    rng = np.random.default_rng(instance.seed)
    region = Box.cube(instance.d, 2.0)
    teacher = dyadic_teacher(region, instance.teachers, 1, rng)
    columns = dyadic_columns(region, instance.students, rng, teacher.augmented)
    if instance.aligned:
        columns = np.concatenate([teacher.augmented, columns], axis=1)
    return region, teacher, columns, dyadic_points(region, instance.samples, rng)


def fitted(instance: RandomFeatures) -> tuple[Box, TwoLayerNetwork, TwoLayerNetwork, Array]:
    """Region, teacher, the student of random features with least-squares fan-outs, and the samples."""
    region, teacher, columns, x = setting(instance)
    fit = fit_fan_outs(columns, teacher, x, wander=0.0, rng=np.random.default_rng(0))
    return region, teacher, fit.student, x


def assumptions(instance: RandomFeatures) -> tuple[Assumption, ...]:
    """A critical point on the samples: every per-sample gradient at the rounding of the fit."""
    region, teacher, student, x = fitted(instance)
    gradient = sample_gradients(student, teacher, x).largest
    weights = 1 + float(np.abs(student.W).max() + np.abs(student.V).max()) * region.reach
    rounding = weights * (teacher.rounding(region.reach) + student.rounding(region.reach))
    return (
        Assumption("every per-sample gradient zero", 1e3 * rounding - gradient),  # condition of the fit
        Assumption("every teacher visible", float(visibility(region, teacher.augmented).min())),
        Assumption("every teacher active at some sample", float((teacher.activations(x).max(axis=0)).min())),
        Assumption("some fan-out", float(student.strengths.max())),
    )


def missing(instance: RandomFeatures, context: Context) -> Evidence:
    """How many teachers have no co-linear student, of either sign."""
    region, teacher, student, _ = fitted(instance)
    covered = colinear(student.augmented, teacher.augmented).any(axis=0)
    x = region.sample(2000, context.rng(instance.seed))
    cosines = np.abs(unit_columns(student.augmented).T @ unit_columns(teacher.augmented)).max(axis=0)
    error = float(((teacher(x) - student(x)) ** 2).mean())
    details = {"largest cosine to each teacher": cosines.tolist(), "mean squared error elsewhere": error}
    return Evidence(
        predicted=0.0, measured=float((~covered).sum()), margin=-float((~covered).sum()), details=details
    )


def confirm(instance: RandomFeatures) -> Evidence:
    """The same fit in 50 digits (normal equations of least norm); missing teachers count only if it interpolates."""
    _, teacher, columns, x = setting(instance)
    with mp.workdps(DIGITS):
        features = mp.matrix(_features(columns, x))
        theirs = _features(teacher.augmented, x)
        fan_outs = [*teacher.V[:, 0].tolist(), float(teacher.c[0])]
        target = mp.matrix([mp.fsum(f * v for f, v in zip(row, fan_outs, strict=True)) for row in theirs])
        top = features.T * mp.lu_solve(features * features.T, target)
        residual = max(abs(entry) for entry in features * top - target)
        exact = all(
            any(a[i] * b[j] != a[j] * b[i] for i in range(len(a)) for j in range(i))
            for a in columns.T.tolist()
            for b in teacher.augmented.T.tolist()
        )
        interpolates = residual < mp.mpf(10) ** (-DIGITS + 15)
    count = float(teacher.nodes) if interpolates and exact else 0.0
    return Evidence(predicted=0.0, measured=count, margin=-count, details={"residual": float(residual)})


def _features(columns: Array, x: Array) -> list[list[float]]:
    """Node values and a 1 at every sample; exact: products and sums of few-bit dyadic numbers."""
    return [[*np.maximum(point @ columns[:-1] + columns[-1], 0).tolist(), 1.0] for point in x]


def instances(budget: Budget) -> st.SearchStrategy[RandomFeatures]:
    """Two to 20 samples and four to 60 random features."""
    return st.builds(
        RandomFeatures,
        d=st.integers(2, 4),
        teachers=st.integers(1, 2),
        samples=st.integers(2, 20),
        students=st.integers(4, 60),
        seed=st.integers(0, 2**16),
    )


PAPER_SIZE = RandomFeatures(d=3, teachers=3, samples=20, students=60)

PRINTED = Statement(
    key="specialization.theorem2.finite_sample",
    form=Form.PRINTED,
    title="Student specialization from a finite data set",
    claim="f* = f at N samples, every per-sample gradient zero, teacher j active there  ⇒  a student "
    "co-linear with j",
    source=source("Theorem 2 read on the dataset of Theorem 1"),
    expected=Outcome.REFUTED,
    instance_type=RandomFeatures,
    instances=instances,
    assumptions=assumptions,
    evidence=missing,
    confirm=confirm,
    examples=(PAPER_SIZE,),
    controls=(
        Control(
            "the teacher's own columns among the students",
            lambda c: missing(RandomFeatures(samples=20, students=60, aligned=True), c),
            must_hold=True,
        ),
        Control("60 random nodes on 20 samples", lambda c: missing(PAPER_SIZE, c)),
    ),
    cost=Cost(40, 100, 300),
    remark="With more random nodes than samples a fitted top layer interpolates; nothing is aligned and "
    "the error "
    "between the samples is large. Theorems 2 to 5 need an open region of inputs, as their setting says; "
    "Theorem 1 does not.",
)
