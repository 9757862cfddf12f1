"""The array types of the whole project: float64, with an ensemble on the leading axes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
"""An array of float64 of any shape; docstrings give the shape."""

Vector = NDArray[np.float64]
"""The same with one axis: a flat state, a list of times."""
