"""A valid call of every public name, each argument made anew, and what its result must satisfy."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

import luckproof as lp
from tests.e2e.own_file import SOUND


@dataclass(frozen=True)
class Call:
    """One public callable with arguments that are right.

    Args:
        function: what is called by keyword; anew for each call where it belongs to an object.
        arguments: makes the arguments; a folder that is empty is at hand for those that write.
        meets: raises AssertionError where a result is wrong, given the arguments.
        only: the arguments that are changed; all where it is empty.
        inside: names of arrays inside an argument, a flat state, which may be named in its place.
        slow: whether one call takes more than some 50 ms: left to the deep run.
    """

    function: Callable[..., Any]
    arguments: Callable[[Path], dict[str, Any]]
    meets: Callable[[Any, Mapping[str, Any]], None] = lambda result, given: None
    only: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    slow: bool = False


def W(d: int = 3, m: int = 2, seed: int = 0) -> Any:
    return lp.teachers.random_unit(d, m, seed)


def V(m: int = 2, c: int = 2) -> Any:
    return np.arange(1.0, 1 + m * c).reshape(m, c) / 3


def problem(**other: Any) -> Any:
    return lp.TeacherStudent.at_angle(W(), 0.3, 0, **other)


def learned(n: int = 3) -> Any:
    return lp.TeacherStudent.near_teacher(W(), V(), n, 0)


def ones(n: int = 2) -> Any:
    return np.ones((n, 1))


def samples() -> Any:
    return np.random.default_rng(1).standard_normal((20, 3))


def spread() -> Any:
    return np.diag([0.5, 1.0, 2.0])


def deep_problem() -> Any:
    teacher = lp.teachers.separated_layers((3, 2, 2), 0)
    return lp.DeepProblem.over_parameterised(teacher, 2, 0, measure=lp.EmpiricalMeasure(samples()), p_W=0.5)


def deep_weights(factor: int = 1) -> Any:
    rng = np.random.default_rng(0)
    return (rng.standard_normal((3, 2 * factor)), rng.standard_normal((2 * factor, 2)))


def decay(t: Any, y: Any) -> Any:
    return -np.asarray(y)


class Decay(lp.Flow):
    """y' = -y."""

    initial_arrays = {"x": np.ones(3)}  # noqa: RUF012

    def __call__(self, t: float, y: Any) -> Any:
        return -y


class NoName:
    """A flow of someone else's making."""

    def initial_state(self) -> Any:
        return np.ones(2)

    def __call__(self, t: float, y: Any) -> Any:
        return -y


def state() -> Any:
    return lp.ProjectedFlow(problem()).initial_state()


def trajectory() -> Any:
    return lp.integrate(Decay(), (0.0, 1.0), t_eval=[0.0, 0.5, 1.0])


def filmed() -> Any:
    return lp.integrate(lp.ProjectedFlow(problem()), (0.0, 1.0), t_eval=[0.0, 1.0])


def watched() -> Any:
    return lp.integrate(lp.ProjectedFlow(problem()), (0.0, 1.0), t_eval=[0.0, 0.5, 1.0])


def architecture() -> Any:
    return lp.Architecture((3,), (2,), 2)


def network(seed: int = 0) -> Any:
    return lp.deep_teachers.random_start(architecture(), [seed])


def two_layer_network() -> Any:
    return lp.TwoLayerNetwork(
        np.array([[1.0, 2.0], [0.5, -1.0]]), np.zeros(2), np.array([[1.0], [2.0]]), np.zeros(1)
    )


def setting(**other: Any) -> Any:
    return lp.SpecializationSetting(
        m=2, over_realisation=1, d=3, c=2, train_samples=8, eval_samples=8, batch_size=2, **other
    )


def finite(result: Any, given: Mapping[str, Any]) -> None:
    """Of floats, all of them; NaN is never an answer, infinite ones only where the arguments are huge."""
    if all(map(is_finite, given.values())):
        assert not np.isnan(np.asarray(result, dtype=np.float64)).any(), f"NaN in {result!r}"


def is_finite(value: Any) -> bool:
    """Whether an argument holds no NaN and no infinity: from such, NaN follows."""
    try:
        return bool(np.isfinite(np.asarray(value, dtype=np.float64)).all())
    except (TypeError, ValueError, OverflowError):
        return True


def within_pi(result: Any, given: Mapping[str, Any]) -> None:
    finite(result, given)
    assert ((result >= 0) & (result <= np.pi) | np.isnan(result)).all()


def unit(result: Any, given: Mapping[str, Any]) -> None:
    finite(result, given)
    assert np.nanmax(np.abs(np.linalg.norm(result, axis=-2) - 1), initial=0) < 1e-9


def a_run(result: Any, given: Mapping[str, Any]) -> None:
    """Times that go one way, a status with a message, finite states where it says that it succeeded."""
    assert np.isfinite(result.t).all()
    assert (np.diff(result.t) > 0).all() or (np.diff(result.t) < 0).all()
    assert result.message.startswith(str(result.status))
    if result.success:
        assert all(np.isfinite(array).all() for array in result.state.values())


