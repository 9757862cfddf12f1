"""Input measures from their descriptions: what a file says of the law of the inputs, made again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from dynamics.measures.anisotropic_gaussian import AnisotropicGaussian
from dynamics.measures.biased_gaussian import BiasedGaussian
from dynamics.measures.empirical import EmpiricalMeasure
from dynamics.measures.gaussian_mixture import GaussianMixture
from dynamics.measures.input_measure import InputMeasure
from dynamics.measures.isotropic_gaussian import IsotropicGaussian
from dynamics.measures.leaky_kernels import LeakyKernels
from dynamics.measures.uniform_sphere import UniformSphere
from dynamics.validation import real_array, shown


def entry(description: Mapping[str, Any], name: str) -> Any:
    """One entry of a description; ValueError where it is not there."""
    if name not in description:
        raise ValueError(f"description: expected an entry {name}, got {shown(list(description))}")
    return description[name]


def _empirical(held: Mapping[str, Any]) -> EmpiricalMeasure:
    weights = held.get("measure_weights")
    measure = EmpiricalMeasure(entry(held, "measure_samples"), weights)
    if measure.weights is not None:
        given = real_array("measure_weights", weights)
        if np.allclose(measure.weights, given, rtol=1e-12, atol=0.0):
            measure.weights = given  # their sum is 1 already; dividing by it again would move a last digit
    return measure


def _mixture(held: Mapping[str, Any]) -> GaussianMixture:
    measure = GaussianMixture(
        entry(held, "measure_means"),
        entry(held, "measure_covariances"),
        weights := entry(held, "measure_weights"),
    )
    measure.weights = np.asarray(weights)  # as above
    return measure


def _leaky(held: Mapping[str, Any]) -> LeakyKernels:
    of = {
        "measure" + name.removeprefix("measure_of"): part
        for name, part in held.items()
        if name.startswith("measure_of")
    }
    return LeakyKernels(described_measure(of), entry(held, "measure_slope"))


_MAKERS: dict[str, Callable[[Mapping[str, Any]], InputMeasure]] = {
    "IsotropicGaussian": lambda held: IsotropicGaussian(
        entry(held, "measure_dim"), entry(held, "measure_std")
    ),
    "BiasedGaussian": lambda held: BiasedGaussian(entry(held, "measure_dim")),
    "EmpiricalMeasure": _empirical,
    "AnisotropicGaussian": lambda held: AnisotropicGaussian(entry(held, "measure_covariance")),
    "UniformSphere": lambda held: UniformSphere(entry(held, "measure_dim"), entry(held, "measure_radius")),
    "GaussianMixture": _mixture,
    "LeakyKernels": _leaky,
}


def described_measure(description: Mapping[str, Any]) -> InputMeasure:
    """The measure of which :meth:`InputMeasure.description` gave the entries ``measure``, ``measure_...``.

    Raises:
        ValueError: a measure of one's own, which only its author can make again.
    """
    name = description.get("measure")
    if not isinstance(name, str) or name not in _MAKERS:
        raise ValueError(
            f"measure: expected one of {', '.join(_MAKERS)} to be made again, got {shown(name)}; pass it"
        )
    return _MAKERS[name](description)
