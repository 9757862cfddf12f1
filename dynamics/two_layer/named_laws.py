"""Input laws by name and a few plain numbers, as options give them.

Not in the room of measures: options are read before SciPy is there, and a measure needs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from dynamics.validation import number, one_of, positive_int

if TYPE_CHECKING:
    from dynamics.measures.input_measure import InputMeasure


class MeasureName(StrEnum):
    """The distribution of the input."""

    ISOTROPIC = "isotropic"
    BIASED = "biased"
    ANISOTROPIC = "anisotropic"
    SPHERE = "sphere"
    RADEMACHER = "rademacher"
    LAPLACE = "laplace"
    MIXTURE = "mixture"


class ActivationName(StrEnum):
    """The activation of hidden nodes."""

    RELU = "relu"
    LEAKY_RELU = "leaky_relu"


CONDITION, SEPARATION, SAMPLES, SLOPE = 4.0, 1.0, 4096, 0.1
"""Where the options name none."""

_OF = {
    "threshold": (MeasureName.BIASED,),
    "condition": (MeasureName.ANISOTROPIC,),
    "separation": (MeasureName.MIXTURE,),
    "samples": (MeasureName.RADEMACHER, MeasureName.LAPLACE),
}
"""The laws that a number is of."""


@dataclass(frozen=True)
class NamedLaw:
    """An input law and an activation by name; numbers that are None take their defaults.

    Args:
        name: of the law.
        threshold: of the teachers, where the law has a bias; 0 is none.
        condition: largest variance over the smallest, >= 1, where the law is anisotropic: variances fall evenly in
            their logarithm along the axes and have mean 1.
        separation: half the distance of the two unit Gaussians of a mixture, >= 0: means plus and minus that along
            the first axis.
        samples: inputs that stand for a law without closed forms, drawn in pairs x, -x. All sign vectors are taken
            where there are no more of them.
        activation, slope: leaky ReLU with its slope in [0, 1], or ReLU.
    Raises:
        ValueError, TypeError: naming the argument: one out of range, or of another law than the one that is named.
    """

    name: MeasureName
    threshold: float = 0.0
    condition: float | None = None
    separation: float | None = None
    samples: int | None = None
    activation: ActivationName = ActivationName.RELU
    slope: float | None = None

    def __post_init__(self) -> None:
        for name, kind, field in (
            ("measure", MeasureName, "name"),
            ("activation", ActivationName, "activation"),
        ):
            one_of(name, getattr(self, field), list(kind))
            object.__setattr__(self, field, kind(getattr(self, field)))
        if number("threshold", self.threshold) and self.name is not MeasureName.BIASED:
            raise ValueError(f"threshold: expected 0 without the biased measure, got {self.threshold}")
        for name in ("condition", "separation", "samples"):
            value = getattr(self, name)
            if value is not None and self.name not in _OF[name]:
                of = " or ".join(_OF[name])
                raise ValueError(f"{name}: expected none without the {of} measure, got {value}")
        if self.condition is not None:
            number("condition", self.condition, least=1)
        if self.separation is not None:
            number("separation", self.separation, least=0)
        if self.samples is not None:
            positive_int("samples", self.samples)
        if self.slope is not None:
            from dynamics.measures.leaky_kernels import checked_slope

            checked_slope(self.slope)
            if self.activation is ActivationName.RELU:
                raise ValueError(
                    f"slope: expected none without the leaky_relu activation, got {self.slope:g}"
                )

    @property
    def sample_count(self) -> int:
        """Inputs that are held: 0 where the law has closed forms."""
        if self.name not in _OF["samples"]:
            return 0
        return SAMPLES if self.samples is None else self.samples

    def measure(self, dim: int, seed: int) -> InputMeasure:
        """The law in ``dim`` dimensions (one more where it has a bias), with the activation's kernels.

        Args:
            dim: d.
            seed: of the inputs that stand for a law without closed forms.
        """
        from dynamics.measures.leaky_kernels import LeakyKernels

        leaky = self.activation is ActivationName.LEAKY_RELU
        slope = (SLOPE if self.slope is None else self.slope) if leaky else 0.0
        return LeakyKernels.of(self._law(dim, seed), slope)

    def _law(self, dim: int, seed: int) -> InputMeasure:
        from dynamics import measures
        from dynamics.measures import samplers

        match self.name:
            case MeasureName.ISOTROPIC:
                return measures.IsotropicGaussian(dim)
            case MeasureName.BIASED:
                return measures.BiasedGaussian(dim)
            case MeasureName.SPHERE:
                return measures.UniformSphere(dim)
            case MeasureName.ANISOTROPIC:
                condition = CONDITION if self.condition is None else self.condition
                variances = np.geomspace(condition, 1.0, dim)
                return measures.AnisotropicGaussian(np.diag(variances / variances.mean()))
            case MeasureName.MIXTURE:
                means = np.zeros((2, dim))
                means[:, 0] = (SEPARATION if self.separation is None else self.separation) * np.array([1, -1])
                return measures.GaussianMixture(means)
        if self.name is MeasureName.RADEMACHER and dim < 60 and 2**dim <= self.sample_count:
            return samplers.all_signs(dim)
        law = samplers.rademacher if self.name is MeasureName.RADEMACHER else samplers.laplace
        rng = np.random.default_rng(np.random.SeedSequence((seed,), spawn_key=(2,)))
        return measures.EmpiricalMeasure.drawn(samplers.antithetic(law(dim)), self.sample_count, rng)