def a_problem(result: Any, given: Mapping[str, Any]) -> None:
    for array in (result.teacher_W, result.student_W, result.teacher_V, result.student_V):
        assert np.isfinite(array).all()
        assert array.shape[:-2] == result.batch_shape
        assert not array.flags.writeable
    assert (np.abs(result.teacher_W).max(axis=-2) > 0).all()


def a_flow(result: Any, given: Mapping[str, Any]) -> None:
    """It can be asked for its start, field and observables: of the right shapes, whatever numbers overflow."""
    with np.errstate(all="ignore"):
        y = result.initial_state()
        assert np.isfinite(y).all()
        assert result(0.0, y).shape == y.shape
        result.observables(y)


def a_measure(result: Any, given: Mapping[str, Any]) -> None:
    if result.dim > 1000:  # its moments are matrices of that size
        return
    assert result.sample(2, np.random.default_rng(0)).shape[0] == 2
    with np.errstate(all="ignore"):
        L = result.second_moment()
    assert np.array_equal(L, L.T, equal_nan=True)


def an_angle_rate(result: Any, given: Mapping[str, Any]) -> None:
    for part in result if isinstance(result, tuple) else (result,):  # with the spectrum or alone
        assert np.isfinite(np.asarray(part)).all()


CALLS: dict[str, Call] = {}


def add(name: str, function: Callable[..., Any], arguments: Any, **more: Any) -> None:
    """One more call; ``arguments`` is a function of the folder, or of nothing."""
    takes = arguments.__code__.co_argcount > len(arguments.__defaults__ or ())
    CALLS[name] = Call(function, arguments if takes else lambda folder: arguments(), **more)


# Geometry and measures.
add("angles", lp.angles, lambda: {"A": W(), "B": W(seed=1)}, meets=within_pi)
add("supplementary_angles", lp.supplementary_angles, lambda: {"A": W(), "B": W(seed=1)}, meets=within_pi)
add("paired_angles", lp.paired_angles, lambda: {"A": W(), "B": W(seed=1)}, meets=within_pi)
add("unit_columns", lp.unit_columns, lambda: {"A": 3 * W()}, meets=unit)
add("IsotropicGaussian", lp.IsotropicGaussian, lambda: {"dim": 3, "std": 1.0}, meets=a_measure)
add("BiasedGaussian", lp.BiasedGaussian, lambda: {"dim": 3}, meets=a_measure)
add(
    "EmpiricalMeasure",
    lp.EmpiricalMeasure,
    lambda: {"samples": samples(), "weights": np.ones(20)},
    meets=a_measure,
)
add("AnisotropicGaussian", lp.AnisotropicGaussian, lambda: {"covariance": spread()}, meets=a_measure)
add("UniformSphere", lp.UniformSphere, lambda: {"dim": 3, "radius": 2.0}, meets=a_measure)
add(
    "GaussianMixture",
    lp.GaussianMixture,
    lambda: {"means": samples()[:2], "covariances": spread(), "weights": np.ones(2)},
    meets=a_measure,
)
add(
    "LeakyKernels",
    lp.LeakyKernels,
    lambda: {"measure": lp.IsotropicGaussian(3), "slope": 0.1},
    meets=a_measure,
)
add(
    "LeakyKernels.of",
    lambda slope: lp.LeakyKernels.of(lp.IsotropicGaussian(3), slope),
    lambda: {"slope": 0.1},
    meets=a_measure,
)
add(
    "EmpiricalMeasure.drawn",
    lp.EmpiricalMeasure.drawn,
    lambda: {"sampler": lp.samplers.laplace(3), "size": 8, "rng": 0},
    meets=a_measure,
)
for law in ("rademacher", "laplace"):
    add(f"samplers.{law}", getattr(lp.samplers, law), lambda: {"dim": 3})
add("samplers.antithetic", lp.samplers.antithetic, lambda: {"sampler": lp.samplers.laplace(3)})
add("samplers.all_signs", lp.samplers.all_signs, lambda: {"dim": 3}, meets=a_measure)
for kind, measure in {
    "IsotropicGaussian": lambda: lp.IsotropicGaussian(3),
    "BiasedGaussian": lambda: lp.BiasedGaussian(2),
    "EmpiricalMeasure": lambda: lp.EmpiricalMeasure(samples()),
    "AnisotropicGaussian": lambda: lp.AnisotropicGaussian(spread()),
    "UniformSphere": lambda: lp.UniformSphere(3),
    "GaussianMixture": lambda: lp.GaussianMixture(samples()[:2]),
    "LeakyKernels": lambda: lp.LeakyKernels.of(lp.IsotropicGaussian(3), 0.1),
}.items():
    for method in ("psi_l", "psi_d", "kernels"):
        add(
            f"{kind}.{method}",
            lambda A, B, measure=measure, method=method: getattr(measure(), method)(A, B),
            lambda: {"A": W(), "B": W(seed=1)},
        )
    add(
        f"{kind}.sample",
        lambda size, rng, measure=measure: measure().sample(size, rng),
        lambda: {"size": 4, "rng": np.random.default_rng(0)},
    )
    add(
        f"{kind}.gradient_term",
        lambda W, U, coefficients, measure=measure: measure().gradient_term(W, U, coefficients),
        lambda: {"W": W(), "U": W(seed=1), "coefficients": np.ones((2, 2))},
    )
