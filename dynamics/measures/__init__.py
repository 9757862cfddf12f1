"""Input measures: their ReLU kernels, samples and moments."""

from dynamics.measures.biased_gaussian import BiasedGaussian
from dynamics.measures.empirical import EmpiricalMeasure
from dynamics.measures.input_measure import InputMeasure
from dynamics.measures.isotropic_gaussian import IsotropicGaussian

__all__ = ["BiasedGaussian", "EmpiricalMeasure", "InputMeasure", "IsotropicGaussian"]
