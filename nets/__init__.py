"""The torch side: ensembles of really trained networks, built from the same problems as the flows.

May import ``dynamics``; never imports ``verify``.
"""

from nets.networks import TwoLayerStudents
from nets.population import population_descent
from nets.training import train

__all__ = ["TwoLayerStudents", "population_descent", "train"]
