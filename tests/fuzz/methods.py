"""The same of methods: other constructors of public classes, and what users call on objects that they have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import luckproof as lp
from tests.fuzz import calls
from tests.fuzz.calls import CALLS, W, add, finite


def of(make: Callable[[], Any], method: str) -> Callable[..., Any]:
    """The method, called on an object made anew."""
    return lambda **arguments: getattr(make(), method)(**arguments)


def in_range(make: Callable[[], Any], method: str) -> Callable[..., Any]:
    """The same, whatever overflows: of a state far outside the integrator says so."""

    def called(**arguments: Any) -> Any:
        with np.errstate(all="ignore"):
            return getattr(make(), method)(**arguments)

    return called


def samples() -> Any:
    return lp.FixedSamples(torch.ones(8, 3).double(), (3,), [0], batch_size=4)


def x(rows: int = 4, d: int = 3) -> Any:
    return torch.ones(rows, d).double()


def context() -> Any:
    return lp.make_context("quick", "cpu", 0)


# Problems and measures.
add(
    "DeepProblem.from_description",
    lp.DeepProblem.from_description,
    lambda: {"description": calls.deep_problem().description(), "measure": None},
)
add(
    "DeepProblem.with_biases",
    lp.DeepProblem.with_biases,
    lambda: {
        "teacher": calls.deep_weights(),
        "teacher_biases": (np.zeros(2), np.zeros(2)),
        "student": calls.deep_weights(2),
        "student_biases": (np.zeros(4), np.zeros(2)),
        "measure": lp.EmpiricalMeasure(calls.samples()),
        "slope": 0.0,
    },
)
add("DeepProblem.instance", of(calls.deep_problem, "instance"), lambda: {"index": ()})
add("DeepProblem.paired_nodes", of(calls.deep_problem, "paired_nodes"), lambda: {"layer": 0})
for kind, measure in {
    "IsotropicGaussian": lambda: lp.IsotropicGaussian(3),
    "AnisotropicGaussian": lambda: lp.AnisotropicGaussian(calls.spread()),
    "GaussianMixture": lambda: lp.GaussianMixture(calls.samples()[:2]),
    "LeakyKernels": lambda: lp.LeakyKernels.of(lp.IsotropicGaussian(3), 0.1),
    "BiasedGaussian": lambda: lp.BiasedGaussian(2),
    "EmpiricalMeasure": lambda: lp.EmpiricalMeasure(calls.samples()),
}.items():
    add(f"{kind}.prepare", of(measure, "prepare"), lambda: {"A": W()})
for kind, measure in {
    "IsotropicGaussian": lambda: lp.IsotropicGaussian(3),
    "BiasedGaussian": lambda: lp.BiasedGaussian(2),
}.items():
    add(
        f"{kind}.kernel_bounds",
        of(measure, "kernel_bounds"),
        lambda: {"centres": W(), "radii": np.full(2, 0.1)},
    )
add(
    "Box.sample",
    of(lambda: lp.Box.cube(2, 1.0), "sample"),
    lambda: {"size": 3, "rng": np.random.default_rng(0)},
)
add("Box.depth", of(lambda: lp.Box.cube(2, 1.0), "depth"), lambda: {"x": np.zeros((3, 2))})
add("Box.extremes", of(lambda: lp.Box.cube(2, 1.0), "extremes"), lambda: {"nodes": np.zeros((3, 2))})
for method in ("activations", "pre_activations"):
    add(f"TwoLayerNetwork.{method}", of(calls.two_layer_network, method), lambda: {"x": np.zeros((5, 2))})
add("TwoLayerNetwork.rounding", of(calls.two_layer_network, "rounding"), lambda: {"reach": 1.0}, meets=finite)

# Flows: a state of each.
FLOWS: dict[str, Callable[[], Any]] = {
    "TwoLayerFlow": lambda: lp.TwoLayerFlow(calls.learned()),
    "GradientFlow": lambda: lp.GradientFlow(calls.learned()),
    "ResidualFlow": lambda: lp.ResidualFlow(calls.learned()),
    "SharedResidualFlow": lambda: lp.SharedResidualFlow(np.ones(3), W(), np.ones(2), np.zeros(2)),
    "LotkaVolterraFlow": lambda: lp.LotkaVolterraFlow(np.ones(2), np.ones((2, 2)), np.ones(2)),
    "OneTeacherFlow": lambda: lp.OneTeacherFlow([1.0]),
    "PassageFlow": lambda: lp.PassageFlow([1.0]),
    "DeepFlow": lambda: lp.DeepFlow(calls.deep_problem()),
}
for kind, flow in FLOWS.items():
    for method in ("unpack", "observables"):
        add(
            f"{kind}.{method}",
            in_range(flow, method),
            lambda flow=flow: {"y": flow().initial_state()},
            inside=("W", "V"),
        )
    add(
        f"{kind}.__call__",
        in_range(flow, "__call__"),
        lambda flow=flow: {"t": 0.0, "y": flow().initial_state()},
        only=("y",),
        inside=("W", "V"),
    )
    add(
        f"{kind}.pack",
        in_range(flow, "pack"),
        lambda flow=flow: {"arrays": flow().unpack(flow().initial_state())},
    )
for kind in ("TwoLayerFlow", "GradientFlow", "ResidualFlow"):
    add(
        f"{kind}.matrices",
        in_range(FLOWS[kind], "matrices"),
        lambda kind=kind: {"y": FLOWS[kind]().initial_state()},
    )
add(
    "Flow.observables_along",
    in_range(FLOWS["TwoLayerFlow"], "observables_along"),
    lambda: {"states": np.stack([FLOWS["TwoLayerFlow"]().initial_state()] * 2)},
    inside=("W", "V"),
)

# Networks.
for method in ("fan_in", "node_count", "spatial", "weight_shape"):
    parameter = "level" if method == "spatial" else "index"
    add(f"Architecture.{method}", of(calls.architecture, method), lambda parameter=parameter: {parameter: 0})
for method in ("activations", "output", "traced", "expand"):
    add(f"DeepNetworks.{method}", of(calls.network, method), lambda: {"x": x()})
add("DeepNetworks.part", of(calls.network, "part"), lambda: {"networks": slice(0, 1)})
add("DeepNetworks.blocks", of(calls.network, "blocks"), lambda: {"products": "float32"})
add("DeepNetworks.to", of(calls.network, "to"), lambda: {"device": "cpu", "dtype": torch.float64})
add(
    "Distillation.part",
    of(lambda: lp.Distillation(calls.network()), "part"),
    lambda: {"networks": slice(0, 1)},
)
add("Classification.part", of(lp.Classification, "part"), lambda: {"networks": slice(0, 1)})
add(
    "FixedSamples.gaussian",
    lp.FixedSamples.gaussian,
    lambda: {
        "inputs": (3,),
        "seeds": [0],
        "samples": 8,
        "std": 1.0,
        "batch_size": 4,
        "dtype": torch.float64,
    },
)
for kind, source in {
    "FixedSamples": samples,
    "FreshGaussian": lambda: lp.FreshGaussian((3,), (0,), 4, 8, 1.0),
}.items():
    add(
        f"{kind}.batches",
        lambda source=source, **arguments: list(source().batches(**arguments)),
        lambda: {
            "epoch": 0,
            "networks": slice(0, 1),
            "device": torch.device("cpu"),
            "dtype": torch.float64,
        },
    )
for method in ("forward", "negative_gradients", "teacher"):
    add(
        f"TwoLayerStudents.{method}",
        of(lambda: lp.TwoLayerStudents.from_problem(calls.problem(), "cpu"), method),
        lambda: {"x": torch.ones(1, 4, 3).double()},
    )
add(
    "SpecializationNetworks.draw",
    lp.SpecializationNetworks.draw,
    lambda: {"setting": calls.setting(), "seeds": [0], "inputs": None},
)

# Verdicts and files.
add("RunInfo.of", lp.RunInfo.of, lambda: {"context": context(), "seconds": 1.0})

METHODS_NOT_CALLED = {
    "called at every step, on states that integrate has checked": (
        "checked_states component_name field of_matrices of_tangent shared told_component "
        "short_of tangent_gram teacher_times told weights with_loss Event.at Event.ends SGD.rate crossed "
        "instance_labels"
    ),
    "what measures and flows ask each other, on prepared columns": (
        "fill_batches joined kernels_onto prepare_unit psi_d_onto second_moment_times"
        " leaky_kernels leaky_gradient_term TwoLayerStudents.activation"
    ),
    "not known for these measures, which say so": (
        "EmpiricalMeasure.kernel_bounds AnisotropicGaussian.kernel_bounds GaussianMixture.kernel_bounds "
        "LeakyKernels.kernel_bounds"
    ),
    "what the flow hands to its measure": (
        "GradientFlow.prepare ProjectedFlow.prepare TwoLayerDynamics.prepare TwoLayerFlow.prepare"
    ),
    "of a statement's file, when it is imported: checked by the registry": (
        "accepts accepts_variant assumptions confirmed_by confirmed_precisely drawn_by errs excludes includes "
        "Evidence.at_most Evidence.close Evidence.moved Context.rng Context.z "
        "Assumption.above Assumption.at_least Assumption.at_most Assumption.below Assumption.equal Assumption.that "
        "Cost.at_quick Cost.examples Item.claim "
        "not_proved rejects rejects_moved rejects_variant replicated telling came_out judge passed"
    ),
    "between training and the folder of its runs": "find keep path require_relu_networks teacher_hidden",
    "of folders and results that other tests fill": "collect retry Certificate.save Comparison.save",
}
"""Methods that are not called, by the reason why not: by name in every class, or of one class."""

__all__ = ["CALLS", "METHODS_NOT_CALLED"]