add("Box", lp.Box, lambda: {"centre": np.zeros(2), "half_width": np.ones(2)})
add("Box.cube", lp.Box.cube, lambda: {"d": 2, "half_width": 1.0})

# Problems and their starts.
add(
    "TeacherStudent", lp.TeacherStudent,
    lambda: {
        "teacher_W": W(), "student_W": W(seed=1), "teacher_V": V(), "student_V": V(),
        "measure": lp.IsotropicGaussian(3),
    },
    meets=a_problem,
)  # fmt: skip
add(
    "TeacherStudent.at_angle", lp.TeacherStudent.at_angle,
    lambda: {"teacher_W": W(), "theta0": 0.3, "rng": 0, "teacher_V": V(), "measure": None}, meets=a_problem,
)  # fmt: skip
add(
    "TeacherStudent.at_angle, angles of their own", lp.TeacherStudent.at_angle,
    lambda: {"teacher_W": W(), "theta0": np.array([0.3, 0.2]), "rng": np.random.default_rng(0)}, meets=a_problem,
)  # fmt: skip
add(
    "TeacherStudent.near_teacher", lp.TeacherStudent.near_teacher,
    lambda: {"teacher_W": W(), "teacher_V": V(), "n": 3, "rng": 0, "p_W": 1.0, "p_V": 0.5, "measure": None},
    meets=a_problem,
)  # fmt: skip
add(
    "TeacherStudent.from_description",
    lp.TeacherStudent.from_description,
    lambda: {"description": problem().description(), "measure": None},
    meets=a_problem,
)
add(
    "TeacherStudent.instance",
    lambda index: lp.TeacherStudent(np.stack([W(), W()]), W()).instance(index),
    lambda: {"index": 1},
    meets=a_problem,
)
add(
    "adversarial_start",
    lp.adversarial_start,
    lambda: {
        "teacher_W": W(),
        "teacher_V": V(),
        "n": 3,
        "rng": 0,
        "gap": 0.1,
        "node": -1,
        "scale": 1e-3,
        "measure": None,
    },
    meets=a_problem,
)
add(
    "helpful_start",
    lp.helpful_start,
    lambda: {"problem": learned(), "helpers": 2, "rng": 0, "angle": 0.5, "node": -1, "scale": 1e-3},
    meets=a_problem,
)
add(
    "DeepProblem",
    lp.DeepProblem,
    lambda: {
        "teacher": deep_weights(),
        "student": deep_weights(2),
        "measure": lp.EmpiricalMeasure(samples()),
        "slope": 0.0,
        "biased": False,
    },
)
add(
    "DeepProblem.over_parameterised", lp.DeepProblem.over_parameterised,
    lambda: {"teacher": deep_weights(), "factor": 2, "rng": 0, "measure": lp.EmpiricalMeasure(samples()), "p_W": 0.5},
)  # fmt: skip
add(
    "TwoLayerNetwork",
    lp.TwoLayerNetwork,
    lambda: {"W": W(), "b": np.zeros(2), "V": V(), "c": np.zeros(2), "slope": 0.0},
)
add(
    "CriticalPoint",
    lp.CriticalPoint,
    lambda: {"student": two_layer_network(), "kind": np.array(["copies", "idle"])},
)
for made in ("orthonormal", "random_unit", "separated", "separated_entries"):
    add(
        f"teachers.{made}",
        getattr(lp.teachers, made),
        lambda: {"d": 3, "m": 2, "rng": 0, "batch": (2,)},
        meets=finite,
    )
add(
    "teachers.separated, entries",
    lp.teachers.separated,
    lambda: {"d": 3, "m": 2, "rng": 0, "entries": (0.0, 1.0)},
    meets=unit,
)
add(
    "teachers.separated_layers",
    lp.teachers.separated_layers,
    lambda: {"widths": (3, 2, 2), "rng": 0, "batch": ()},
)
add(
    "teachers.thresholded",
    lp.teachers.thresholded,
    lambda: {"input_dim": 3, "m": 2, "threshold": 0.5, "rng": 0, "batch": ()},
    meets=unit,
)
add("teachers.polarised", lp.teachers.polarised, lambda: {"fan_out": V(), "p": 1.0}, meets=finite)

