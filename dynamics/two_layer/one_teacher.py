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
from dynamics.boundary import checked
from dynamics.measures.gaussian_kernels import arc_cosine
from dynamics.ode.events import Event, diverged
from dynamics.ode.flow import Flow
from dynamics.ode.integrate import integrate
from dynamics.ode.trajectory import Trajectory
from dynamics.validation import broadcast_lead, number, real_array, shown

_LARGEST_LOGARITHM = 150.0
"""Where logarithms of norm and fan-out are cut in the field: e^150 is far outside of any state, its square finite."""


class _OneTeacher(Flow):
    """Validated, broadcast starts and the field, shared by the flow in time and the flow in the angle."""

    def __init__(
        self, delta: ArrayLike, rho: ArrayLike, v: ArrayLike, teacher_v: ArrayLike, c: float, frozen: bool
    ) -> None:
        given = {"delta": delta, "rho": rho, "v": v, "teacher_v": teacher_v}
        arrays = {name: real_array(name, part) for name, part in given.items()}
        broadcast_lead(arrays, trailing=0)
        parts = np.broadcast_arrays(*arrays.values())
        self.delta, self.rho, self.v, self.teacher_v = (part.copy() for part in parts)
        if not (np.all(self.delta > 0) and np.all(self.delta <= np.pi)):
            raise ValueError(f"delta: expected angles in (0, pi], got {shown(delta)}")
        if not np.all(self.rho > 0):
            raise ValueError(f"rho: expected positive norms, got {shown(rho)}")
        self.c, self.frozen = number("c", c, positive=True), bool(frozen)

    def field(self, delta: Array, rho: Array, v: Array) -> tuple[Array, Array, Array]:
        """``(delta', rho', v')``."""
        c, gain = self.c, self.c / (2 * np.pi) * self.teacher_v
        turn = gain * v / rho * delta * np.sin(delta)
        if self.frozen:
            return turn, np.zeros_like(rho), np.zeros_like(v)
        lift = gain * arc_cosine(delta)
        return turn, lift * v - c / 2 * v**2 * rho, lift * rho - c / 2 * v * rho**2

    def problem_description(self) -> dict[str, Any]:
        """Where the student starts, and the teacher's fan-out."""
        start = {"delta": self.delta, "rho": self.rho, "v": self.v, "teacher_v": self.teacher_v}
        return {"kind": self.name, "c": self.c, "frozen": self.frozen, **start}

    def configuration(self) -> dict[str, Any]:
        """The flow in plain data, for a result's attributes."""
        return {**super().configuration(), "c": self.c, "frozen": self.frozen}


class OneTeacherFlow(_OneTeacher):
    """One student and one teacher in three numbers, the system of this module, in time.

    State: ``delta``, ``rho``, ``v``, each of the ensemble's shape. Observables: ``angle = pi - delta``,
    ``balance = rho^2 - v^2``, which is conserved. Where v < rho the fan-out dies out fast and the angle slowly: stiff,
    take ``method="LSODA"`` or ``"Radau"``.

    Args:
        delta: ``pi - angle(w, w*)``, radians in (0, pi].
        rho: ``||w||``, > 0.
        v, teacher_v: fan-outs of student and teacher.
        c: ``E||x||^2 / d`` of the spherical input, > 0.
        frozen: whether rho and v are kept, which is Eqn 12 alone.

        Arrays of any common shape are an ensemble.
    Raises:
        ValueError: a number outside its range, or not finite.
    Cost: O(1) an evaluation and instance.
    Source: Student Specialization, Eqns 11 and 12.
    """

    dimensions = dict.fromkeys(("delta", "rho", "v", "angle", "balance"), ())

    @checked
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
        return self.pack(dict(zip(("delta", "rho", "v"), self.field(*self.unpack(y).values()), strict=True)))

    def observables(self, y: Array) -> dict[str, Array]:
        """The angle and the conserved difference of squares."""
        delta, rho, v = self.unpack(y).values()
        return {"angle": np.pi - delta, "balance": rho**2 - v**2}


