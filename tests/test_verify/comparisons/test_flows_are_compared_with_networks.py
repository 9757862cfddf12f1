"""Networks agree with the flow that is their gradient flow, and with no other: at every step, at the stated level."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from scipy.stats import chi2, norm

from dynamics.two_layer.problem_options import FlowName
from luckproof import (
    BiasedGaussian,
    GradientFlow,
    ProjectedFlow,
    TeacherStudent,
    TwoLayerFlow,
    compare,
    teachers,
)
from nets.two_layer.training_options import TwoLayerTraining
from verify.comparisons.data import plain
from verify.comparisons.innovations import Innovations
from verify.comparisons.late_rates import LateRates
from verify.comparisons.options import TwoLayerComparison
from verify.comparisons.told import told
from verify.comparisons.windows import window_count
from verify.mathematics.rates import discrete_rate

HOW = {"lr": 0.1, "batch_size": 32, "steps": 160, "networks": 16, "resolve": 0.15}
SEEDS = range(20)


def problem_of(flow: FlowName, seed: int) -> TeacherStudent:
    """Small problems; with V, one more student than teachers."""
    start = {} if flow is FlowName.PROJECTED else {"n": 3, "p_W": 1.0, "p_V": 1.0}
    return TwoLayerTraining(flow, d=4, m=2, seed=seed, **start).problem()


class Stretched(ProjectedFlow):
    """Theorem 4's flow, its field multiplied by ``factor`` within ``reach`` of the teacher."""

    factor, reach = 1.04, np.inf

    def field(self, W, V):
        dW, dV = super().field(W, V)
        near = np.linalg.norm(W - self.problem.teacher_W, axis=(-2, -1), keepdims=True) < self.reach
        return np.where(near, self.factor, 1.0) * dW, dV


class NearlyRight(Stretched):
    """Wrong near the teacher only."""

    factor, reach = 1.3, 0.02


class Turned(ProjectedFlow):
    """Theorem 4's flow with a tenth of it turned out of its direction, at the same speed along it."""

    def field(self, W, V):
        dW, dV = super().field(W, V)
        tangent = dW - W * (W * dW).sum(axis=-2, keepdims=True)
        other = np.roll(tangent, 1, axis=-2)
        other -= W * (W * other).sum(axis=-2, keepdims=True)
        along = (other * tangent).sum(axis=(-2, -1), keepdims=True)
        size = np.maximum((tangent**2).sum(axis=(-2, -1), keepdims=True), 1e-300)
        return dW + 0.3 * (other - tangent * along / size), dV


@pytest.fixture(scope="module")
def right():
    """Comparisons with the right flow, one a seed, all three flows in turn."""
    flows = {
        FlowName.PROJECTED: ProjectedFlow,
        FlowName.TWO_LAYER: TwoLayerFlow,
        FlowName.GRADIENT: GradientFlow,
    }
    kinds = [list(flows)[seed % 3] for seed in SEEDS]
    return [
        compare(flows[kind], problem_of(kind, seed), seed=seed, **HOW)
        for seed, kind in zip(SEEDS, kinds, strict=True)
    ]


def test_networks_agree_with_their_own_flow(right):
    """On all of twenty seeds: at level 1e-3 each, one false alarm among them has a chance of 2 %."""
    assert [found.verdict for found in right] == ["agree"] * len(SEEDS)


def test_standard_errors_are_those_of_the_innovations(right):
    """Speeds off one, in standard errors, are standard normal: neither wider, which hides, nor narrower."""
    z = np.array([window.innovations.z[:2] for found in right for window in found.judgement.windows])
    for kind in z.T:
        assert chi2.ppf(1e-4, kind.size) < (kind**2).sum() < chi2.isf(1e-4, kind.size)
        assert abs(kind.sum()) < norm.isf(1e-4) * np.sqrt(kind.size)


def test_a_flow_that_is_a_few_per_cent_too_fast_disagrees():
    """And one that is right in speed but turned."""
    for wrong, where in ((Stretched, "along the flow"), (Turned, None)):
        found = compare(wrong, problem_of(FlowName.PROJECTED, 0), **HOW | {"batch_size": 128})
        assert found.verdict == "disagree", wrong
        if where is not None:
            assert found.judgement.whole.worst[0] in (where, "towards the teacher")
            assert found.judgement.whole.speed == pytest.approx(
                1 / 1.04, abs=5 * found.judgement.whole.speed_error
            )


def test_the_first_disagreement_is_where_it_begins():
    """A flow that is wrong only near the teacher agrees in the windows before."""
    found = compare(NearlyRight, problem_of(FlowName.PROJECTED, 1), **HOW | {"steps": 600, "batch_size": 128})
    first = found.judgement.first_disagreement
    distance = np.linalg.norm(found.flow.observables["sin_theta"], axis=-1)
    near = found.t[distance < NearlyRight.reach][0]
    assert first is not None
    assert first.start > 0
    assert (
        first.start - 6.0 <= near <= first.end + 6.0
    )  # windows are 6 long, networks as late or early as that


def test_a_printed_equation_that_is_no_gradient_flow_disagrees():
    """Eqn 6 off the sphere; Theorem 4's flow where input has a bias."""
    rng = np.random.default_rng(0)
    assert (
        compare(
            lambda problem: TwoLayerFlow(problem, projected=False), problem_of(FlowName.TWO_LAYER, 0), **HOW
        ).verdict
        == "disagree"
    )
    columns = rng.standard_normal((5, 2)) + np.array([0, 0, 0, 0, -2.0])[:, None]
    biased = TeacherStudent.at_angle(
        columns / np.linalg.norm(columns, axis=0), 0.3, rng, measure=BiasedGaussian(4)
    )
    assert compare(ProjectedFlow, biased, **HOW).verdict == "disagree"


