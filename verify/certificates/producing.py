"""From a start to a certificate: integrate in floating point, with steps that the checker will accept."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from dynamics.arrays import Array
from verify.certificates.float_geometry import Local, lipschitz, local

LOSS = 0.15
"""What a step's own length may take from the rate, ``L F h``."""
LONGEST = 1.0
"""A step, in units of time."""
WIDEST = 0.3
"""A tube wider than this proves nothing any more."""
AT_REST = 1e-7
"""A speed below which the run has come to rest."""
SAFETY = 1.002
"""Above the floats' bounds, so that the checker's ball arithmetic agrees."""
MARGIN = 1e-6


class UndecidedError(Exception):
    """No certificate can be given; the message says why."""


class TubeError(UndecidedError):
    """The tube has grown too wide; a finer path may do better."""


class Path(NamedTuple):
    """What a certificate of the trajectory says, in floats."""

    points: list[Array]
    steps: list[float]
    lam: list[float]
    target: list[int]


class _Step(NamedTuple):
    h: float
    lam: float
    tube: float


def follow(
    W: Array,
    T: Array,
    entry: Callable[[float, float], bool],
    most: int,
    progress: Callable[[int], None],
    accuracy: float,
) -> Path:
    """The run from students W to where a basin of the teachers T is entered; rows are unit columns.

    Args:
        W, T: (m, d).
        entry: of (chordal distance to the permuted teachers, tube): whether the end can be proved there.
        most: steps.
        progress: called with the steps done.
        accuracy: error of a step relative to its path.
    Raises:
        UndecidedError: at rest elsewhere, or too many steps.
        TubeError: a tube too wide.
    """
    path, tube, longest = Path([W], [], [], []), 0.0, LONGEST
    while True:
        distance, target = nearest(W, T)
        if distance is not None and entry(distance, tube):
            return path._replace(target=target)
        if len(path.steps) == most:
            raise UndecidedError(
                f"step limit: {most} steps end at t = {sum(path.steps):.4g}, {_where(distance)}"
            )
        here = local(W, T)
        if np.linalg.norm(here.field) < AT_REST:
            raise UndecidedError(f"at rest at t = {sum(path.steps):.4g}, {_where(distance)}")
        chosen = _step(here, tube, accuracy, longest)
        if chosen is None or chosen.tube > WIDEST:
            raise TubeError(
                f"stuck near a saddle, or bounds too coarse: the tube around the run grows beyond {WIDEST} at "
                f"t = {sum(path.steps):.4g}, {_where(distance)}"
            )
        W, off = _moved(W, here, chosen.h)
        tube = chosen.tube + SAFETY * off
        longest = min(LONGEST, 1.6 * chosen.h)
        path.points.append(W)
        path.steps.append(chosen.h)
        path.lam.append(chosen.lam)
        progress(len(path.steps))


def nearest(W: Array, T: Array) -> tuple[float | None, list[int]]:
    """Distance to the teachers permuted so that each student has its nearest; None where two share one."""
    target = np.argmax(W @ T.T, axis=1)
    if len(set(target.tolist())) < len(T):
        return None, []
    return float(np.linalg.norm(W - T[target])), [int(k) for k in target]


def _where(distance: float | None) -> str:
    return "two students nearest to one teacher" if distance is None else f"R = {distance:.4g}"


def _step(here: Local, tube: float, accuracy: float, longest: float) -> _Step | None:
    """The longest step, by factors 0.8, that loses little rate and accuracy."""
    least = float(np.linalg.eigvalsh(here.hessian)[0])
    speed = float(np.linalg.norm(here.field))
    once = here.hessian @ here.field.ravel()
    first, second = float(np.linalg.norm(once)), float(np.linalg.norm(here.hessian @ once))
    size = float(np.linalg.norm(here.hessian))
    h = longest
    for _ in range(80):
        found = _consistent(here, tube, least, speed, h)
        if found is not None:
            lam, L, grow, rho = found
            F = speed * grow
            G = grow * (first + L * F * F * h)
            third = L * F * F + grow * (second + L * F * h * (G + (size + L * rho) * F)) + 3 * G * F + F**3
            error = h**3 / 6 * third
            if L * F * h <= LOSS and error <= accuracy * h * speed:
                return _Step(h, lam, SAFETY * (tube * np.exp(-lam * h) + 1.001 * error) + 1e-12)
        h *= 0.8
    return None


def _consistent(
    here: Local, tube: float, least: float, speed: float, h: float
) -> tuple[float, float, float, float] | None:
    """``lam = least - L rho``, where rho and L depend on lam; None where no lam is found."""
    lam = least
    for _ in range(30):
        grow = float(np.exp(h * max(0.0, -lam)))
        rho = tube * grow + speed * grow * h
        L = SAFETY * lipschitz(here.own, here.to_teachers, SAFETY * rho)
        allowed = least - MARGIN - SAFETY * L * rho
        if allowed >= lam:
            return lam, L, grow, rho
        lam = allowed - MARGIN
        if lam * h < -3:
            return None
    return None


def _moved(W: Array, here: Local, h: float) -> tuple[Array, float]:
    """Taylor's second-order step, back on the spheres, and how far that put it off."""
    f = here.field
    bent = (here.hessian @ f.ravel()).reshape(f.shape) + np.sum(f * f, axis=1, keepdims=True) * W
    taylor = W + h * f - h * h / 2 * bent
    W = _unit(taylor)
    return W, float(np.linalg.norm(taylor - W))


def _unit(W: Array) -> Array:
    unit: Array = W / np.linalg.norm(W, axis=1, keepdims=True)
    return unit
