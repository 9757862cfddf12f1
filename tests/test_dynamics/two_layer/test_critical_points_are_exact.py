"""Split teachers are SGD critical points, exactly; fitted top layers reach all of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamics.geometry.boundaries import aligned, separation, visibility
from dynamics.two_layer.critical.critical_points import (
    SplitPlan,
    dyadic_columns,
    dyadic_teacher,
    fit_fan_outs,
)
from dynamics.two_layer.critical.relu_network import sample_gradients
from dynamics.two_layer.critical.residual_kinks import kink_coefficient, kink_points
from luckproof import Box, TwoLayerNetwork, split_teacher

pytestmark = pytest.mark.statement("specialization.theorem1", "specialization.eqn1", "specialization.kink")

plans = st.builds(
    SplitPlan, st.integers(1, 3), st.integers(0, 2), st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)
)


@given(d=st.integers(1, 4), outputs=st.integers(1, 3), plan=plans, seed=st.integers(0, 2**16))
def test_every_sample_gradient_is_zero(d, outputs, plan, seed):
    """Exactly on dyadic inputs, at rounding elsewhere in the region; Theorem 1's critical points exist for n >= m."""
    rng = np.random.default_rng(seed)
    box = Box.cube(d, 2.0)
    teacher = dyadic_teacher(box, 2, outputs, rng)
    student = split_teacher(teacher, box, plan, rng).student
    dyadic = 2 * rng.integers(-63, 64, (50, d)) / 64
    assert sample_gradients(student, teacher, dyadic).largest == 0
    anywhere = box.sample(50, rng)
    assert np.abs(teacher(anywhere) - student(anywhere)).max() <= (
        teacher.rounding(box.reach) + student.rounding(box.reach)
    )
    assert separation(teacher.augmented) > 0
    assert visibility(box, teacher.augmented).min() > 0


def test_a_reversed_teacher_has_no_aligned_student():
    """The antiparallel node and an always-active one stand for it: the sign in Definition 3."""
    rng = np.random.default_rng(0)
    box = Box.cube(3, 2.0)
    teacher = dyadic_teacher(box, 3, 2, rng)
    point = split_teacher(teacher, box, SplitPlan(reversed=1), rng)
    assert list(aligned(point.student.augmented, teacher.augmented).any(axis=0)) == [False, True, True]
    assert box.extremes(point.student.augmented[:, point.kind == "always"])[0].min() > 0


def test_leaving_the_region_breaks_the_equality():
    """The always-active node of a reversed teacher is so on the region only."""
    rng = np.random.default_rng(0)
    box = Box.cube(1, 2.0)
    teacher = dyadic_teacher(box, 1, 1, rng)
    student = split_teacher(teacher, box, SplitPlan(reversed=1), rng).student
    far = np.array([[-1e3], [1e3]])
    assert np.abs(teacher(far) - student(far)).max() > 1


@given(seed=st.integers(0, 2**16), wander=st.sampled_from([0.0, 1.0]))
def test_fitted_top_layers_interpolate_and_differ(seed, wander):
    """Zero residual on fresh points; the null space moves the fan-outs, not the function."""
    rng = np.random.default_rng(seed)
    box = Box.cube(2, 2.0)
    teacher = dyadic_teacher(box, 2, 1, rng)
    columns = split_teacher(teacher, box, SplitPlan(2, 0, 1, 1, 1), rng).student.augmented
    samples, x = box.sample(500, rng), box.sample(200, rng)
    fit = fit_fan_outs(columns, teacher, samples, wander, rng)
    assert np.abs(teacher(x) - fit.student(x)).max() < 1e-8 * np.abs(teacher(x)).max()
    least = fit_fan_outs(columns, teacher, samples, 0.0, rng)
    moved = np.abs(fit.student.V - least.student.V).max()
    assert (moved > 1e-6) == (wander > 0)


@given(seed=st.integers(0, 2**16))
def test_sample_gradients_are_differences_of_the_loss(seed):
    """Every summand of Eqn 1 against central differences of half the squared error of its sample."""
    rng = np.random.default_rng(seed)
    shapes = {"W": (2, 3), "b": (3,), "V": (3, 2), "c": (2,)}
    teacher, student = (
        TwoLayerNetwork(**{name: rng.standard_normal(shape) for name, shape in shapes.items()}, slope=0.1)
        for _ in range(2)
    )
    x = rng.standard_normal((5, 2))
    gradients = sample_gradients(student, teacher, x)
    step = 1e-6
    if np.abs(student.pre_activations(x)).min() < 1e-4:  # a kink within the step
        return
    for name, shape in shapes.items():
        for index in np.ndindex(*shape):
            moved = []
            for sign in (1, -1):
                value = getattr(student, name).copy()
                value[index] += sign * step
                moved.append(0.5 * ((teacher(x) - replace(student, **{name: value})(x)) ** 2).sum(axis=1))
            expected = (moved[1] - moved[0]) / (2 * step)
            ours = getattr(gradients, name)[(slice(None), *index)]
            np.testing.assert_allclose(ours, expected, atol=1e-7)


def test_kink_points_lie_on_the_boundary_and_inside():
    """At rounding on the boundary, their clearance no more than the distance to walls and other boundaries."""
    rng = np.random.default_rng(1)
    box = Box.cube(3, 1.0)
    columns = dyadic_columns(box, 4, rng)
    points = kink_points(box, columns[:, 0], columns, 100, rng)
    w = columns[:-1, 0]
    assert np.abs(points.x @ w + columns[-1, 0]).max() < 1e-13 * np.linalg.norm(w)
    assert np.all(points.clearance <= box.depth(points.x))
    assert len(points.x) == 100


def test_a_kink_is_additive_over_both_signs():
    """kappa of a split teacher vanishes; without one copy it is that copy's v ||w||."""
    rng = np.random.default_rng(2)
    box = Box.cube(2, 2.0)
    teacher = dyadic_teacher(box, 1, 2, rng)
    student = split_teacher(teacher, box, SplitPlan(copies=2), rng).student
    node = teacher.augmented[:, 0]
    np.testing.assert_allclose(kink_coefficient(node, teacher, student), 0, atol=1e-14)
    V = student.V.copy()
    V[1] = 0
    lost = kink_coefficient(-node, teacher, replace(student, V=V))
    np.testing.assert_allclose(lost, student.V[1] * student.fan_in_norms[1])


def test_bad_plans_and_shapes_are_named():
    """One line that names the argument."""
    rng = np.random.default_rng(0)
    box = Box.cube(1)
    with pytest.raises(ValueError, match="copies"):
        SplitPlan(copies=0)
    with pytest.raises(ValueError, match="idle"):
        SplitPlan(idle=-1)
    teacher = dyadic_teacher(box, 1, 1, rng)
    with pytest.raises(ValueError, match="reversed"):
        split_teacher(teacher, box, SplitPlan(reversed=2), rng)
    with pytest.raises(ValueError, match="count"):
        dyadic_columns(box, 100, rng)
    with pytest.raises(ValueError, match="W, b, V, c"):
        replace(teacher, b=np.zeros(3))
    with pytest.raises(ValueError, match="slope"):
        replace(teacher, slope=1.0)
    with pytest.raises(ValueError, match="V: expected finite"):
        replace(teacher, V=np.array([[np.nan]]))
    with pytest.raises(ValueError, match="node"):
        kink_points(box, np.array([0.0, 1.0]), teacher.augmented, 5, rng)
