"""A flow or a measure of one's own works in ten lines; what is wrong with it is named, with what was expected."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from luckproof import (
    Flow,
    InputMeasure,
    IsotropicGaussian,
    ProjectedFlow,
    TeacherStudent,
    converged,
    integrate,
    spectral_rate,
    teachers,
)


class Decay(Flow):
    """Ten lines."""

    dimensions = {"x": ("node",)}  # noqa: RUF012
    initial_arrays = {"x": np.ones((2, 3))}  # noqa: RUF012

    def __call__(self, t, y):
        return -y

    def observables(self, y):
        return {"size": np.abs(self.unpack(y)["x"]).max(axis=-1)}


class Normal(InputMeasure):
    """Ten lines."""

    dim = 4

    def kernels(self, A, B):
        return IsotropicGaussian(4).kernels(A, B)

    def sample(self, size, rng):
        return rng.standard_normal((size, 4))

    def second_moment(self):
        return np.eye(4)


def changed(base: type, **members: Any) -> Any:
    """An object of a subclass with other members."""
    return type("Mine", (base,), members)()


def problem(measure: InputMeasure) -> TeacherStudent:
    return TeacherStudent.at_angle(teachers.orthonormal(4, 3, 0), 0.3, 0, measure=measure)


def test_a_flow_has_observables_and_converges():
    """``converged`` on its own observable; the observables carry time and ensemble."""
    run = integrate(Decay(), (0, 100), events=converged(1e-3, observable="size"))
    assert str(run.status) == "converged"
    assert run.t[-1] == pytest.approx(np.log(1e3), rel=1e-4)
    assert run.observables["size"].shape == (len(run.t), 2)
    assert run.to_xarray()["x"].dims[-1] == "node"


def test_a_measure_has_the_rate_of_its_kernels():
    """In the flow, its observables and its Jacobian; those of the Gaussian that it is."""
    own, known = (ProjectedFlow(problem(measure)) for measure in (Normal(), IsotropicGaussian(4)))
    assert spectral_rate(own) == pytest.approx(spectral_rate(known), rel=1e-8)
    ends = [integrate(flow, (0, 20)).observables["sin_theta"][-1] for flow in (own, known)]
    np.testing.assert_allclose(*ends, rtol=1e-5)


FLOWS = {
    "no mapping": (
        {"initial_arrays": np.ones(3)},
        "initial_arrays: expected a mapping of names to arrays, got an array",
    ),
    "nothing": ({"initial_arrays": {}}, "initial_arrays: expected a mapping of names to arrays, got {}"),
    "a method": (
        {"initial_arrays": lambda self: {}},
        "initial_arrays: expected a mapping of names to arrays, got <bound",
    ),
    "a list": (
        {"initial_arrays": {"x": [1.0, 2.0]}},
        r"initial_arrays: x: expected a NumPy array, got \[1\.0, 2\.0\]",
    ),
    "a number": ({"initial_arrays": {"x": 1.0}}, r"initial_arrays: x: expected a NumPy array, got 1\.0"),
    "too few axes": (
        {"initial_arrays": {"x": np.array(1.0)}},
        r"initial_arrays: x: expected an array \(\.\.\., node\), got",
    ),
    "two ensembles": (
        {
            "initial_arrays": {"x": np.ones((2, 3)), "z": np.ones((3, 3))},
            "dimensions": {"x": ("a",), "z": ("a",)},
        },
        "initial_arrays: expected the same axes of the ensemble in all, got",
    ),
    "a text for axes": (
        {"dimensions": {"x": "node"}},
        "dimensions: x: expected a tuple of names of axes, got 'node'",
    ),
    "a list of axes": (
        {"dimensions": ["node"]},
        "dimensions: expected a mapping of names to names of axes, got",
    ),
    "no observables": (
        {"observables": lambda self, y: None},
        "observables: expected a mapping of names to arrays, got None",
    ),
    "no field": (
        {"__call__": lambda self, t, y: None},
        r"flow\(t, y\): expected an array of real numbers, got NoneType",
    ),
    "arrays for a field": (
        {"__call__": lambda self, t, y: {"x": -y}},
        r"flow\(t, y\): expected an array of real numbers",
    ),
}


@pytest.mark.parametrize("fault", FLOWS)
def test_a_flow_in_error_is_told(fault):
    """When it is integrated, by the name of the member."""
    members, words = FLOWS[fault]
    with pytest.raises((TypeError, ValueError), match=f"^{words}"):
        integrate(changed(Decay, **members), (0, 1))


def test_a_class_in_place_of_a_flow_is_told():
    """It was not called."""
    with pytest.raises(TypeError, match=r"^flow: expected a flow, got the class Decay: call it to make one$"):
        integrate(Decay, (0, 1))


MEASURES = {
    "no kernels": (
        {"kernels": lambda self, A, B: None},
        r"Mine\.kernels: expected \(psi_l, psi_d\), two arrays, got None",
    ),
    "one kernel": (
        {"kernels": lambda self, A, B: np.ones((2, 3))},
        r"Mine\.kernels: expected \(psi_l, psi_d\), two arrays",
    ),
    "lists": (
        {"kernels": lambda self, A, B: ([1.0], [1.0])},
        r"Mine\.kernels: psi_l of 2 and 3 columns: expected an array",
    ),
    "another shape": (
        {"kernels": lambda self, A, B: (np.ones((3, 2)),) * 2},
        r"Mine\.kernels: psi_l of 2 and 3 columns: expected shape \(2, 3\), got \(3, 2\)",
    ),
    "NaN": (
        {"kernels": lambda self, A, B: (np.ones((2, 3)), np.full((2, 3), np.nan))},
        r"Mine\.kernels: psi_d of 2 and 3 columns: expected finite numbers, got NaN or Inf",
    ),
    "no moment": (
        {"second_moment": lambda self: None},
        r"Mine\.second_moment\(\): expected an array of real numbers, got N",
    ),
    "a vector": (
        {"second_moment": lambda self: np.ones(4)},
        r"Mine\.second_moment\(\): expected shape \(4, 4\), got \(4,\)",
    ),
    "samples in columns": (
        {"sample": lambda self, size, rng: np.ones((4, size))},
        r"Mine\.sample\(2, rng\): expected shape \(2, 4\), got \(4, 2\)",
    ),
    "a text": ({"dim": "4"}, r"Mine\.dim: expected a positive integer, got '4'"),
}


@pytest.mark.parametrize("fault", MEASURES)
def test_a_measure_in_error_is_told(fault):
    """When it meets a problem, by the name of the member."""
    members, words = MEASURES[fault]
    with pytest.raises((TypeError, ValueError), match=f"^measure: {words}"):
        problem(changed(Normal, **members))
