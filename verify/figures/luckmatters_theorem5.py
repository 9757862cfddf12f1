"""Theorem 5 numerically: fan-outs of lucky and other students over time, by the flow and by SGD."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from dynamics.arrays import Array
from dynamics.geometry.angles import unit_columns
from dynamics.ode.integrate import integrate
from dynamics.ode.progress import Progress
from dynamics.two_layer import teachers
from dynamics.two_layer.flows import TwoLayerFlow
from dynamics.two_layer.problem import TeacherStudent
from dynamics.validation import number, positive_int
from nets.endings import DivergedTrainingError
from nets.two_layer.networks import TwoLayerStudents
from nets.two_layer.training import train
from verify.figures.claims import ClaimCheck
from verify.figures.panels import extremes, panels
from verify.figures.paper_figure import FigureResult, PaperFigure
from verify.judging import LUCK_MATTERS, Source
from verify.mathematics.mean_over_seeds import enough_networks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


RUNS = ("flow", "SGD")
SETS = ("u", "r")
COLOURS = {"u": "#2a6f97", "r": "#c8553d"}
RECORDS = 40


@dataclass(frozen=True)
class FanOutStudy:
    """Students of several widths from several starts, ``networks`` of each; teachers 10-20-30 as in section 4.2.

    ``over_realisations``: n / m. ``p_W``, ``p_V``: weights of the teacher in the start of W and of V. SGD takes steps
    of ``lr`` on fresh batches up to the time ``t_end``. Network s has one teacher and one noise whatever p_W and p_V
    are. Raises ValueError or TypeError on sizes that cannot be had and on fewer than 3 networks.
    """

    over_realisations: tuple[int, ...] = (2, 5, 10)
    p_W: tuple[float, ...] = (0.3, 3.0)
    p_V: tuple[float, ...] = (0.0, 1.0)
    networks: int = 6
    t_end: float = 60.0
    lr: float = 0.03
    batch_size: int = 64
    d: int = 10
    m: int = 20
    c: int = 30
    seed: int = 0

    def __post_init__(self) -> None:
        enough_networks(self.networks)
        for name in ("batch_size", "d", "m", "c"):
            positive_int(name, getattr(self, name))
        for name in ("over_realisations", "p_W", "p_V"):
            values = getattr(self, name)
            fewest = 1 if name == "over_realisations" else 2
            if len(values) < fewest or len(set(values)) < len(values):
                raise ValueError(f"{name}: expected {fewest} or more different numbers, got {values!r}")
            if min(values) < (2 if name == "over_realisations" else 0):
                least = "n/m >= 2 (an r-set)" if name == "over_realisations" else "numbers >= 0"
                raise ValueError(f"{name}: expected {least}, got {min(values)!r}")
        if number("t_end", self.t_end, positive=True) < 10 * number("lr", self.lr, positive=True):
            raise ValueError(f"t_end: expected at least 10 steps of lr = {self.lr}, got {self.t_end}")

    @property
    def steps(self) -> int:
        """SGD steps up to ``t_end``."""
        return round(self.t_end / self.lr)

    @property
    def marks(self) -> list[int]:
        """Steps that are recorded: 0, then evenly spaced in the logarithm of time."""
        return [0, *np.unique(np.geomspace(1, self.steps, RECORDS).round().astype(int)).tolist()]

    def problem(self, over: int, p_W: float, p_V: float) -> TeacherStudent:
        """The start ``W_u = colnorm(p_W W* + W_eps)``, ``V = colnorm(p_V (V*, 0) + V_eps)``.

        The columns of V, one an output, are normalised as those of W: so p_V makes the u-set's fan-outs the larger
        ones at the start, as the paper describes.
        """
        batch, n = (self.networks,), over * self.m
        rng = np.random.default_rng(np.random.SeedSequence((self.seed, 0)))
        teacher_W = teachers.separated(self.d, self.m, rng, batch)
        teacher_V = teachers.separated(self.m, self.c, rng, batch)
        noise = np.random.default_rng(np.random.SeedSequence((self.seed, 1, over)))
        start = TeacherStudent.near_teacher(teacher_W, teacher_V, n, noise, p_W=p_W)
        V = teachers.random_unit(n, self.c, noise, batch)
        V[..., : self.m, :] += p_V * teacher_V
        return dataclasses.replace(start, student_V=unit_columns(V))

    def cases(self) -> Iterator[tuple[int, float, float]]:
        """Every (over-realisation, p_W, p_V)."""
        for over in self.over_realisations:
            for p_W in self.p_W:
                yield from ((over, p_W, p_V) for p_V in self.p_V)


def fan_outs(study: FanOutStudy, case: tuple[int, float, float], device: str) -> Array:
    """``||v_j||`` along the flow and along SGD, (run, record, network, node).

    Raises DivergedTrainingError where either does not reach its end.
    """
    problem = study.problem(*case)
    t = np.array(study.marks) * study.lr
    flow = integrate(TwoLayerFlow(problem), (0.0, t[-1]), t_eval=t, rtol=1e-5, atol=1e-7)
    students = TwoLayerStudents.from_problem(problem, device)
    sgd = train(
        students, lr=study.lr, batch_size=study.batch_size, steps=study.steps, seed=study.seed,
        train_V=True, record_at=study.marks,
    )  # fmt: skip
    for run in (flow, sgd):
        if not run.success:
            raise DivergedTrainingError("over-realisation {}, p_W {}, p_V {}: ".format(*case) + run.message)
    return np.stack([run.observables["fan_out_norm"] for run in (flow, sgd)])


def make(study: FanOutStudy, device: str, progress: Progress) -> FigureResult:
    """Follow every start by the flow and by SGD."""
    cases = list(study.cases())
    cost = np.cumsum([float(over) ** 1.5 for over, *_ in cases])  # time of one case (measured)
    rows = []
    for case, done in zip(cases, cost / cost[-1], strict=True):
        norms = fan_outs(study, case, device)
        rows.append(summary(study, norms))
        progress(float(done))
    data = dataset(study, rows)
    return FigureResult(picture(study, data), data, checks(data))


def summary(study: FanOutStudy, norms: Array) -> dict[str, Array]:
    """Means and mean squares of ``||v_j||`` over each set, (run, set, record, network), and ``agreement``, (network,).

    Agreement is 1 minus the squared distance between SGD and flow over the squared movement of the flow, each summed
    over nodes and records.
    """
    parts = [norms[..., : study.m], norms[..., study.m :]]
    missed = ((norms[1] - norms[0]) ** 2).sum(axis=(0, 2))
    moved = ((norms[0] - norms[0, :1]) ** 2).sum(axis=(0, 2))
    return {
        "norm": np.stack([part.mean(-1) for part in parts], axis=1),
        "norm_squared": np.stack([(part**2).mean(-1) for part in parts], axis=1),
        "agreement": 1 - missed / moved,
    }


def dataset(study: FanOutStudy, rows: list[dict[str, Array]]) -> xr.Dataset:
    """The summaries over (over_realisation, p_W, p_V) and their own axes."""
    import xarray as xr

    settings = ("over_realisation", "p_W", "p_V")
    shape = tuple(len(values) for values in (study.over_realisations, study.p_W, study.p_V))
    axes = {"norm": ("run", "set", "time", "network"), "agreement": ("network",)}
    axes["norm_squared"] = axes["norm"]
    columns = {
        name: ((*settings, *axes[name]), np.reshape([row[name] for row in rows], shape + rows[0][name].shape))
        for name in axes
    }
    coordinates = {
        "over_realisation": list(study.over_realisations), "p_W": list(study.p_W), "p_V": list(study.p_V),
        "run": list(RUNS), "set": list(SETS), "time": np.array(study.marks) * study.lr,
    }  # fmt: skip
    return xr.Dataset(columns, coordinates)


def checks(data: xr.Dataset) -> tuple[ClaimCheck, ...]:
    """Means over the widths within each network; near and far are the largest and the smallest p."""
    far_W, near_W = extremes(data.p_W)
    far_V, near_V = extremes(data.p_V)
    found = []
    for run in RUNS:
        norm = data.norm.sel(run=run).mean("over_realisation")
        gap = norm.sel(set="u") - norm.sel(set="r")
        growth = gap.isel(time=-1) - gap.isel(time=0)
        near = {"p_W": near_W, "p_V": far_V}
        claims = {
            "W near its teacher, V not: u-set and r-set come apart": growth.isel(near),
            "W far, V near: the gap does not grow": -growth.isel(p_W=far_W, p_V=near_V),
            "the gap grows more from W near than from W far": (
                growth.isel(p_W=near_W) - growth.isel(p_W=far_W)
            ).mean("p_V"),
            "near starts bring the r-set's fan-outs down further than far ones": (
                norm.sel(set="r").isel(p_W=far_W, p_V=far_V, time=-1)
                - norm.sel(set="r").isel(p_W=near_W, p_V=near_V, time=-1)
            ),
        }
        found += [ClaimCheck.exceeding(f"{claim} ({run})", values) for claim, values in claims.items()]
    start = data.norm.sel(run="flow").isel(time=0).mean("over_realisation")
    wider = (start.sel(set="u") - start.sel(set="r")).mean("p_W")
    found.append(
        ClaimCheck.exceeding(
            "V near its teacher makes the initial gap larger", wider.isel(p_V=near_V) - wider.isel(p_V=far_V)
        )
    )
    together = data.agreement.mean(("over_realisation", "p_W", "p_V"))
    found.append(
        ClaimCheck.exceeding("SGD follows the flow: share of the flow's movement it makes", together, 0.95)
    )
    return tuple(found)


def picture(study: FanOutStudy, data: xr.Dataset) -> Figure:
    """Widths by rows, starts by columns; the band is one standard deviation over the nodes of all networks."""
    starts = [(p_W, p_V) for p_W in study.p_W for p_V in study.p_V]
    figure, axes = panels(len(study.over_realisations), len(starts), (1.9, 1.75), sharey="row")
    for row, over in zip(axes, study.over_realisations, strict=True):
        for panel, (p_W, p_V) in zip(row, starts, strict=True):
            _panel(panel, data.sel(over_realisation=over, p_W=p_W, p_V=p_V))
            if over == study.over_realisations[0]:
                panel.set_title(f"$p_W$ = {p_W:g}, $p_V$ = {p_V:g}")
        row[0].set_ylim(
            0, None
        )  # after all panels are filled: a limit ends the automatic scaling, which the row shares
        row[0].set_ylabel(f"{over}×:  ‖$v_j$‖")
    for panel in axes[-1]:
        panel.set_xlabel("time t")
    lines = [
        Line2D([], [], color=COLOURS["u"], label="u-set, flow"),
        Line2D([], [], color=COLOURS["r"], label="r-set, flow"),
        Line2D([], [], color="#3a3f47", ls="", marker="o", ms=3, mfc="none", label="SGD"),
    ]
    figure.legend(handles=lines, loc="outside upper center", ncols=3)
    return figure


def _panel(axes: Axes, data: xr.Dataset) -> None:
    for nodes in SETS:
        chosen = data.sel(set=nodes)
        mean = chosen.norm.mean("network")
        spread = np.sqrt(np.maximum(chosen.norm_squared.mean("network") - mean**2, 0))
        flow, band = mean.sel(run="flow").values, spread.sel(run="flow").values
        axes.plot(data.time, flow, color=COLOURS[nodes])
        axes.fill_between(data.time, flow - band, flow + band, color=COLOURS[nodes], alpha=0.15, lw=0)
        axes.plot(data.time[::3], mean.sel(run="SGD")[::3], "o", color=COLOURS[nodes], ms=3, mfc="none")
    axes.set_xscale("symlog", linthresh=1.0, linscale=0.4)
    end = float(data.time[-1])
    axes.set_xlim(0, end)
    ticks = [0.0, *(10.0**power for power in range(3) if 10.0**power < 0.4 * end), end]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()


FIGURE = PaperFigure(
    name="luckmatters.theorem5",
    title="Theorem 5 numerically: fan-outs of lucky and other students, by the flow and by SGD",
    source=Source(LUCK_MATTERS, "Figure 7 (v4), section 4.2"),
    settings={
        "quick": FanOutStudy(),
        "full": FanOutStudy(p_W=(0.3, 1.0, 3.0), p_V=(0.0, 0.3, 1.0), networks=32, t_end=200.0, lr=0.02),
    },
    make=make,
)
