"""The torch side: ensembles of really trained networks, built from the same problems as the flows.

May import ``dynamics``; never imports ``verify``.
"""

from nets.two_layer.networks import TwoLayerStudents
from nets.two_layer.population_descent import population_descent
from nets.two_layer.training import train

__all__ = ["TwoLayerStudents", "population_descent", "train"]
