"""The counterexample to 'low correlation, low fan-out' does not depend on how the network was trained."""

from __future__ import annotations

import numpy as np
import pytest

from luckproof import train_specialization
from nets.specialization.plan import EPOCH
from verify.mathematics.studies.autograd_experiment import by_autograd
from verify.mathematics.studies.coverage import specialisation_and_fan_out
from verify.mathematics.studies.trained_experiments import Trained
from verify.specialization.experiments_low_correlation import OneNetwork, ordering
from verify.specialization.experiments_over_realisation import just_realised

pytestmark = pytest.mark.statement("specialization.experiments")


def test_autograd_gives_the_same_network():
    """One epoch of stacked hand-written steps against torch.optim.SGD: same correlations and norms."""
    instance = OneNetwork()
    setting = instance.setting
    run = train_specialization(setting, seed=[instance.seed], steps=EPOCH, record_at=[])
    ours = [values[0] for values in specialisation_and_fan_out(run)]
    for found, expected in zip(ours, by_autograd(setting, instance.seed, EPOCH), strict=True):
        # A thousand steps of rounding, each of some hundred operations, near a saddle that they leave together.
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_ordering_compares_only_what_is_there():
    """Largest low-correlation norm against least high-correlation norm; nothing to compare holds."""
    norm = np.array([1.0, 2.0, 3.0])
    assert ordering(np.array([0.1, 0.7, 0.99]), norm).margin > 1.9
    assert ordering(np.array([0.99, 0.7, 0.1]), norm).margin < -1.9
    assert ordering(np.array([0.99, 0.7, 0.8]), norm).margin == 0


def test_compared_students_differ_in_width_only():
    """Paired instances share seed, polarity and length."""
    assert just_realised(Trained(polarity=0.75, seed=3)) == Trained(over_realisation=1, polarity=0.75, seed=3)
