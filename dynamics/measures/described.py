"""Input measures from their descriptions: what a file says of the law of the inputs, made again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from dynamics.measures.biased_gaussian import BiasedGaussian
from dynamics.measures.empirical import EmpiricalMeasure
from dynamics.measures.input_measure import InputMeasure
from dynamics.measures.isotropic_gaussian import IsotropicGaussian
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


_MAKERS: dict[str, Callable[[Mapping[str, Any]], InputMeasure]] = {
    "IsotropicGaussian": lambda held: IsotropicGaussian(
        entry(held, "measure_dim"), entry(held, "measure_std")
    ),
    "BiasedGaussian": lambda held: BiasedGaussian(entry(held, "measure_dim")),
    "EmpiricalMeasure": _empirical,
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
