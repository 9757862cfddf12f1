"""The ODE side: input measures, teacher-student problems, reduced flows and their integration.

Knows numpy, scipy and xarray; never imports torch, ``nets`` or ``verify``.
"""

from dynamics.deep_flow import DeepFlow
from dynamics.deep_problem import DeepProblem
from dynamics.events import Event, converged, diverged
from dynamics.flows import GradientFlow, ProjectedFlow, TwoLayerFlow
from dynamics.geometry import angles, paired_angles, supplementary_angles, unit_columns
from dynamics.integrate import integrate
from dynamics.linearize import spectral_rate
from dynamics.measures import BiasedGaussian, EmpiricalMeasure, InputMeasure, IsotropicGaussian
from dynamics.observables import population_loss, two_layer_observables
from dynamics.problems import TeacherStudent
from dynamics.trajectory import Status, Trajectory

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
