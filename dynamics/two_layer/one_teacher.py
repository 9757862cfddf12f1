"""One student, one teacher, spherical input: the exact gradient flow in three numbers, and its passage times.

With ``delta = pi - angle(w, w*)``, ``rho = ||w||``, scalar fan-outs v and v*, ``||w*|| = 1`` and c = E||x||^2 / d:

    delta' = (c / 2 pi) (v v* / rho) delta sin delta
    rho'   = (c / 2 pi) v v* (sin delta - delta cos delta) - (c / 2) v^2 rho
    v'     = (c / 2 pi) v* rho (sin delta - delta cos delta) - (c / 2) v rho^2

and ``rho^2 - v^2`` is conserved. Source: Student Specialization, Eqns 11 and 12, with norm and fan-out kept in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import quad

from dynamics.arrays import Array
from dynamics.measures.gaussian_kernels import arc_cosine
from dynamics.ode.events import Event, diverged
from dynamics.ode.flow import Flow
from dynamics.ode.integrate import integrate
from dynamics.ode.trajectory import Trajectory

_FAR = 150.0
"""Logarithms of norm and fan-out are cut here for evaluation: e^150 is far outside of any state, its square finite."""


class _OneTeacher(Flow):
    """Validated, broadcast starts and the field, shared by the flow in time and the flow in the angle."""

    def __init__(
        self, delta: ArrayLike, rho: ArrayLike, v: ArrayLike, teacher_v: ArrayLike, c: float, frozen: bool
    ) -> None:
        parts = np.broadcast_arrays(*(np.asarray(x, dtype=np.float64) for x in (delta, rho, v, teacher_v)))
        for name, part in zip(("delta", "rho", "v", "teacher_v"), parts, strict=True):
            if not np.all(np.isfinite(part)):
                raise ValueError(f"{name}: expected finite numbers, got NaN or Inf")
        self.delta, self.rho, self.v, self.teacher_v = (part.copy() for part in parts)
        if not (np.all(self.delta > 0) and np.all(self.delta <= np.pi)):
            raise ValueError(f"delta: expected angles in (0, pi], got {delta!r}")
        if not np.all(self.rho > 0):
            raise ValueError(f"rho: expected positive norms, got {rho!r}")
        if not (math.isfinite(c) and c > 0):
            raise ValueError(f"c: expected a positive finite number, got {c!r}")
        self.c, self.frozen = float(c), bool(frozen)

    def field(self, delta: Array, rho: Array, v: Array) -> tuple[Array, Array, Array]:
        """``(delta', rho', v')``."""
        c, gain = self.c, self.c / (2 * np.pi) * self.teacher_v
        turn = gain * v / rho * delta * np.sin(delta)
        if self.frozen:
            return turn, np.zeros_like(rho), np.zeros_like(v)
        lift = gain * arc_cosine(delta)
        return turn, lift * v - c / 2 * v**2 * rho, lift * rho - c / 2 * v * rho**2

    def configuration(self) -> dict[str, Any]:
        """The flow in plain data, for a result's attributes."""
        return {**super().configuration(), "c": self.c, "frozen": self.frozen}


class OneTeacherFlow(_OneTeacher):
    """The system above in time, from ``(delta, rho, v)``; ``frozen`` keeps rho and v, which is Eqn 12 alone.

    Arrays of any common shape are an ensemble. State delta, rho, v (three scalars an instance), flat.
    ``observables``: ``angle`` = pi - delta, ``balance`` = rho^2 - v^2. Where ``v < rho`` the fan-out dies out fast
    and the angle slowly: stiff, take ``method="LSODA"`` or ``"Radau"``.
    Raises ValueError for delta outside (0, pi], rho <= 0 or non-finite numbers.
    """

    dimensions = dict.fromkeys(("delta", "rho", "v", "angle", "balance"), ())

    def __init__(
        self,
        delta: ArrayLike,
        rho: ArrayLike = 1.0,
        v: ArrayLike = 1.0,
        *,
        teacher_v: ArrayLike = 1.0,
        c: float = 1.0,
        frozen: bool = False,
    ) -> None:
        super().__init__(delta, rho, v, teacher_v, c, frozen)

    @property
    def initial_arrays(self) -> Mapping[str, Array]:
        """``delta``, ``rho``, ``v``, each of the ensemble's shape."""
        return {"delta": self.delta, "rho": self.rho, "v": self.v}

    def __call__(self, t: float, y: Array) -> Array:
        return np.concatenate([part.ravel() for part in self.field(*self.unpack(y).values())])

    def observables(self, y: Array) -> dict[str, Array]:
        """The angle and the conserved difference of squares."""
        delta, rho, v = self.unpack(y).values()
        return {"angle": np.pi - delta, "balance": rho**2 - v**2}


class PassageFlow(_OneTeacher):
    """The same system with log delta as its clock: every instance passes from its start to ``end`` for s in [0, 1].

    ``log delta(s) = log delta_0 + s log(end / delta_0)``; the state is log rho, log |v| (v may fall to delta^3, and
    must not cross zero in a trial step) and the time ``elapsed`` so far, so that a whole ensemble of passage times
    comes from one run without events. Assumes v v* > 0 at the start; it then stays so and delta rises.
    Raises ValueError where the start is not below ``end`` or v v* <= 0.
    """

    dimensions = dict.fromkeys(("log_rho", "log_v", "elapsed"), ())

    def __init__(
        self,
        delta: ArrayLike,
        rho: ArrayLike = 1.0,
        v: ArrayLike = 1.0,
        *,
        end: float = np.pi / 2,
        teacher_v: ArrayLike = 1.0,
        c: float = 1.0,
        frozen: bool = False,
    ) -> None:
        super().__init__(delta, rho, v, teacher_v, c, frozen)
        if not (0 < end < np.pi and np.all(self.delta < end)):
            raise ValueError(f"end: expected an angle above every start and below pi, got {end!r}")
        if not np.all(self.v * self.teacher_v > 0):
            raise ValueError("v, teacher_v: expected v v* > 0, or the student turns away")
        self.way = np.log(end / self.delta)

    @property
    def initial_arrays(self) -> Mapping[str, Array]:
        """Logarithms of norm and fan-out, and no time elapsed; each of the ensemble's shape."""
        return {
            "log_rho": np.log(self.rho),
            "log_v": np.log(np.abs(self.v)),
            "elapsed": np.zeros_like(self.v),
        }

    def __call__(self, t: float, y: Array) -> Array:
        log_rho, log_v, _ = self.unpack(y).values()
        # An implicit method's trial may overshoot by hundreds and must get a number back, or the run ends there.
        log_rho, log_v = (np.clip(part, -_FAR, _FAR) for part in (log_rho, log_v))
        delta, rho, v = self.delta * np.exp(t * self.way), np.exp(log_rho), np.sign(self.v) * np.exp(log_v)
        turn, grow, fan = self.field(delta, rho, v)
        pace = self.way * delta / turn
        return np.concatenate([part.ravel() for part in (grow / rho * pace, fan / v * pace, pace)])


def reached(end: float) -> Event:
    """Terminal event of an :class:`OneTeacherFlow` with one instance: delta has risen to ``end``."""
    return Event("reached", lambda t, y: y[0] - end, direction=1, at_start=True)


def passage(flow: OneTeacherFlow, end: float = np.pi / 2, *, rtol: float = 1e-11) -> Trajectory:
    """Run one instance until delta = ``end``; ``trajectory.events["reached"]`` holds the passage time.

    LSODA, since the system is stiff for v < rho; atol lies below the smallest quasi-steady fan-out (delta^3 / 3 pi).
    Raises ValueError for an ensemble (take :class:`PassageFlow`).
    """
    if flow.instances != 1:
        raise ValueError(f"flow: expected one instance, got {flow.instances}; PassageFlow takes ensembles")
    return integrate(flow, (0.0, 1e15), method="LSODA", rtol=rtol, atol=1e-18, events=[reached(end)])


def passage_times(flow: PassageFlow, *, rtol: float = 1e-10) -> Array:
    """Passage times of every instance of ``flow``, of its ensemble's shape, from one stiff run.

    Cost: LSODA's dense Jacobian, so the square of the number of instances; a few dozen at most.
    Raises RuntimeError, with the run's own message, where the integration did not reach the end.
    """
    far = diverged(1e300)  # a passage time has no scale of its own: eps^-4 passes the default limit
    run = integrate(flow, (0.0, 1.0), t_eval=[1.0], method="LSODA", rtol=rtol, atol=1e-12, events=[far])
    if not run.success:
        raise RuntimeError(run.message)
    return np.asarray(run.state["elapsed"][-1])


def frozen_passage_time(start: float, end: float = np.pi / 2, kappa: float = 1.0) -> float:
    """``T = (1 / kappa) int_start^end d delta / (delta sin delta)``: Eqn 12 at fixed kappa = c v v* / (2 pi rho).

    ``1/start - 1/end`` plus a quadrature of the regular rest ``(delta - sin delta) / (delta^2 sin delta)``, so that
    nothing cancels near pi. Raises ValueError unless 0 < start <= end < pi and kappa > 0.
    """
    if not (0 < start <= end < np.pi and kappa > 0):
        raise ValueError(
            f"start, end, kappa: expected 0 < start <= end < pi and kappa > 0, got {start!r}, {end!r}, {kappa!r}"
        )
    rest, _ = quad(_regular_rest, start, end, epsabs=0, epsrel=1e-13, limit=200)
    return (1 / start - 1 / end + float(rest)) / kappa


def _regular_rest(x: float) -> float:
    if x < 1e-2:  # 1/6 + 7 x^2/360 + 31 x^4/15120 + ...; the difference would cancel
        return 1 / 6 + x * x * (7 / 360 + x * x * 31 / 15120)
    return (x - math.sin(x)) / (x * x * math.sin(x))
