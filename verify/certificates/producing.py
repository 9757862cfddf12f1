"""From a start to a certificate: integrate in floating point, with steps that the checker will accept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np

from dynamics.arrays import Array

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
NARROW = 1e-3
"""A tube narrower than this does not keep a run from its end."""
MARGIN = 1e-6


class UndecidedError(Exception):
    """No certificate can be given; the message says why."""


class TubeError(UndecidedError):
    """The tube has grown too wide; a finer path may do better."""


class Path(NamedTuple):
    """What a certificate of the trajectory says, in floats."""

    points: list[Any]
    steps: list[float]
    lam: list[float]
    target: Any


class Local(Protocol):
    """A flow at one point: minus a gradient."""

    @property
    def field(self) -> Array:
        """Of any shape."""

    @property
    def hessian(self) -> Array:
        """(size, size), in the order of the field, with a penalty on the normals of the spheres."""

    def lipschitz(self, spread: float) -> float:
        """A bound of the Hessian's change per length within ``spread``."""

    def moved(self, h: float) -> tuple[Any, float]:
        """Taylor's second-order step, back on the spheres, and how far that put it off."""


class System(Protocol):
    """What is followed, and to which end."""

    def local(self, point: Any) -> Local:
        """The flow there."""

    def ended(self, point: Any, tube: float) -> Any:
        """What is reached, where its end can be proved from a tube of this width around the point; else None."""

    def where(self, point: Any) -> str:
        """For messages."""


class _Step(NamedTuple):
    h: float
    lam: float
    tube: float


def follow(point: Any, system: System, most: int, progress: Callable[[int], None], accuracy: float) -> Path:
    """The run from a point to where its end can be proved.

    Args:
        point: the start, as ``system`` has it.
        system: the flow.
        most: steps.
        progress: called with the steps done.
        accuracy: error of a step relative to its path.
    Raises:
        UndecidedError: at rest elsewhere, or too many steps.
        TubeError: a tube too wide.
    """
    path, tube, longest = Path([point], [], [], None), 0.0, LONGEST
    while True:
        target = system.ended(point, tube)
        if target is not None:
            return path._replace(target=target)
        if len(path.steps) == most:
            raise UndecidedError(
                f"step limit: {most} steps end at t = {sum(path.steps):.4g}, {system.where(point)}"
            )
        here = system.local(point)
        if np.linalg.norm(here.field) < AT_REST:
            kind = TubeError if tube > NARROW else UndecidedError
            raise kind(f"at rest at t = {sum(path.steps):.4g}, {system.where(point)}")
        chosen = _step(here, tube, accuracy, longest)
        if chosen is None or chosen.tube > WIDEST:
            raise TubeError(
                f"stuck near a saddle, or bounds too coarse: the tube around the run grows beyond {WIDEST} at "
                f"t = {sum(path.steps):.4g}, {system.where(point)}"
            )
        point, off = here.moved(chosen.h)
        tube = chosen.tube + SAFETY * off
        longest = min(LONGEST, 1.6 * chosen.h)
        path.points.append(point)
        path.steps.append(chosen.h)
        path.lam.append(chosen.lam)
        progress(len(path.steps))


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
        L = SAFETY * here.lipschitz(SAFETY * rho)
        allowed = least - MARGIN - SAFETY * L * rho
        if allowed >= lam:
            return lam, L, grow, rho
        lam = allowed - MARGIN
        if lam * h < -3:
            return None
    return None
