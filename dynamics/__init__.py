"""The ODE side: input measures, teacher-student problems, reduced flows and their integration.

Knows numpy, scipy and xarray; never imports torch, ``nets`` or ``verify``.
"""

from dynamics.deep.flow import DeepFlow
from dynamics.deep.problem import DeepProblem
from dynamics.geometry.angles import angles, paired_angles, supplementary_angles, unit_columns
from dynamics.measures.biased_gaussian import BiasedGaussian
from dynamics.measures.empirical import EmpiricalMeasure
from dynamics.measures.input_measure import InputMeasure
from dynamics.measures.isotropic_gaussian import IsotropicGaussian
from dynamics.ode.events import Event, converged, diverged
from dynamics.ode.integrate import integrate
from dynamics.ode.trajectory import Status, Trajectory
from dynamics.two_layer.flows import GradientFlow, ProjectedFlow, TwoLayerFlow
from dynamics.two_layer.linearization import spectral_rate
from dynamics.two_layer.observables import population_loss, two_layer_observables
from dynamics.two_layer.problem import TeacherStudent

__all__ = [
    "BiasedGaussian",
    "DeepFlow",
    "DeepProblem",
    "EmpiricalMeasure",
    "Event",
    "GradientFlow",
    "InputMeasure",
    "IsotropicGaussian",
    "ProjectedFlow",
    "Status",
    "TeacherStudent",
    "Trajectory",
    "TwoLayerFlow",
    "angles",
    "converged",
    "diverged",
    "integrate",
    "paired_angles",
    "population_loss",
    "spectral_rate",
    "supplementary_angles",
    "two_layer_observables",
    "unit_columns",
]
