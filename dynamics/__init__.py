"""The ODE side: input measures, teacher-student problems, reduced flows and their integration.

Knows numpy, scipy and xarray; never imports torch, ``nets`` or ``verify``. The names here are imported when first asked
for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynamics.lazy_names import lazy_names

if TYPE_CHECKING:
    from dynamics.arrays import Array
    from dynamics.basins.basin import Basin, basin
    from dynamics.basins.rates import basin_radius, basin_rate, basin_time
    from dynamics.basins.two_layer.basin import two_layer_basin
    from dynamics.deep.flow import DeepFlow
    from dynamics.deep.problem import DeepProblem
    from dynamics.files.checksums import DamagedFileError
    from dynamics.files.netcdf import UncheckedFileWarning
    from dynamics.geometry.angles import angles, paired_angles, supplementary_angles
    from dynamics.geometry.boundaries import Box
    from dynamics.geometry.columns import unit_columns
    from dynamics.measures import samplers
    from dynamics.measures.anisotropic_gaussian import AnisotropicGaussian
    from dynamics.measures.biased_gaussian import BiasedGaussian
    from dynamics.measures.empirical import EmpiricalMeasure
    from dynamics.measures.gaussian_mixture import GaussianMixture
    from dynamics.measures.input_measure import InputMeasure
    from dynamics.measures.isotropic_gaussian import IsotropicGaussian
    from dynamics.measures.leaky_kernels import LeakyKernels
    from dynamics.measures.uniform_sphere import UniformSphere
    from dynamics.ode.events import Event, converged, diverged
    from dynamics.ode.flow import Flow
    from dynamics.ode.integrate import integrate
    from dynamics.ode.phase_portrait import phase_portrait
    from dynamics.ode.plane_equilibria import Equilibrium, plane_equilibria
    from dynamics.ode.status import Status
    from dynamics.ode.steppers.methods import METHODS
    from dynamics.ode.trajectory import Trajectory
    from dynamics.two_layer import teachers
    from dynamics.two_layer.critical.critical_points import CriticalPoint, split_teacher
    from dynamics.two_layer.critical.relu_network import TwoLayerNetwork
    from dynamics.two_layer.flows import GradientFlow, ProjectedFlow, TwoLayerFlow
    from dynamics.two_layer.linearization import spectral_rate
    from dynamics.two_layer.lotka_volterra import LotkaVolterraFlow
    from dynamics.two_layer.observables import population_loss, two_layer_observables
    from dynamics.two_layer.one_teacher import (
        OneTeacherFlow,
        PassageFlow,
        frozen_passage_time,
        passage,
        passage_times,
    )
    from dynamics.two_layer.problem import TeacherStudent
    from dynamics.two_layer.residual_flow import ResidualFlow
    from dynamics.two_layer.shared_residual_flow import SharedResidualFlow
    from dynamics.two_layer.starts_around_a_teacher import adversarial_start, helpful_start
    from dynamics.two_layer.two_layer_dynamics import TwoLayerDynamics
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "dynamics.arrays": ["Array"],
            "dynamics.basins.basin": ["Basin", "basin"],
            "dynamics.basins.rates": ["basin_radius", "basin_rate", "basin_time"],
            "dynamics.basins.two_layer.basin": ["two_layer_basin"],
            "dynamics.deep.flow": ["DeepFlow"],
            "dynamics.deep.problem": ["DeepProblem"],
            "dynamics.files.checksums": ["DamagedFileError"],
            "dynamics.files.netcdf": ["UncheckedFileWarning"],
            "dynamics.geometry.angles": ["angles", "paired_angles", "supplementary_angles"],
            "dynamics.geometry.boundaries": ["Box"],
            "dynamics.geometry.columns": ["unit_columns"],
            "dynamics.measures.biased_gaussian": ["BiasedGaussian"],
            "dynamics.measures.empirical": ["EmpiricalMeasure"],
            "dynamics.measures.input_measure": ["InputMeasure"],
            "dynamics.measures.isotropic_gaussian": ["IsotropicGaussian"],
            "dynamics.measures.anisotropic_gaussian": ["AnisotropicGaussian"],
            "dynamics.measures.gaussian_mixture": ["GaussianMixture"],
            "dynamics.measures.leaky_kernels": ["LeakyKernels"],
            "dynamics.measures": ["samplers"],
            "dynamics.measures.uniform_sphere": ["UniformSphere"],
            "dynamics.ode.events": ["Event", "converged", "diverged"],
            "dynamics.ode.flow": ["Flow"],
            "dynamics.ode.integrate": ["integrate"],
            "dynamics.ode.phase_portrait": ["phase_portrait"],
            "dynamics.ode.plane_equilibria": ["Equilibrium", "plane_equilibria"],
            "dynamics.ode.status": ["Status"],
            "dynamics.ode.steppers.methods": ["METHODS"],
            "dynamics.ode.trajectory": ["Trajectory"],
            "dynamics.two_layer": ["teachers"],
            "dynamics.two_layer.starts_around_a_teacher": ["adversarial_start", "helpful_start"],
            "dynamics.two_layer.critical.critical_points": ["CriticalPoint", "split_teacher"],
            "dynamics.two_layer.flows": ["GradientFlow", "ProjectedFlow", "TwoLayerFlow"],
            "dynamics.two_layer.two_layer_dynamics": ["TwoLayerDynamics"],
            "dynamics.two_layer.linearization": ["spectral_rate"],
            "dynamics.two_layer.lotka_volterra": ["LotkaVolterraFlow"],
            "dynamics.two_layer.critical.relu_network": ["TwoLayerNetwork"],
            "dynamics.two_layer.observables": ["population_loss", "two_layer_observables"],
            "dynamics.two_layer.one_teacher": [
                "OneTeacherFlow",
                "PassageFlow",
                "frozen_passage_time",
                "passage",
                "passage_times",
            ],
            "dynamics.two_layer.problem": ["TeacherStudent"],
            "dynamics.two_layer.residual_flow": ["ResidualFlow"],
            "dynamics.two_layer.shared_residual_flow": ["SharedResidualFlow"],
        },
    )

__all__ = [
    "METHODS",
    "AnisotropicGaussian",
    "Array",
    "Basin",
    "BiasedGaussian",
    "Box",
    "CriticalPoint",
    "DamagedFileError",
    "DeepFlow",
    "DeepProblem",
    "EmpiricalMeasure",
    "Equilibrium",
    "Event",
    "Flow",
    "GaussianMixture",
    "GradientFlow",
    "InputMeasure",
    "IsotropicGaussian",
    "LeakyKernels",
    "LotkaVolterraFlow",
    "OneTeacherFlow",
    "PassageFlow",
    "ProjectedFlow",
    "ResidualFlow",
    "SharedResidualFlow",
    "Status",
    "TeacherStudent",
    "Trajectory",
    "TwoLayerDynamics",
    "TwoLayerFlow",
    "TwoLayerNetwork",
    "UncheckedFileWarning",
    "UniformSphere",
    "adversarial_start",
    "angles",
    "basin",
    "basin_radius",
    "basin_rate",
    "basin_time",
    "converged",
    "diverged",
    "frozen_passage_time",
    "helpful_start",
    "integrate",
    "paired_angles",
    "passage",
    "passage_times",
    "phase_portrait",
    "plane_equilibria",
    "population_loss",
    "samplers",
    "spectral_rate",
    "split_teacher",
    "supplementary_angles",
    "teachers",
    "two_layer_basin",
    "two_layer_observables",
    "unit_columns",
]
