"""Teachers, data and observables of the two-layer experiments are what the paper says they are."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from luckproof import SpecializationNetworks, SpecializationSetting
from nets.arrays import HostArrays
from nets.specialization.observables import (
    Evaluator,
    best_per_student,
    best_per_teacher,
    covered,
)
from nets.specialization.setting import SpecializationInputs, active_share

SETTING = SpecializationSetting(4, 2, 1.5, d=12, c=6, train_samples=400, eval_samples=4000)
EPS = float(np.finfo(np.float64).eps)


@pytest.fixture(scope="module")
def drawn():
    return SpecializationNetworks.draw(SETTING, [7, 8])


def test_teacher_is_normalised_polarised_and_biased(drawn):
    """||w*_j|| = 1, bias -0.1, fan-out entries from the list over j^p."""
    np.testing.assert_allclose(np.linalg.norm(drawn.teacher_W[:, :-1], axis=1), 1, rtol=8 * EPS)
    assert np.all(drawn.teacher_W[:, -1] == -0.1)
    assert np.all(drawn.teacher_V[:, -1] == -0.1)
    strength = np.arange(1, 5)[:, None] ** SETTING.polarity
    entries = 4 * drawn.teacher_V[:, :-1] * strength
    np.testing.assert_allclose(entries, entries.round(), atol=1e-12)
    assert np.abs(entries).max() <= 4 + 1e-12


def test_labels_and_inputs(drawn):
    """Rows are [x, 1] with the teacher's own output f*(x); x has the stated variance."""
    x, labels = drawn.training
    expected = np.maximum(x @ drawn.teacher_W, 0) @ drawn.teacher_V[:, :-1] + drawn.teacher_V[:, -1:]
    np.testing.assert_allclose(labels, expected, atol=1e-12)
    assert np.all(x[..., -1] == 1)
    count = 2 * 4000 * 12
    variance = drawn.evaluation.inputs[..., :12].var()
    assert abs(variance - 1.5**2) < 5 * 1.5**2 * np.sqrt(2 / count)  # standard error of a Gaussian's variance


def test_teachers_are_active_on_the_stated_share(drawn):
    """Phi(bias / std): 47.3 % at the paper's numbers, within five standard errors."""
    share = (drawn.teacher_hidden(drawn.evaluation.inputs) > 0).mean(axis=(0, 1))
    assert active_share(SETTING) == pytest.approx(0.4734, abs=1e-4)
    assert np.all(np.abs(share - active_share(SETTING)) < 5 * 0.5 / np.sqrt(2 * 4000))


def test_settings_are_paired_by_seed(drawn):
    """Another polarity rescales the same teacher; a wider start begins with the narrower one; data are the same."""
    other = SpecializationNetworks.draw(dataclasses.replace(SETTING, polarity=0.0, over_realisation=3), [8])
    np.testing.assert_array_equal(other.teacher_W[0], drawn.teacher_W[1])
    strength = np.arange(1, 5)[:, None] ** 1.5
    np.testing.assert_allclose(other.teacher_V[0, :-1], drawn.teacher_V[1, :-1] * strength, rtol=1e-12)
    np.testing.assert_array_equal(other.W[0][:, :8], drawn.W[1])
    np.testing.assert_array_equal(other.training.inputs[0], drawn.training.inputs[1])
    assert not np.array_equal(drawn.training.inputs[0], drawn.training.inputs[1])


def test_inputs_drawn_before_change_nothing(drawn):
    """Networks on inputs kept from another setting are those that draw their own."""
    other = dataclasses.replace(SETTING, polarity=0.0, over_realisation=5)
    kept = SpecializationNetworks.draw(SETTING, [7, 8], SpecializationInputs.draw(other, [7, 8]))
    for ours, theirs in ((kept.training, drawn.training), (kept.evaluation, drawn.evaluation)):
        np.testing.assert_array_equal(ours.inputs, theirs.inputs)
        np.testing.assert_array_equal(ours.outputs, theirs.outputs)


def test_observables_equal_their_definitions(drawn):
    """Correlation by numpy.corrcoef, loss by a direct mean, norms without biases."""
    rng = np.random.default_rng(1)
    W, V = rng.standard_normal(drawn.W.shape), rng.standard_normal(drawn.V.shape)
    observed = Evaluator(drawn, HostArrays()).observe(W, V)
    for s in range(2):
        x, labels = (part[s] for part in drawn.evaluation)
        hidden = np.maximum(x @ W[s], 0)
        teacher = np.maximum(x @ drawn.teacher_W[s], 0)
        expected = np.corrcoef(teacher, hidden, rowvar=False)[:4, 4:]
        np.testing.assert_allclose(observed["correlation"][s], expected, atol=1e-11)
        loss = np.mean((labels - hidden @ V[s, :-1] - V[s, -1]) ** 2)
        assert observed["loss"][s] == pytest.approx(loss, rel=1e-12)
        np.testing.assert_allclose(observed["fan_out_norm"][s], np.linalg.norm(V[s, :-1], axis=1), rtol=1e-13)
        np.testing.assert_allclose(observed["fan_in_norm"][s], np.linalg.norm(W[s, :-1], axis=0), rtol=1e-13)


def test_teacher_as_student_is_covered_and_dead_nodes_are_not(drawn):
    """The teacher's own weights: loss of rounding, correlation one; a node that never fires correlates with nothing."""
    W, V = np.zeros(drawn.W.shape), np.zeros(drawn.V.shape)
    W[..., :4], V[:, :4], V[:, -1] = drawn.teacher_W, drawn.teacher_V[:, :-1], drawn.teacher_V[:, -1]
    W[:, -1, 4:] = -1.0
    observed = Evaluator(drawn, HostArrays()).observe(W, V)
    assert np.all(observed["loss"] < 1e-28)
    assert covered(observed["correlation"]).all()
    np.testing.assert_allclose(best_per_teacher(observed["correlation"]), 1, atol=1e-9)
    np.testing.assert_array_equal(best_per_student(observed["correlation"])[:, 4:], 0)
