"""A comparison as data: a labelled data set, and plain values for JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from dynamics.arrays import Array
from dynamics.ode.results.attributes import software_versions
from dynamics.ode.trajectory import Trajectory
from verify.comparisons.innovations import PULL, SPEED
from verify.comparisons.late_rates import LateRates
from verify.comparisons.windows import Agreement, Judgement, TimeWindow

if TYPE_CHECKING:
    import xarray as xr

FORMAT = "luckproof comparison 1"
NETWORK_AXES = {"loss": ("time", "network"), "sin_theta": ("time", "network", "teacher")}
DRAW_AXES = {"loss": ("time", "draw"), "sin_theta": ("time", "draw", "teacher")}


class Compared(Protocol):
    """What a comparison has to show: see :class:`verify.Comparison`."""

    @property
    def judgement(self) -> Judgement: ...
    @property
    def t(self) -> Array: ...
    @property
    def flow(self) -> Trajectory: ...
    @property
    def descent(self) -> Trajectory: ...
    @property
    def networks(self) -> Mapping[str, Array]: ...
    @property
    def late(self) -> LateRates: ...
    @property
    def settings(self) -> Mapping[str, Any]: ...
    @property
    def verdict(self) -> Agreement: ...
    @property
    def deviation(self) -> tuple[Array, Array]: ...
    @property
    def deviation_of_descent(self) -> Array: ...


def dataset_of(found: Compared) -> xr.Dataset:
    """Paths by time, draw and network; deviations; and what was seen in each window."""
    import xarray as xr

    mean, error = found.deviation
    variables: dict[str, Any] = {
        "deviation": ("time", mean),
        "deviation_error": ("time", error),
        "deviation_of_descent": ("time", found.deviation_of_descent),
    }
    for name, axes in NETWORK_AXES.items():
        values = found.networks[name]
        variables[f"networks_{name}"] = (axes, values[..., 0] if name == "loss" else values)
        for path in ("flow", "descent"):
            values = getattr(found, path).observables[name]
            rest = values.shape[-1:] if name == "sin_theta" else ()
            variables[f"{path}_{name}"] = (DRAW_AXES[name], values.reshape(len(values), -1, *rest))
    windows = found.judgement.windows
    variables |= {
        "window_start": ("window", [window.start for window in windows]),
        "window_end": ("window", [window.end for window in windows]),
        "window_steps": ("window", [window.innovations.count for window in windows]),
        "speed": ("window", [window.speed for window in windows]),
        "speed_error": ("window", [window.speed_error for window in windows]),
        "z": (("window", "direction"), np.stack([window.innovations.z for window in windows])),
    }
    facts = {"luckproof_comparison": json.dumps(plain(found)), "versions": json.dumps(software_versions())}
    return xr.Dataset(variables, coords={"time": found.t}, attrs=facts)


def plain(found: Compared) -> dict[str, Any]:
    """What came of it, without the paths."""
    judgement = found.judgement
    first = judgement.first_disagreement
    late = dataclasses.asdict(found.late)
    return {
        "format": FORMAT,
        "verdict": str(found.verdict),
        "first_disagreement": None if first is None else _window(judgement, first),
        "level": judgement.level,
        "resolve": judgement.resolve,
        "comparisons": judgement.comparisons,
        "critical_z": judgement.critical,
        "resolved": judgement.resolved if np.isfinite(judgement.resolved) else None,
        "whole": _window(judgement, judgement.whole),
        "windows": [_window(judgement, window) for window in judgement.windows],
        "late_rate": {**late, "predicted": found.late.predicted},
        "settings": dict(found.settings),
    }


def _window(judgement: Judgement, window: TimeWindow) -> dict[str, Any]:
    where, z = window.worst
    return {
        "start": window.start,
        "end": window.end,
        "steps": window.innovations.count,
        "speed": window.speed,
        "speed_error": window.speed_error,
        "z_along_the_flow": float(window.innovations.z[SPEED]),
        "z_towards_the_teacher": float(window.innovations.z[PULL]),
        "worst": where,
        "worst_z": z,
        "agrees": judgement.agrees(window),
    }