# Flows.
add(
    "ProjectedFlow",
    lp.ProjectedFlow,
    lambda: {"problem": problem(), "projected": True, "modulation": "uniform"},
    meets=a_flow,
)
add(
    "TwoLayerFlow",
    lp.TwoLayerFlow,
    lambda: {"problem": learned(), "projected": True, "trains_V": True},
    meets=a_flow,
)
add(
    "GradientFlow",
    lp.GradientFlow,
    lambda: {"problem": learned(), "projected": False, "trains_V": True},
    meets=a_flow,
)
add(
    "ResidualFlow",
    lp.ResidualFlow,
    lambda: {"problem": learned(), "form": "exact", "trains_V": False},
    meets=a_flow,
)
add(
    "SharedResidualFlow",
    lp.SharedResidualFlow,
    lambda: {
        "target": np.ones(3),
        "start": W(),
        "weights": np.ones(2),
        "boost": np.zeros(2),
        "form": "projected",
    },
    meets=a_flow,
)
add(
    "LotkaVolterraFlow",
    lp.LotkaVolterraFlow,
    lambda: {"growth": np.ones(2), "interaction": np.ones((2, 2)), "start": np.ones(2)},
    meets=a_flow,
)
add(
    "OneTeacherFlow",
    lp.OneTeacherFlow,
    lambda: {"delta": np.array([1.0]), "rho": 1.0, "v": 1.0, "teacher_v": 1.0, "c": 1.0, "frozen": False},
    meets=a_flow,
)
add(
    "PassageFlow",
    lp.PassageFlow,
    lambda: {
        "delta": np.array([1.0]),
        "rho": 1.0,
        "v": 1.0,
        "end": 1.5,
        "teacher_v": 1.0,
        "c": 1.0,
        "frozen": False,
    },
    meets=a_flow,
)
add(
    "DeepFlow",
    lp.DeepFlow,
    lambda: {"problem": deep_problem(), "modulation": "per_sample", "projected": False, "watch_gaps": True},
    meets=a_flow,
)
add(
    "Flow.pack",
    lambda arrays: lp.ProjectedFlow(problem()).pack(arrays),
    lambda: {"arrays": {"W": W()}},
)
for method in ("unpack", "observables", "matrices"):
    add(
        f"ProjectedFlow.{method}",
        lambda y, method=method: getattr(lp.ProjectedFlow(problem()), method)(y),
        lambda: {"y": state()},
    )
add(
    "ProjectedFlow.__call__",
    lambda t, y: lp.ProjectedFlow(problem())(t, y),
    lambda: {"t": 0.0, "y": state()},
    only=("y",),
)

# Integration.
add(
    "integrate", lp.integrate,
    lambda: {
        "flow": Decay(), "t_span": (0.0, 1.0), "t_eval": np.array([0.0, 1.0]), "method": "RK45", "rtol": 1e-4,
        "atol": 1e-6,
        "max_steps": 50, "max_seconds": 1.0, "events": [lp.diverged(1e6)], "max_step": 1.0, "first_step": 0.1,
        "progress": False,
    },
    meets=a_run,
)  # fmt: skip
for name in lp.METHODS:
    add(
        f"integrate, {name}",
        lp.integrate,
        lambda name=name: {
            "flow": NoName(),
            "t_span": (0.0, 1.0),
            "method": name,
            "rtol": 1e-4,
            "max_steps": 50,
            "max_step": 1.0,
            "first_step": 0.1,
            "events": [],
            "max_seconds": 1.0,
        },
        meets=a_run,
        only=("t_span", "rtol", "max_steps", "max_step", "first_step", "events"),
        slow=name == "CVODE",
    )
for option in ("jac", "jac_sparsity", "lband", "uband", "min_step"):
    add(
        f"integrate, {option}",
        lp.integrate,
        lambda option=option: {
            "flow": NoName(),
            "t_span": (0.0, 1.0),
            "method": "LSODA" if "b" in option or "m" in option else "BDF",
            "max_steps": 50,
            option: None,
        },
        meets=a_run,
        only=(option,),
    )
