"""Integrated flows: straight lines to 1e-100 at default tolerances, and the ordinary run where nothing is small."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from scipy.integrate import DOP853

from luckproof import (
    Array,
    BiasedGaussian,
    Event,
    GradientFlow,
    ProjectedFlow,
    TeacherStudent,
    Trajectory,
    TwoLayerDynamics,
    TwoLayerFlow,
    converged,
    integrate,
    spectral_rate,
    teachers,
)

pytestmark = pytest.mark.statement("luckmatters.theorem4")


def orthonormal(d: int = 6, m: int = 4, theta0: float = 0.3) -> TeacherStudent:
    return TeacherStudent.at_angle(teachers.orthonormal(d, m, 3), theta0, 3)


def rate_between(t: Array, sizes: Array, top: float, bottom: float) -> Array:
    """Least-squares rate of each series (T, k) where all are between the two sizes."""
    inside = (sizes.max(axis=1) < top) & (sizes.min(axis=1) > bottom)
    assert inside.sum() >= 8
    return np.asarray(-np.polyfit(t[inside], np.log(sizes[inside]), 1)[0])


def to_1e_100(flow: TwoLayerDynamics, rate: float, **options: str) -> Trajectory:
    """A run at default tolerances over 105 decades at the spectral rate."""
    end = 105 * np.log(10) / rate
    return integrate(flow, (0.0, end), t_eval=np.linspace(0, end, 801), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["auto", "CVODE", "ROCK4"])
def test_angles_fall_to_1e_100_at_the_spectral_rate(method: str) -> None:
    """Straight lines: the rate fitted to any eight decades in [1e-10, 1e-90] is the spectral one within 1e-6."""
    flow = ProjectedFlow(orthonormal())
    rate = float(np.asarray(spectral_rate(flow)))
    run = to_1e_100(flow, rate, method=method)
    assert run.success
    sines, loss = run.observables["sin_theta"], run.observables["loss"]
    assert 0 < sines[-1].max() < 1e-100
    assert (loss > 0).all()
    assert (np.diff(loss) < 0).all()
    size = np.linalg.norm(sines, axis=1, keepdims=True)
    for top in (1e-10, 1e-30, 1e-50, 1e-82):
        assert rate_between(run.t, size, top, 1e-8 * top) == pytest.approx(rate, rel=1e-6)
        assert rate_between(run.t, loss[:, None], top**2, (1e-8 * top) ** 2) == pytest.approx(
            2 * rate, rel=1e-6
        )
    assert np.abs(run.observables["norm_drift"]).max() < 1e-7


def test_the_ordinary_run_would_be_told() -> None:
    """The control: in W itself, at the same tolerances, the rate below 1e-10 is off by far more than 1e-6."""
    flow = ProjectedFlow(orthonormal())
    rate = float(np.asarray(spectral_rate(flow)))
    run = integrate(flow, (0.0, 320.0), t_eval=np.linspace(0, 320, 321), deviations=False)
    size = np.linalg.norm(run.observables["sin_theta"], axis=1, keepdims=True)
    late = (run.t > 270) & (size[:, 0] > 0)
    assert not (run.observables["loss"] > 0).all()
    assert abs(-np.polyfit(run.t[late], np.log(size[late, 0]), 1)[0] / rate - 1) > 1e-4


def test_spare_students_die_out_without_a_floor() -> None:
    """n > m with V learned: all fall to 1e-65, the slowest at the spectral rate to 1e-6."""
    rng = np.random.default_rng(1)
    teacher = teachers.orthonormal(5, 2, rng)
    flow = TwoLayerFlow(TeacherStudent.near_teacher(teacher, np.eye(2), 3, rng))
    run = integrate(flow, (0.0, 1500.0), t_eval=np.linspace(0, 1500, 501), events=[converged(1e-70)])
    state = flow.unpack(flow.equilibrium())
    W = np.concatenate([state["W"][:, :2], run.state["W"][-1][:, 2:]], axis=1)
    rate = float(np.asarray(spectral_rate(flow, flow.of_matrices(W / np.linalg.norm(W, axis=0), state["V"]))))
    assert run.status == "converged"
    spare = run.observables["fan_out_norm"][:, 2:]
    sizes = np.concatenate([run.observables["sin_theta"], spare], axis=1)
    assert rate_between(run.t, sizes, 1e-20, 1e-65).min() == pytest.approx(rate, rel=1e-6)
    assert rate_between(run.t, run.observables["loss"][:, None], 1e-40, 1e-120) == pytest.approx(
        2 * rate, rel=1e-3
    )


@pytest.mark.parametrize(
    "make",
    [
        ProjectedFlow,
        lambda p: ProjectedFlow(p, projected=False),
        lambda p: ProjectedFlow(p, modulation="matched"),
        lambda p: ProjectedFlow(p, modulation="matched", projected=False),
        TwoLayerFlow,
        lambda p: TwoLayerFlow(p, trains_V=False),
        GradientFlow,
        lambda p: GradientFlow(p, projected=True, trains_V=False),
    ],
    ids=[
        "projected",
        "plain",
        "matched",
        "matched, plain",
        "two-layer",
        "V fixed",
        "gradient",
        "gradient on spheres",
    ],
)
def test_far_from_the_solution_runs_are_as_before(make: Callable[[TeacherStudent], TwoLayerDynamics]) -> None:
    """Deviations of order one, teachers that are not orthonormal: the state is that of a run in W itself, to 1e-7."""
    rng = np.random.default_rng(5)
    flow = make(TeacherStudent.at_angle(teachers.random_unit(4, 3, rng, (2,)), 1.2, rng))
    (one, two) = (
        integrate(flow, (0.0, 6.0), t_eval=[0.0, 3.0, 6.0], rtol=1e-10, atol=1e-12, deviations=deviations)
        for deviations in (True, False)
    )
    assert flow.in_deviations() is not None
    for name, array in two.arrays.items():
        np.testing.assert_allclose(one.arrays[name], array, atol=1e-7, rtol=1e-7)
    for name, array in two.state.items():
        np.testing.assert_array_equal(one.state[name][0], array[0])


def test_students_of_other_teachers_are_none_the_worse() -> None:
    """Each student ends at the next one's teacher: deviations stay of order one, W is as accurate as it ever was."""
    teacher = teachers.orthonormal(5, 3, 0)
    moved = TeacherStudent.at_angle(np.roll(teacher, 1, axis=1), 0.2, 1)
    problem = TeacherStudent(teacher, moved.student_W)
    run = integrate(ProjectedFlow(problem), (0.0, 150.0), t_eval=[0.0, 150.0])
    assert run.success
    # Errors of 1e-8 at order one decay with everything else; what is left is the tolerance of the last steps.
    assert np.abs(run.state["W"][-1] - np.roll(teacher, 1, axis=1)).max() < 1e-5
    assert 0 <= abs(run.observables["loss"][-1]) < 1e-10


