"""Input measures from their descriptions: what a file says of the law of the inputs, made again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dynamics.measures.biased_gaussian import BiasedGaussian
from dynamics.measures.empirical import EmpiricalMeasure
from dynamics.measures.input_measure import InputMeasure
from dynamics.measures.isotropic_gaussian import IsotropicGaussian


def _empirical(held: Mapping[str, Any]) -> EmpiricalMeasure:
    weights = held.get("measure_weights")
    measure = EmpiricalMeasure(held["measure_samples"], weights)
    measure.weights = weights  # they sum to 1 already; dividing by their sum again would move a last digit
    return measure


_MAKERS: dict[str, Callable[[Mapping[str, Any]], InputMeasure]] = {
    "IsotropicGaussian": lambda held: IsotropicGaussian(held["measure_dim"], held["measure_std"]),
    "BiasedGaussian": lambda held: BiasedGaussian(held["measure_dim"]),
    "EmpiricalMeasure": _empirical,
}


def described_measure(description: Mapping[str, Any]) -> InputMeasure:
    """The measure of which :meth:`InputMeasure.description` gave the entries ``measure``, ``measure_...``.

    Raises:
        ValueError: a measure of one's own, which only its author can make again.
    """
    name = description.get("measure")
    if name not in _MAKERS:
        raise ValueError(
            f"measure: expected one of {', '.join(_MAKERS)} to be made again, got {name!r}; pass it"
        )
    return _MAKERS[name](description)