add(
    "Event",
    lp.Event,
    lambda: {
        "name": "a",
        "function": decay,
        "terminal": True,
        "direction": 0,
        "status": lp.Status.EVENT,
        "at_start": False,
    },
)
add("converged", lp.converged, lambda: {"threshold": 1e-3, "observable": "loss"})
add("diverged", lp.diverged, lambda: {"limit": 1e3})
add(
    "Trajectory", lp.Trajectory,
    lambda: {
        "t": np.arange(3.0), "state": {"x": np.ones((3, 2))}, "time_counts": "time",
        "observables": {"loss": np.ones(3)},
        "nfev": 1, "n_steps": 1, "status": lp.Status.FINISHED, "message": "", "dimensions": {"x": ("node",)},
        "coordinates": {"node": ("node", np.arange(2))}, "problem": {"kind": "x"}, "attributes": {"a": 1},
        "events": {"e": (1.0,)}, "event_states": {"e": np.ones((1, 2))},
    },
)  # fmt: skip
add("Trajectory.plot", lambda names: watched().plot(names), lambda: {"names": ["loss"]}, slow=True)
add(
    "Trajectory.plot_against",
    lambda runs, names: watched().plot_against(runs, names),
    lambda: {"runs": watched(), "names": ["loss"]},
    slow=True,
)
add(
    "Trajectory.plot_phase",
    lambda x, y, axes: watched().plot_phase(x, y, axes=axes),
    lambda: {"x": "loss", "y": "sin_theta", "axes": None},
    slow=True,
)
add(
    "Trajectory.animate",
    lambda path, against, plane, seconds: filmed().animate(path, against, plane=plane, seconds=seconds),
    lambda folder: {
        "path": folder / "film.gif",
        "against": filmed(),
        "plane": np.eye(3)[:, :2],
        "seconds": 1.0,
    },
    slow=True,
)
add(
    "Trajectory.at",
    lambda name, x_axis0: trajectory().at(name, x_axis0=x_axis0),
    lambda: {"name": "x", "x_axis0": 1},
)
add(
    "Trajectory.save",
    lambda path: trajectory().save(path),
    lambda folder: {"path": folder / "run.nc"},
    slow=True,
)
add("Trajectory.load", lp.Trajectory.load, lambda folder: {"path": folder / "none.nc"})
add(
    "spectral_rate",
    lp.spectral_rate,
    lambda: {
        "flow": lp.ProjectedFlow(problem()),
        "state": lp.ProjectedFlow(problem()).equilibrium(),
        "flat": None,
        "return_spectrum": False,
    },
    meets=an_angle_rate,
)
add(
    "spectral_rate, of any flow",
    lp.spectral_rate,
    lambda: {"flow": Decay(), "state": np.zeros(3), "flat": None, "return_spectrum": False},
)
add(
    "population_loss",
    lp.population_loss,
    lambda: {"problem": learned(), "W": W(m=3), "V": V(3)},
    meets=finite,
)
add("two_layer_observables", lp.two_layer_observables, lambda: {"problem": learned(), "W": W(m=3), "V": V(3)})
add("passage", lp.passage, lambda: {"flow": lp.OneTeacherFlow(1.0), "end": 1.5, "rtol": 1e-6}, meets=a_run)
PLANE = {"x": "delta", "y": "v", "xlim": (0.1, 3.0), "ylim": (0.1, 1.5), "at": [0.5, 1.0, 0.8]}
add(
    "phase_portrait",
    lp.phase_portrait,
    lambda: {"flow": lp.OneTeacherFlow(0.5), "runs": None, "axes": None, **PLANE},
    slow=True,
)
add("plane_equilibria", lp.plane_equilibria, lambda: {"flow": lp.OneTeacherFlow(0.5), **PLANE}, slow=True)
add(
    "Equilibrium",
    lp.Equilibrium,
    lambda: {"x": 0.0, "y": 1.0, "kind": "saddle", "zero_modes": 0},
)
add("passage_times", lp.passage_times, lambda: {"flow": lp.PassageFlow([1.0]), "rtol": 1e-6}, meets=finite)
add(
    "frozen_passage_time",
    lp.frozen_passage_time,
    lambda: {"start": 0.5, "end": 1.5, "kappa": 1.0},
    meets=finite,
)
add(
    "split_teacher",
    lp.split_teacher,
    lambda: {"teacher": two_layer_network(), "region": lp.Box.cube(2, 4.0), "plan": split_plan(), "rng": 0},
    slow=True,
)
add("basin", lp.basin, lambda: {"problem": lp.TeacherStudent.at_angle(np.eye(3), 0.1, 0)})
add("basin_radius", lp.basin_radius, lambda: {"m": 3}, meets=finite)
add("basin_rate", lp.basin_rate, lambda: {"radius": 0.3, "m": 3, "d": 3}, meets=finite)
add("Basin", lp.Basin, lambda: {"radius": 0.5, "rate": decay, "theorem": "A", "factor": 1.0})


def split_plan() -> Any:
    from dynamics.two_layer.critical.critical_points import SplitPlan

    return SplitPlan()


