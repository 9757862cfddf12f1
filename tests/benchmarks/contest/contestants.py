"""The integrators that are compared, ours and the peers, behind one call: case, tolerance -> end state and cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import torch
import torchdiffeq
from scipy.integrate import solve_ivp
from sksundae.cvode import CVODE

from luckproof import Array, integrate
from tests.benchmarks.contest.peer_flows import jax_field, torch_field
from tests.benchmarks.contest.stiff_cases import CASES, flow_of


@dataclass(frozen=True)
class Solution:
    """End state, evaluations of the right-hand side, wall seconds and processor seconds of one run."""

    end: Array
    nfev: int
    seconds: float
    processor_seconds: float


Run = Callable[[], tuple[Array, int]]


def timed(run: Run) -> Solution:
    """One run, by both clocks."""
    wall, processor = time.perf_counter(), time.process_time()
    end, nfev = run()
    return Solution(np.asarray(end), nfev, time.perf_counter() - wall, time.process_time() - processor)


def ours(method: str) -> Callable[[str, float], Run]:
    """``integrate`` as a user calls it: guards, observables and all."""

    def prepare(case: str, rtol: float) -> Run:
        flow, span = flow_of(case), CASES[case].span

        def run() -> tuple[Array, int]:
            found = integrate(flow, span, t_eval=[span[1]], method=method, rtol=rtol, atol=rtol)
            if not found.success:
                raise RuntimeError(found.message)
            parts = [found.state[name][-1].ravel() for name in ("W", "V") if name in found.state]
            return np.concatenate(parts), found.nfev

        return run

    return prepare


def scipy_method(name: str) -> Callable[[str, float], Run]:
    """``solve_ivp`` on our right-hand side."""

    def prepare(case: str, rtol: float) -> Run:
        flow, span = flow_of(case), CASES[case].span

        def run() -> tuple[Array, int]:
            found = solve_ivp(
                flow, span, flow.initial_state(), method=name, t_eval=[span[1]], rtol=rtol, atol=rtol
            )
            if not found.success:
                raise RuntimeError(found.message)
            return found.y[:, -1], int(found.nfev)

        return run

    return prepare


def plain_cvode(case: str, rtol: float) -> Run:
    """SUNDIALS' CVODE by its wrapper, as its users call it, on our right-hand side as it stands: BDF and GMRES."""
    flow, span = flow_of(case), CASES[case].span

    def run() -> tuple[Array, int]:
        calls = 0

        def field(t: float, y: Array, yp: Array) -> None:
            nonlocal calls
            calls += 1
            yp[:] = flow(t, y)

        solver = CVODE(field, method="BDF", linsolver="gmres", rtol=rtol, atol=rtol, max_num_steps=10**6)
        found = solver.solve(span, flow.initial_state())
        if not found.success:
            raise RuntimeError(found.message)
        return found.y[-1], calls

    return run


SOLVERS = ("Tsit5", "Dopri5", "Dopri8")
"""diffrax's, all explicit."""


@cache
def _compiled(case: str, name: str) -> Callable[[float], Any]:
    """diffrax's solve as one jitted function of the tolerance, compiled (and so run a little) beforehand."""
    flow, (t0, t1) = flow_of(case), CASES[case].span
    start, solver = jnp.asarray(flow.initial_state()), getattr(diffrax, name)()
    term = diffrax.ODETerm(jax_field(flow))

    @jax.jit
    def solve(end: float, tolerance: float) -> Any:
        control = diffrax.PIDController(rtol=tolerance, atol=tolerance)
        return diffrax.diffeqsolve(
            term, solver, t0, end, None, start, stepsize_controller=control, max_steps=None, throw=False,
            saveat=diffrax.SaveAt(t1=True),
        )  # fmt: skip

    jax.block_until_ready(solve(t0 + 1e-3, 1e-3).ys)
    return lambda tolerance: solve(t1, tolerance)


def evaluations_per_step(name: str) -> int:
    """Stages of a diffrax solver, less the one that the next step reuses."""
    solver = getattr(diffrax, name)()
    return int(len(solver.tableau.b_sol) - bool(solver.tableau.fsal))


def diffrax_method(name: str) -> Callable[[str, float], Run]:
    """diffrax on the field written for jax; compilation is not part of the run."""

    def prepare(case: str, rtol: float) -> Run:
        solve = _compiled(case, name)

        def run() -> tuple[Array, int]:
            found = solve(rtol)
            end = np.asarray(jax.block_until_ready(found.ys))[-1]
            if found.result != diffrax.RESULTS.successful:
                raise RuntimeError(str(found.result))
            return end, int(found.stats["num_steps"]) * evaluations_per_step(name)

        return run

    return prepare


def torchdiffeq_method(name: str) -> Callable[[str, float], Run]:
    """torchdiffeq on the field written for torch."""

    def prepare(case: str, rtol: float) -> Run:
        flow, span = flow_of(case), CASES[case].span
        field, calls = torch_field(flow), [0]

        def counted(t: Any, y: torch.Tensor) -> torch.Tensor:
            calls[0] += 1
            return field(t, y)

        def run() -> tuple[Array, int]:
            calls[0] = 0
            start, times = torch.tensor(flow.initial_state()), torch.tensor(span, dtype=torch.float64)
            with torch.inference_mode():
                found = torchdiffeq.odeint(counted, start, times, rtol=rtol, atol=rtol, method=name)
            return found[-1].numpy(), calls[0]

        return run

    return prepare


OURS: dict[str, Callable[[str, float], Run]] = {
    "luckproof auto": ours("auto"),
    "luckproof ROCK4": ours("ROCK4"),
}
PEERS: dict[str, Callable[[str, float], Run]] = {
    **{f"SciPy {name}": scipy_method(name) for name in ("RK45", "DOP853", "LSODA", "Radau", "BDF")},
    **{f"diffrax {name}": diffrax_method(name) for name in SOLVERS},
    "torchdiffeq dopri5": torchdiffeq_method("dopri5"),
}
PLAIN_CVODE = "scikit-sundae CVODE"
CONTESTANTS = OURS | PEERS | {PLAIN_CVODE: plain_cvode}