class PassageFlow(_OneTeacher):
    """:class:`OneTeacherFlow` with log delta as its clock: s in [0, 1] takes every instance from its start to ``end``.

    ``log delta(s) = log delta_0 + s log(end / delta_0)``, so that a whole ensemble of passage times comes from one run
    without events. State: ``log_rho``, ``log_v`` (of |v|, which may fall to delta^3 and must not cross zero in a trial
    step) and the time ``elapsed`` so far.

    Args:
        delta, rho, v, teacher_v, c, frozen: as :class:`OneTeacherFlow`, with v v* > 0: it then stays so, and delta
            rises.
        end: radians, above every start and below pi.
    Raises:
        ValueError: as :class:`OneTeacherFlow`, another ``end``, or v v* <= 0.
    Cost: O(1) an evaluation and instance.
    """

    time_counts = "share of the way from log(delta) to log(end)"
    dimensions = dict.fromkeys(("log_rho", "log_v", "elapsed"), ())

    @checked
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
        if not (number("end", end, positive=True) < np.pi and np.all(self.delta < end)):
            raise ValueError(f"end: expected an angle above every start and below pi, got {shown(end)}")
        if not np.all(np.sign(self.v) * np.sign(self.teacher_v) > 0):  # their product may be beyond float64
            raise ValueError(
                f"v, teacher_v: expected v v* > 0, or the student turns away, got {shown(v)}, {shown(teacher_v)}"
            )
        with np.errstate(over="ignore"):
            ratio = end / self.delta
        self.way = np.where(np.isinf(ratio), np.log(end) - np.log(self.delta), np.log(ratio))

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
        # The trial step of an implicit method may overshoot by hundreds and needs a finite value to be refused by.
        log_rho, log_v = (np.clip(part, -_LARGEST_LOGARITHM, _LARGEST_LOGARITHM) for part in (log_rho, log_v))
        delta, rho, v = self.delta * np.exp(t * self.way), np.exp(log_rho), np.sign(self.v) * np.exp(log_v)
        turn, grow, fan = self.field(delta, rho, v)
        pace = self.way * delta / turn
        return self.pack({"log_rho": grow / rho * pace, "log_v": fan / v * pace, "elapsed": pace})


def reached(end: float) -> Event:
    """Terminal event of an :class:`OneTeacherFlow` with one instance: delta has risen to ``end``."""
    return Event("reached", lambda t, y: y[0] - end, direction=1, at_start=True)


@checked
def passage(flow: OneTeacherFlow, end: float = np.pi / 2, *, rtol: float = 1e-11) -> Trajectory:
    """Run one instance until delta reaches ``end``.

    By LSODA, since the system is stiff for v < rho; the absolute tolerance lies below delta^3 / 3 pi, to which a
    fan-out falls.

    Args:
        flow: of one instance.
        end: radians.
        rtol: relative tolerance.
    Returns:
        The trajectory; ``trajectory.events["reached"]`` holds the passage time.
    Raises:
        ValueError: an ensemble (take :class:`PassageFlow`).
    """
    end = number("end", end, positive=True)
    if flow.instances != 1:
        raise ValueError(f"flow: expected one instance, got {flow.instances}; PassageFlow takes ensembles")
    return integrate(flow, (0.0, 1e15), method="LSODA", rtol=rtol, atol=1e-18, events=[reached(end)])


@checked
def passage_times(flow: PassageFlow, *, rtol: float = 1e-10) -> Array:
    """The passage time of every instance, from one stiff run.

    Args:
        flow: an ensemble of a few dozen at most.
        rtol: relative tolerance.
    Returns:
        Times, of the ensemble's shape.
    Raises:
        RuntimeError: with the run's own message, where it did not reach the end.
    Cost: some 10^3 evaluations at the default tolerance. LSODA takes fewer, but was seen to step over the first
    transient at ``rtol = 1e-6``, 0.6 % off and without a word, or to give up there; the error of CVODE stayed below
    50 rtol.
    """
    far = diverged(1e300)  # a passage time has no scale of its own: eps^-4 passes the default limit
    run = integrate(flow, (0.0, 1.0), t_eval=[1.0], method="CVODE", rtol=rtol, atol=1e-12, events=[far])
    if not run.success:
        raise RuntimeError(run.message)
    return np.asarray(run.state["elapsed"][-1])


def frozen_passage_time(start: float, end: float = np.pi / 2, kappa: float = 1.0) -> float:
    """Passage time of Eqn 12 with norm and fan-out kept, ``T = (1 / kappa) int_start^end d delta / (delta sin delta)``.

    As ``1/start - 1/end`` plus a quadrature of the rest ``(delta - sin delta) / (delta^2 sin delta)``, which is regular
    at 0.

    Args:
        start, end: ``pi - angle(w, w*)`` in radians, 0 < start <= end < pi.
        kappa: ``c v v* / (2 pi rho)``, > 0.
    Raises:
        ValueError: a number outside its range.
    Source: Student Specialization, Eqn 12.
    """
    start, end, kappa = (
        number(name, value, positive=True)
        for name, value in (("start", start), ("end", end), ("kappa", kappa))
    )
    if not start <= end < np.pi:
        raise ValueError(f"start, end: expected 0 < start <= end < pi, got {start}, {end}")
    rest, _ = quad(_regular_rest, start, end, epsabs=0, epsrel=1e-13, limit=200)
    return (1 / start - 1 / end + float(rest)) / kappa


def _regular_rest(x: float) -> float:
    if x < 1e-2:  # 1/6 + 7 x^2/360 + 31 x^4/15120 + ...; the difference would cancel
        return 1 / 6 + x * x * (7 / 360 + x * x * 31 / 15120)
    return (x - math.sin(x)) / (x * x * math.sin(x))