def test_too_few_samples_leave_it_unresolved():
    """Nothing disagrees, and nothing could have; more samples resolve the same question."""
    problem = problem_of(FlowName.PROJECTED, 0)
    few = compare(ProjectedFlow, problem, lr=0.1, batch_size=4, steps=40, networks=2)
    assert (few.verdict, window_count(40, 2)) == ("unresolved", 1)
    assert "too few to tell" in "\n".join(told(few))
    coarse = compare(ProjectedFlow, problem, **HOW | {"resolve": 1e-3})
    assert coarse.verdict == "unresolved"
    assert compare(ProjectedFlow, problem, **HOW).verdict == "agree"


@pytest.mark.parametrize(
    ("option", "value"), [("momentum", 0.5), ("weight_decay", 0.1), ("products", "float32")]
)
def test_what_its_errors_do_not_cover_is_refused(option, value):
    """It judges single steps of plain SGD by networks whose gradients are right to float64's rounding."""
    flow = FlowName.TWO_LAYER
    TwoLayerComparison(flow, d=4, m=2)  # control: without it
    TwoLayerTraining(flow, d=4, m=2, **{option: value})  # control: a training takes it
    with pytest.raises(ValueError, match=f"^{option}: expected .* in a comparison"):
        TwoLayerComparison(flow, d=4, m=2, **{option: value})


def test_networks_are_those_of_train_and_deviations_are_paired():
    """The same options train the same networks, bit for bit; each is set against the flow from its own start."""
    options = TwoLayerComparison(d=4, m=2, steps=30, networks=3, instances=2, batch_size=8, points=4)
    found = options.compared()
    training = TwoLayerTraining(d=4, m=2, steps=30, networks=3, instances=2, batch_size=8, points=4)
    run = training.run(training.build())
    assert np.array_equal(found.networks["sin_theta"], run.observables["sin_theta"])
    sizes = np.linalg.norm(run.observables["sin_theta"], axis=-1)
    theory = np.repeat(np.linalg.norm(found.flow.observables["sin_theta"], axis=-1), 3, axis=1)
    logs = np.log(sizes / theory)
    mean, error = found.deviation
    np.testing.assert_allclose(mean, logs.mean(axis=1), atol=1e-12)
    np.testing.assert_allclose(error, logs.std(axis=1, ddof=1) / np.sqrt(6), atol=1e-12)


def test_the_late_rate_is_that_of_the_step():
    """Fitted on networks: within five standard errors of −log(1 − lr λ)/lr with sampling; the flow's own is λ."""
    problem = problem_of(FlowName.PROJECTED, 3)
    found = compare(ProjectedFlow, problem, lr=0.4, batch_size=256, steps=200, networks=32).late
    assert found.discrete == pytest.approx(float(discrete_rate(found.spectral, 0.4)))
    assert found.flow == pytest.approx(found.spectral, rel=5e-3)
    assert abs(found.networks - found.predicted) < 5 * found.standard_error
    assert abs(found.networks - found.spectral) > 5 * found.standard_error
    assert found.sampling < 0
    assert LateRates().predicted is None


def test_skewness_is_taken_out():
    """Sums of 300 exponential numbers: both tails as they should be, which without the correction they are not."""
    x = np.random.default_rng(0).exponential(size=(300, 20_000)) - 1
    sums = Innovations(300, x.sum(0), (x**2).sum(0), (x**3).sum(0))
    allowed = norm.isf(1e-4) * np.sqrt(0.005 * 20_000)
    edge = norm.isf(0.005)
    plainly = sums.mean / sums.standard_error
    assert (plainly < -edge).sum() > 100 + 2 * allowed
    for tail in ((sums.z < -edge).sum(), (sums.z > edge).sum()):
        assert abs(tail - 100) < allowed


def test_it_is_saved_with_all_that_came_of_it(tmp_path):
    """A data set that xarray opens; the verdict in its attributes; plain values that JSON takes."""
    found = compare(ProjectedFlow, problem_of(FlowName.PROJECTED, 0), points=6, **HOW)
    found.save(tmp_path / "c.nc")
    with xr.open_dataset(tmp_path / "c.nc", engine="h5netcdf") as data:
        assert data["networks_sin_theta"].shape == (6, 16, 2)
        assert data["flow_loss"].shape == (6, 1)
        assert data["speed"].sizes == {"window": 5}
        told_there = json.loads(data.attrs["luckproof_comparison"])
    assert told_there == json.loads(json.dumps(plain(found), allow_nan=False))
    assert told_there["verdict"] == "agree"
    assert len(told_there["windows"]) == 5


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"level": 0.0}, "level"),
        ({"resolve": -1.0}, "resolve"),
        ({"networks": 0}, "networks"),
        ({"lr": 0.0}, "lr"),
    ],
)
def test_bad_arguments_are_named(change, named):
    """Before anything is trained."""
    problem = TeacherStudent.at_angle(teachers.orthonormal(4, 2, 0), 0.3, 0)
    with pytest.raises(ValueError, match=f"^{named}: expected"):
        compare(ProjectedFlow, problem, **HOW | change)
