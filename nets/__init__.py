"""The torch side: ensembles of really trained networks, built from the same problems as the flows.

May import ``dynamics``; never imports ``verify``. The names here are imported (and with them torch) when first asked
for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynamics.lazy_names import lazy_names

if TYPE_CHECKING:
    from nets.checkpoints.batchnorm_biases import NormLayer, norm_layers
    from nets.checkpoints.state_dicts import read_state_dict
    from nets.deep import teachers as deep_teachers
    from nets.deep.architecture import Architecture
    from nets.deep.networks import DeepNetworks
    from nets.deep.training.batches import FixedSamples, FreshGaussian
    from nets.deep.training.descent import SGD, Classification, Distillation
    from nets.deep.training.train import train_deep
    from nets.devices import resolve_device
    from nets.endings import DivergedTrainingError
    from nets.images.cifar10 import load_cifar10
    from nets.images.classifiers import train_classifiers
    from nets.images.digits import load_digits
    from nets.specialization.run_folder import RunFolder
    from nets.specialization.setting import SpecializationNetworks, SpecializationSetting
    from nets.specialization.training import train_specialization
    from nets.streams import network_seeds
    from nets.two_layer.networks import TwoLayerStudents
    from nets.two_layer.population_descent import population_descent
    from nets.two_layer.training import train
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "nets.checkpoints.batchnorm_biases": ["NormLayer", "norm_layers"],
            "nets.checkpoints.state_dicts": ["read_state_dict"],
            "nets.deep": ["teachers as deep_teachers"],
            "nets.deep.architecture": ["Architecture"],
            "nets.deep.training.batches": ["FixedSamples", "FreshGaussian"],
            "nets.deep.training.descent": ["SGD", "Classification", "Distillation"],
            "nets.deep.networks": ["DeepNetworks"],
            "nets.deep.training.train": ["train_deep"],
            "nets.devices": ["resolve_device"],
            "nets.endings": ["DivergedTrainingError"],
            "nets.images.cifar10": ["load_cifar10"],
            "nets.images.classifiers": ["train_classifiers"],
            "nets.images.digits": ["load_digits"],
            "nets.specialization.run_folder": ["RunFolder"],
            "nets.specialization.training": ["train_specialization"],
            "nets.specialization.setting": ["SpecializationNetworks", "SpecializationSetting"],
            "nets.streams": ["network_seeds"],
            "nets.two_layer.networks": ["TwoLayerStudents"],
            "nets.two_layer.population_descent": ["population_descent"],
            "nets.two_layer.training": ["train"],
        },
    )

__all__ = [
    "SGD",
    "Architecture",
    "Classification",
    "DeepNetworks",
    "Distillation",
    "DivergedTrainingError",
    "FixedSamples",
    "FreshGaussian",
    "NormLayer",
    "RunFolder",
    "SpecializationNetworks",
    "SpecializationSetting",
    "TwoLayerStudents",
    "deep_teachers",
    "load_cifar10",
    "load_digits",
    "network_seeds",
    "norm_layers",
    "population_descent",
    "read_state_dict",
    "resolve_device",
    "train",
    "train_classifiers",
    "train_deep",
    "train_specialization",
]
