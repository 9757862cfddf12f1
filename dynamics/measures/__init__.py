"""Input measures: their ReLU kernels, samples and moments."""

from dynamics.measures.anisotropic_gaussian import AnisotropicGaussian
from dynamics.measures.biased_gaussian import BiasedGaussian
from dynamics.measures.empirical import EmpiricalMeasure
from dynamics.measures.gaussian_mixture import GaussianMixture
from dynamics.measures.input_measure import InputMeasure
from dynamics.measures.isotropic_gaussian import IsotropicGaussian
from dynamics.measures.leaky_kernels import LeakyKernels
from dynamics.measures.uniform_sphere import UniformSphere

__all__ = [
    "AnisotropicGaussian",
    "BiasedGaussian",
    "EmpiricalMeasure",
    "GaussianMixture",
    "InputMeasure",
    "IsotropicGaussian",
    "LeakyKernels",
    "UniformSphere",
]