def test_a_start_at_the_solution_stays_there() -> None:
    """No deviation, no growth; beside it in one stack an instance that decays."""
    teacher = np.broadcast_to(teachers.orthonormal(4, 2, 0), (2, 4, 2))
    student = teacher.copy()
    student[1] = TeacherStudent.at_angle(teacher[1], 0.3, 0).student_W
    run = integrate(ProjectedFlow(TeacherStudent(teacher, student)), (0.0, 400.0), t_eval=[0.0, 400.0])
    assert run.success
    np.testing.assert_array_equal(run.observables["sin_theta"][:, 0], 0.0)
    assert 0 < run.observables["sin_theta"][-1, 1].max() < 1e-15


def test_a_stack_is_its_instances() -> None:
    """Each instance has its own scale: those of a stack are those of single runs, relative to the deviation."""
    stack = TeacherStudent.at_angle(teachers.random_unit(4, 2, 1, (3,)), 0.4, 1)
    run = integrate(ProjectedFlow(stack), (0.0, 300.0), t_eval=[0.0, 300.0])
    for i in range(3):
        alone = integrate(ProjectedFlow(stack.instance(i)), (0.0, 300.0), t_eval=[0.0, 300.0])
        np.testing.assert_allclose(
            run.observables["sin_theta"][-1, i], alone.observables["sin_theta"][-1], rtol=1e-5
        )


def test_an_ensemble_on_two_axes_is_run_like_one_on_one() -> None:
    """The scales of (2, 3) instances lie on two axes too, and are no columns."""
    stack = TeacherStudent.at_angle(teachers.orthonormal(4, 2, 1, (6,)), 0.4, 1)
    on_two = TeacherStudent(stack.teacher_W.reshape(2, 3, 4, 2), stack.student_W.reshape(2, 3, 4, 2))
    ends = [
        integrate(ProjectedFlow(one), (0.0, 300.0), t_eval=[0.0, 300.0]).observables["sin_theta"][-1]
        for one in (on_two, stack)
    ]
    np.testing.assert_array_equal(ends[0].reshape(6, 2), ends[1])


def test_the_worst_component_is_one_of_W() -> None:
    """A run without enough steps names the entry of W, with its value, whatever basis it was stepped in."""
    flow = ProjectedFlow(orthonormal())
    run = integrate(flow, (0.0, 50.0), max_steps=3)
    row, column = map(int, re.search(r"worst component W\[(\d), (\d)\]", run.message).groups())  # type: ignore[union-attr]
    assert f"= {run.state['W'][-1][row, column]:.6g}." in run.message
    spare = TwoLayerFlow(TeacherStudent.near_teacher(teachers.orthonormal(5, 2, 1), np.eye(2), 3, 1))
    assert re.search(r"worst component [WV]\[\d, \d\] = ", integrate(spare, (0.0, 50.0), max_steps=2).message)