# Networks.
add(
    "Architecture",
    lp.Architecture,
    lambda: {
        "inputs": (3,),
        "widths": (2,),
        "outputs": 2,
        "normalisation": "none",
        "affine": True,
        "bias": True,
        "kernel": 3,
        "eps": 1e-5,
        "momentum": 0.1,
    },
)
add(
    "Architecture.over_parameterised",
    lambda factor, normalisation: architecture().over_parameterised(factor, normalisation),
    lambda: {"factor": 2, "normalisation": "none"},
)
add("DeepNetworks", lp.DeepNetworks, lambda: {"architecture": architecture(), "layers": network().layers})
add(
    "DeepNetworks.zeros",
    lp.DeepNetworks.zeros,
    lambda: {"architecture": architecture(), "count": 2, "device": "cpu", "dtype": torch.float64},
)
add(
    "TwoLayerStudents",
    lp.TwoLayerStudents,
    lambda: {"problem": problem(), "device": torch.device("cpu"), "dtype": torch.float64},
)
add(
    "TwoLayerStudents.from_problem",
    lp.TwoLayerStudents.from_problem,
    lambda: {"problem": problem(), "device": "cpu", "dtype": torch.float64},
)
add(
    "TwoLayerStudents.assign",
    lambda W, V: lp.TwoLayerStudents.from_problem(problem(), "cpu").assign(W, V),
    lambda: {"W": torch.ones(1, 3, 2).double(), "V": torch.ones(1, 2, 1).double()},
)
add(
    "SGD",
    lp.SGD,
    lambda: {"lr": 0.1, "momentum": 0.0, "weight_decay": 0.0, "drops": ((1, 0.5),), "decay_from": 1.0},
)
add("Distillation", lp.Distillation, lambda: {"teacher": network()})
add(
    "FixedSamples",
    lp.FixedSamples,
    lambda: {
        "x": torch.ones(8, 3).double(),
        "inputs": (3,),
        "seeds": [0],
        "batch_size": 4,
        "labels": torch.zeros(8).long(),
        "name": "given",
    },
)
add(
    "FreshGaussian",
    lp.FreshGaussian,
    lambda: {"inputs": (3,), "seeds": (0,), "batch_size": 4, "samples": 8, "std": 1.0},
)
add("NormLayer", lp.NormLayer, lambda: {"name": "a", "scale": np.ones(2), "bias": np.zeros(2)})
add("RunFolder", lp.RunFolder, lambda folder: {"folder": folder})
add(
    "SpecializationSetting",
    lp.SpecializationSetting,
    lambda: {
        "m": 2,
        "over_realisation": 1.0,
        "polarity": 1.0,
        "d": 3,
        "c": 2,
        "train_samples": 8,
        "eval_samples": 8,
        "batch_size": 2,
        "lr": 0.01,
        "input_std": 1.0,
        "init_std": 0.01,
        "bias": 0.0,
    },
)
add(
    "deep_teachers.random_start",
    lp.deep_teachers.random_start,
    lambda: {"architecture": architecture(), "seeds": [0], "device": "cpu", "dtype": torch.float64},
)
add(
    "deep_teachers.separated_teacher",
    lp.deep_teachers.separated_teacher,
    lambda: {
        "architecture": architecture(),
        "seeds": [0],
        "entries": (-0.5, 0.0, 0.5),
        "device": "cpu",
        "dtype": torch.float64,
    },
)
add(
    "deep_teachers.balanced_teacher",
    lp.deep_teachers.balanced_teacher,
    lambda: {
        "architecture": architecture(),
        "seeds": [0],
        "input_std": 1.0,
        "samples": 64,
        "entries": (-1.0, 0.0, 1.0),
        "device": "cpu",
        "dtype": torch.float64,
    },
)
add(
    "deep_teachers.near_start",
    lp.deep_teachers.near_start,
    lambda: {"architecture": architecture(), "teacher": network(), "seeds": [0], "luck": 0.0, "gain": 1.0},
)
add("load_digits", lp.load_digits, lambda: {"seed": 0}, slow=True)
add("load_cifar10", lp.load_cifar10, lambda folder: {"folder": folder}, only=("folder",))
add("network_seeds", lp.network_seeds, lambda: {"seed": 0, "count": 3})
add(
    "norm_layers",
    lp.norm_layers,
    lambda: {
        "state": {
            "bn.weight": torch.ones(2),
            "bn.bias": torch.zeros(2),
            "bn.running_mean": torch.zeros(2),
            "bn.running_var": torch.ones(2),
        }
    },
)
add("read_state_dict", lp.read_state_dict, lambda folder: {"path": folder / "none.pth"})
add("resolve_device", lp.resolve_device, lambda: {"device": "cpu"})
add(
    "population_descent",
    lp.population_descent,
    lambda: {"flow": lp.ProjectedFlow(problem()), "lr": 0.1, "steps": 3, "record_every": 1},
    meets=a_run,
    only=("flow", "lr", "record_every"),  # many steps with few records are right, and take their time
)
add(
    "population_descent, steps",
    lp.population_descent,
    lambda: {"flow": lp.ProjectedFlow(problem()), "lr": 0.1, "steps": 3, "record_every": 1},
    meets=a_run,
    only=("steps",),
)
add(
    "population_descent, record_at",
    lp.population_descent,
    lambda: {"flow": lp.ProjectedFlow(problem()), "lr": 0.1, "steps": 3, "record_at": [1]},
    meets=a_run,
    only=("record_at",),
)
add(
    "train",
    lp.train,
    lambda: {
        "students": lp.TwoLayerStudents.from_problem(problem(), "cpu"),
        "lr": 0.1,
        "batch_size": 4,
        "steps": 3,
        "seed": 0,
        "projected": True,
        "train_V": None,
        "products": "own",
        "record_every": 1,
        "max_seconds": 1.0,
        "progress": False,
    },
    meets=a_run,
)
add(
    "train_deep",
    lp.train_deep,
    lambda: {
        "students": network(),
        "teacher": network(1),
        "source": lp.FreshGaussian((3,), (0,), 4, 8, 1.0),
        "sgd": lp.SGD(0.1),
        "epochs": 1,
        "evaluation": torch.ones(4, 3).double(),
        "objective": None,
        "record_at": [0, 1],
        "observe": None,
        "products": "own",
        "checkpoint": None,
        "checkpoint_every": 1,
        "workers": 1,
        "progress": False,
    },
    meets=a_run,
)
add(
    "train_classifiers",
    lp.train_classifiers,
    lambda: {
        "networks": network(),
        "task": task(),
        "seeds": [0],
        "sgd": lp.SGD(0.1),
        "epochs": 1,
        "batch_size": 4,
        "workers": 1,
        "progress": False,
    },
    meets=a_run,
)
add(
    "train_specialization",
    lp.train_specialization,
    lambda: {
        "setting": setting(),
        "seed": 0,
        "networks": 1,
        "steps": 3,
        "record_every": 1,
        "device": "cpu",
        "workers": 1,
        "progress": False,
    },
    meets=a_run,
    only=("setting", "seed", "networks", "record_every", "device", "progress"),  # workers start processes
)
add(
    "train_specialization, steps",
    lp.train_specialization,
    lambda: {"setting": setting(), "seed": 0, "steps": 3, "record_every": 1, "device": "cpu"},
    meets=a_run,
    only=("steps",),
)


