"""A small run for tests of files, and a way to read one without a word about foreign files."""

from __future__ import annotations

from typing import Any

import numpy as np

from luckproof import Trajectory


def small_run(**changes: Any) -> Trajectory:
    """Six records of two instances, with texts, labels and a problem."""
    rng = np.random.default_rng(3)
    fields: dict[str, Any] = {
        "t": np.linspace(0.0, 1.0, 6),
        "state": {"W": rng.normal(size=(6, 2, 4, 3))},
        "observables": {"loss": rng.random((6, 2)), "open": rng.random((6, 2)) > 0.5},
        "time_counts": "time",
        "nfev": 12,
        "n_steps": 5,
        "message": "done",
        "dimensions": {"W": ("input", "node"), "loss": (), "open": ()},
        "coordinates": {"kind": ("node", ["u", "u", "r"])},
        "problem": {"teacher_W": rng.normal(size=(4, 3)), "kind": "toy"},
        "attributes": {"seed": 3, "configuration": {"m": [1, 2]}},
    }
    return Trajectory(**{**fields, **changes})