def test_the_method_is_chosen_by_the_flow_as_given() -> None:
    """Scaled, the fastest mode is not seen to decay, and a stiff run would go by an explicit method for ever."""
    flow = TwoLayerFlow(TeacherStudent.near_teacher(teachers.orthonormal(6, 2, 0), np.ones((2, 3)), 4, 0))
    runs = [integrate(flow, (0.0, 1e3), t_eval=[1e3], deviations=deviations) for deviations in (None, False)]
    assert [run.attributes["in_deviations"] for run in runs] == [True, False]
    assert runs[0].attributes["method_reason"] == runs[1].attributes["method_reason"]
    assert runs[0].nfev < 2 * runs[1].nfev


@pytest.mark.parametrize(("n", "unasked"), [(128, True), (129, False)])
def test_deviations_are_taken_unasked_where_they_cost_next_to_nothing(n: int, unasked: bool) -> None:
    """Above 128 students they are there for who asks."""
    flow = ProjectedFlow(orthonormal(n, n, 0.01))
    assert integrate(flow, (0.0, 0.01)).attributes["in_deviations"] is unasked
    assert integrate(flow, (0.0, 0.01), deviations=True).attributes["in_deviations"]


def test_only_the_flows_that_are_known_have_deviations() -> None:
    """Another input or an overridden field: the run is in W itself."""

    class Halved(ProjectedFlow):
        def field(self, W: Array, V: Array) -> tuple[Array, Array]:
            pull, V = super().field(W, V)
            return 0.5 * pull, V

    assert ProjectedFlow(orthonormal()).in_deviations() is not None
    assert Halved(orthonormal()).in_deviations() is None
    biased = TeacherStudent.at_angle(teachers.thresholded(4, 2, 0.5, 0), 0.1, 0, measure=BiasedGaussian(4))
    assert ProjectedFlow(biased).in_deviations() is None


def test_events_see_the_state_as_it_is() -> None:
    """A function of W, and the limit on divergence, are asked with W and not with what is stepped."""
    flow = ProjectedFlow(orthonormal(3, 2))
    teacher = flow.problem.teacher_W.ravel()

    def half_way(t: float, y: Array) -> float:
        return float(np.abs(y - teacher).max()) - 0.01

    run = integrate(flow, (0.0, 200.0), events=[Event("half way", half_way)])
    assert run.status == "event"
    assert np.abs(run.final_state - teacher).max() == pytest.approx(0.01, rel=1e-6)


@pytest.mark.parametrize(
    ("flow", "options"),
    [
        (ProjectedFlow(orthonormal()), {"method": DOP853}),
        (type("Halved", (ProjectedFlow,), {"field": lambda flow, W, V: flow.field(W, V)})(orthonormal()), {}),
        (ProjectedFlow(orthonormal()), {"deviations": 1}),
    ],
    ids=["a class of the caller's", "a field of the caller's", "no truth value"],
)
def test_deviations_are_refused_where_there_are_none(flow: ProjectedFlow, options: dict[str, object]) -> None:
    """By name, before the run."""
    with pytest.raises((ValueError, TypeError), match=r"^deviations: expected .*, got"):
        integrate(flow, (0.0, 1.0), **({"deviations": True} | options))  # type: ignore[arg-type]


@pytest.mark.parametrize("end", [1e5, 1e12, 1e300])
def test_a_flow_that_has_arrived_costs_nothing_more(end: float) -> None:
    """Once every deviation is below the smallest number of float64 the state rests: any span is crossed in no time."""
    flow = ProjectedFlow(orthonormal())
    early, late = (integrate(flow, (0.0, t), t_eval=[0.0, t]) for t in (2e4, end))
    assert late.success
    assert late.observables["sin_theta"][-1].max() == 0
    assert late.observables["loss"][-1] == 0
    assert late.nfev < 2 * early.nfev
    assert np.array_equal(late.state["W"][-1], flow.problem.teacher_W)


def test_an_ensemble_rests_instance_by_instance() -> None:
    """An instance that has arrived rests; one that is on its way goes on as it does alone."""
    near, far = (
        TeacherStudent.at_angle(np.eye(3)[:, :2], 1e-300, 1),
        TeacherStudent.at_angle(np.eye(3)[:, :2], 0.5, 2),
    )
    both = TeacherStudent(
        *(np.stack([getattr(p, name) for p in (near, far)]) for name in ("teacher_W", "student_W"))
    )
    times = np.linspace(0.0, 400.0, 9)
    run, alone = (integrate(ProjectedFlow(p), (0.0, 400.0), t_eval=times, rtol=1e-8) for p in (both, far))
    assert run.observables["sin_theta"][-1, 0].max() == 0
    assert run.observables["sin_theta"][-1, 1] == pytest.approx(alone.observables["sin_theta"][-1], rel=1e-4)