def task() -> Any:
    from nets.images.classifiers import TaskTensors

    x, labels = torch.ones(8, 3).double(), torch.zeros(8).long()
    return TaskTensors("given", x, labels, x, labels)


# Statements and their verdicts.
KEY = "luckmatters.lemma6.printed"


def verdict() -> Any:
    statement = lp.statements[KEY]
    passed = dict.fromkeys((control.name for control in statement.controls), True)
    return lp.Verdict(statement=statement, outcome=lp.Outcome.HOLDS, records=(), controls=passed)


@cache
def own_file() -> Path:
    """A file with statements of one's own; apart from what the calls write."""
    path = Path(tempfile.mkdtemp(prefix="own-")) / "mytheorem.py"
    path.write_text(SOUND.replace("from beside import power_of", "power_of = pow"), encoding="utf-8")
    return path


add("Assumption", lp.Assumption, lambda: {"name": "a", "margin": 0.5})
add("Budget", lp.Budget, lambda: {"name": "quick"})
add(
    "Certificate",
    lp.Certificate,
    lambda: {
        "limit": (0, 1),
        "rate": 0.1,
        "late_rate": 0.1,
        "time": 1.0,
        "entry": 0.4,
        "merged": (),
        "steps": 3,
        "reason": "",
        "document": {},
    },
)
add(
    "certify",
    lp.certify,
    lambda: {"problem": lp.TeacherStudent.at_angle(np.eye(2), 0.1, 0), "max_steps": 50, "progress": False},
    slow=True,
)
add(
    "Context",
    lp.Context,
    lambda: {"budget": lp.BUDGETS["quick"], "device": "cpu", "seed": 0, "examples": 1, "attack": 0},
)
add(
    "Control",
    lp.Control,
    lambda: {
        "name": "a",
        "evidence": decay,
        "instance": None,
        "altered": {},
        "must_hold": False,
        "moved": 0.0,
    },
)
add(
    "Evidence",
    lp.Evidence,
    lambda: {
        "predicted": 0.5,
        "measured": 0.5,
        "margin": 0.1,
        "tolerance": 0.0,
        "standard_error": 0.0,
        "inconclusive": False,
        "details": {},
    },
)
add("Record", lp.Record, lambda: {"instance": None, "assumptions": (), "evidence": None, "unjudged": ""})
add("Source", lp.Source, lambda: {"paper": "a", "number": "1", "note": "", "version": "", "section": ""})
add(
    "RunInfo",
    lp.RunInfo,
    lambda: {"seed": 0, "budget": "quick", "device": "cpu", "seconds": 0.0, "versions": {}},
)
add(
    "Verdict",
    lp.Verdict,
    lambda: {
        "statement": next(iter(lp.statements.values())),
        "outcome": lp.Outcome.HOLDS,
        "records": (),
        "controls": {},
        "counterexample": None,
        "confirmation": None,
        "seconds": 0.0,
        "message": "",
        "telling": None,
        "attack": None,
        "tolerance_factors": {},
    },
)
add(
    "check",
    lp.check,
    lambda: {"key": KEY, "budget": "quick", "device": "cpu", "seed": 0, "form": None},
    slow=True,
)


def check_some(keys: Any, **other: Any) -> Any:
    """``check_all``, but for no keys at all: these stand for every statement, which takes minutes and is right."""
    return [] if isinstance(keys, (list, tuple, dict)) and not keys else lp.check_all(keys, **other)


add(
    "check_all",
    check_some,
    lambda: {"keys": [KEY], "budget": "quick", "device": "cpu", "seed": 0, "form": None},
    slow=True,
)
add(
    "judge",
    lp.judge,
    lambda: {
        "statement": lp.statements[KEY],
        "context": lp.make_context("quick", "cpu", 0),
        "progress": None,
    },
    slow=True,
)
add("Item", lp.Item, lambda: {"key": "own.first", "source": lp.Source("a", "1")})
add("Cost", lp.Cost, lambda: {"quick": 1, "full": 2, "deep": 3})
add("OneOf", lp.OneOf, lambda: {"values": ("a", "b")})
add("Each", lp.Each, lambda: {"item": lp.integers(1), "shortest": 0, "longest": None})
add("drawn", lp.drawn, lambda: {"default": 1, "strategy": decay, "domain": lp.integers(1), "note": ""})
add("fixed", lp.fixed, lambda: {"default": 1, "domain": lp.integers(1), "note": ""})
add("drawn_fields", lp.drawn_fields, lambda: {"instance_type": lp.Source})
add("integers", lp.integers, lambda: {"low": 0, "high": None})
add("reals", lp.reals, lambda: {"low": 0.0, "high": 1.0, "low_open": False, "high_open": False})
add("statements_from", lp.statements_from, lambda: {"path": own_file()})
add("make_context", lp.make_context, lambda: {"budget": "quick", "device": "cpu", "seed": 0, "attack": None})
add("select", lp.select, lambda: {"patterns": [KEY], "form": None})
add("figure_named", lp.figure_named, lambda: {"name": "specialization.9"})
add("findings", lp.findings, lambda: {"verdicts": [verdict()]})
add(
    "fit_decay",
    lp.fit_decay,
    lambda: {
        "t": np.linspace(0, 30, 100),
        "values": np.exp(-np.linspace(0, 30, 100)),
        "ceiling": 1e-3,
        "floor": 1e-11,
    },
)
add(
    "write_html",
    lp.write_html,
    lambda folder: {
        "path": folder / "a.html",
        "verdicts": [verdict()],
        "run": lp.RunInfo(0, "quick", "cpu"),
        "pictures": None,
        "lost": None,
        "title": None,
    },
    slow=True,
)
add(
    "write_json",
    lp.write_json,
    lambda folder: {
        "path": folder / "a.json",
        "verdicts": [verdict()],
        "run": lp.RunInfo(0, "quick", "cpu"),
        "lost": None,
    },
)
add("Sweep", lp.Sweep, lambda folder: {"out": folder / "none"})
add(
    "sweep",
    lp.sweep,
    lambda folder: {
        "configuration": {
            "command": "simulate",
            "base": {"d": 3, "m": 2, "t_end": 1.0, "points": 2},
            "grid": {"seed": [0]},
        },
        "out": folder / "runs",
        "jobs": None,
        "executor": ThreadPoolExecutor(1),
        "scheduler": None,
        "shard": None,
        "progress": None,
    },
    slow=True,
    only=("configuration", "out", "jobs", "executor", "scheduler", "shard"),
)

add("basin_time", lp.basin_time, lambda: {"start": 0.3, "end": 0.1, "m": 3, "d": 3}, meets=finite)
add(
    "two_layer_basin",
    lp.two_layer_basin,
    lambda: {"problem": lp.TeacherStudent(np.eye(2), np.eye(2))},
    slow=True,
)
add(
    "compare", lp.compare,
    lambda: {
        "flow_of": lp.ProjectedFlow, "problem": problem(), "lr": 0.1, "batch_size": 4, "steps": 4, "networks": 2,
        "seed": 0, "device": "cpu", "points": 3, "level": 1e-3, "resolve": 0.1, "progress": False,
    },
    only=(
        "flow_of", "problem", "lr", "batch_size", "networks", "seed", "device", "points", "level", "resolve",
        "progress",
    ),
    slow=True,
)  # fmt: skip

NOT_CALLED = {
    "AnyStatement": "a type for annotations",
    "Array": "a type for annotations",
    "BOUNDS": "a table, whose functions take the problems of other calls",
    "BUDGETS": "a table",
    "METHODS": "a table; its solvers are called by integrate",
    "Comparison": "made by compare from checked arguments",
    "Classification": "takes no arguments; what it is called with comes from train_deep",
    "ALGEBRA": "a cost",
    "CannotJudgeError": "an exception",
    "DamagedFileError": "an exception",
    "DivergedTrainingError": "an exception",
    "FLOW": "a cost",
    "Flow": "abstract: called through its subclasses",
    "Form": "names of an enumeration",
    "Instance": "a base class without arguments of its own",
    "InputMeasure": "abstract: called through its subclasses",
    "Outcome": "names of an enumeration",
    "SAMPLING": "a cost",
    "SEARCH": "a cost",
    "SEED": "a domain",
    "SpecializationNetworks": "made by train_specialization from checked settings",
    "Statement": "made by the decorators of a statement's file, which the registry checks",
    "Status": "names of an enumeration",
    "TRAINING": "a cost",
    "TwoLayerDynamics": "abstract: called through its subclasses",
    "UncheckedFileWarning": "a warning",
    "deep_teachers": "a module: its functions are called one by one",
    "statements": "a table",
    "teachers": "a module: its functions are called one by one",
}
"""Public names that are not called, with the reason."""
