"""``luckproof figure``: make a figure of a paper again, with its data and its claims checked."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from verify.command.common_options import (
    Device,
    Json,
    OutFolder,
    Quiet,
    Scheduler,
    among,
    checked_device,
)
from verify.command.errors import BAD_INPUT, BROKEN, FAILED, UNEXPECTED, CommandLineError, boundary
from verify.command.output import Output, output
from verify.command.plain_help import PlainCommand
from verify.command.run_files import check_files

if TYPE_CHECKING:
    from verify.figures import FigureResult, PaperFigure

PICTURE_FORMATS = ("png", "svg")
BUDGETS = ("quick", "full")
FORMAT = "luckproof figure 1"


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(name="figure", cls=PlainCommand)(figure)


def figure(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="Such as specialization.9; lists them when left out.",
            autocompletion=among(lambda: list(figure_titles())),
        ),
    ] = None,
    budget: Annotated[
        str,
        typer.Option(
            help="The paper's sizes (full), or smaller: quick, full.",
            metavar="NAME",
            autocompletion=among(BUDGETS),
        ),
    ] = "quick",
    seed: Annotated[int | None, typer.Option(help="Seed of teachers, data, starts and batches.")] = None,
    out: Annotated[Path, OutFolder] = Path("."),
    runs: Annotated[
        Path | None,
        typer.Option(
            help="Folder that keeps finished runs: a figure that was stopped goes on, figures share runs.",
            metavar="DIR",
        ),
    ] = None,
    cifar10: Annotated[
        Path | None,
        typer.Option(
            "--cifar10",
            help="Folder with CIFAR-10's binary version, in place of scikit-learn's digits.",
            metavar="DIR",
        ),
    ] = None,
    picture: Annotated[
        str,
        typer.Option(
            "--format",
            help="Of the picture: png, svg.",
            metavar="NAME",
            autocompletion=among(PICTURE_FORMATS),
        ),
    ] = "png",
    json: Json = None,
    device: Device = "cpu",
    scheduler: Scheduler = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Change a setting, such as networks=4 or polarities=0.5,1.", metavar="NAME=VALUE"
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Make a figure: NAME.png (or .svg) and NAME.nc, and the claim it illustrates with effect and interval.

    Exit code 0: done; 1: an effect is not the expected one; 2: bad input; 3: a training diverged.

    Examples:
      luckproof figure
      luckproof figure luckmatters.theorem5 --out pictures
      luckproof figure specialization.9 --budget full --runs kept --device auto
    """
    with output(quiet, json) as voice:
        if name is None:
            list_figures(voice)
            return
        asked = _Asked(name, budget, seed, out, runs, cifar10, picture, device, changes or ())
        raise typer.Exit(run(voice, asked, scheduler))


def figure_titles() -> Mapping[str, str]:
    """The titles of all figures, by name."""
    from verify.figures import titles

    return titles()


def list_figures(voice: Output) -> None:
    """The figures with their titles."""
    with boundary():
        check_files(voice)
        voice.write_json([{"name": name, "title": title} for name, title in figure_titles().items()])
    voice.result(*(f"{name}  {title}" for name, title in figure_titles().items()))


@dataclass(frozen=True)
class _Asked:
    """What was asked for, as it was typed."""

    name: str
    budget: str
    seed: int | None
    out: Path
    runs: Path | None
    cifar10: Path | None
    picture: str
    device: str
    changes: Sequence[str]


def _checked(asked: _Asked) -> tuple[PaperFigure, Any, str]:
    """The figure, its settings and the device; raises ValueError, naming the option."""
    from dynamics.validation import integer, one_of
    from verify.figures import figure_named
    from verify.figures.overrides import overridden

    chosen = figure_named(asked.name)
    one_of("--budget", asked.budget, BUDGETS)
    one_of("--format", asked.picture, PICTURE_FORMATS)
    place = checked_device(asked.device)
    if asked.seed is not None:
        integer("--seed", asked.seed, least=0)
    settings = overridden(chosen.settings[asked.budget], asked.changes, asked.seed)
    if asked.cifar10 is not None:
        settings = _on_cifar10(asked.name, settings, asked.cifar10)
    if asked.runs is not None and not chosen.keeps_runs:
        raise ValueError(f"--runs: {asked.name} has no runs to keep")
    return chosen, settings, place


def run(voice: Output, asked: _Asked, scheduler: str | None) -> int:
    """Make the figure, write it and tell what came of its claims; 1 where one is not as expected."""
    from dynamics.files.folders import prepare_folder

    with boundary():
        chosen, settings, place = _checked(asked)
        if scheduler is not None and not chosen.spreads:
            raise ValueError(f"--scheduler: {chosen.name} has no runs that could be trained elsewhere")
        if chosen.check is not None:
            chosen.check(settings)
        check_files(voice)
        prepare_folder("--out", asked.out)
        if asked.runs is not None:
            prepare_folder("--runs", asked.runs)
    if asked.budget == "full" and chosen.estimate is not None:
        voice.remark(f"{chosen.name}: {chosen.estimate(settings, place)}")
    with training_elsewhere(scheduler), voice.bar(f"{chosen.name}, {asked.budget}") as progress:
        made = _make(chosen, settings, place, progress, asked.runs)
    voice.result(f"{chosen.name}: {chosen.title}", str(settings), *map(str, made.checks))
    with boundary():
        paths = _write(voice, asked.out, chosen, settings, made, asked.picture, place)
        voice.write_json(record(chosen, settings, made, place, paths))
    voice.result("written: " + ", ".join(map(str, paths)))
    return UNEXPECTED if any(check.unexpected for check in made.checks) else 0


def record(
    chosen: PaperFigure, settings: Any, made: FigureResult, device: str, paths: Sequence[Path]
) -> dict[str, Any]:
    """What came of a figure, for programs: its settings, its checked claims and its files."""
    from dynamics.ode.results.attributes import provenance

    return {
        "format": FORMAT,
        **provenance(device),
        "figure": chosen.name,
        "title": chosen.title,
        "settings": dataclasses.asdict(settings),
        "checks": _checks(made),
        "written": list(map(str, paths)),
    }


def _checks(made: FigureResult) -> list[dict[str, Any]]:
    return [{**dataclasses.asdict(check), "outcome": check.outcome} for check in made.checks]


@contextmanager
def training_elsewhere(scheduler: str | None) -> Iterator[None]:
    """In here the networks of figures are trained by the workers of the scheduler; by this machine where it is None."""
    if scheduler is None:
        yield
        return
    from dynamics.workers.dask_workers import dask_workers
    from nets.specialization.processes import trained_by

    with ExitStack() as stack:
        with boundary():
            workers = stack.enter_context(dask_workers("--scheduler", scheduler))
        stack.enter_context(trained_by(workers))
        yield


def _on_cifar10(name: str, settings: Any, folder: Path) -> Any:
    """The settings with the folder of CIFAR-10; raises ValueError for a figure without images."""
    if not hasattr(settings, "cifar10"):
        raise ValueError(f"--cifar10: {name} has nothing to do with images")
    return dataclasses.replace(settings, cifar10=str(folder))


def _make(
    chosen: PaperFigure, settings: Any, device: str, progress: Callable[[float], None], runs: Path | None
) -> FigureResult:
    """Make the figure; failures that a user can act on become the command's own errors."""
    from nets.endings import DivergedTrainingError
    from nets.specialization.processes import LostTrainingError
    from nets.specialization.run_folder import RunFileError, RunFolder
    from verify.figures.style import project_style

    try:
        with project_style():
            store = {} if runs is None else {"store": RunFolder(runs)}
            return chosen.make(settings, device, progress, **store)
    except RunFileError as error:
        raise CommandLineError(str(error), BAD_INPUT) from error
    except OSError as error:
        if error.filename is None:  # not about a file
            raise
        raise CommandLineError(f"--runs: {error}", BAD_INPUT) from error
    except LostTrainingError as error:
        kept = (
            f"; the same command goes on from {runs}"
            if runs is not None
            else "; --runs DIR keeps finished runs"
        )
        raise CommandLineError(f"{error}{kept}", BROKEN) from error
    except DivergedTrainingError as error:
        raise CommandLineError(f"training diverged: {error}", FAILED) from error


def _write(
    voice: Output,
    out: Path,
    chosen: PaperFigure,
    settings: Any,
    made: FigureResult,
    picture: str,
    device: str,
) -> list[Path]:
    """Write picture, data and further files; returns their paths."""
    import json

    from dynamics.files.netcdf import write
    from dynamics.files.writing import write_atomically
    from dynamics.ode.results.attributes import provenance
    from verify.figures.style import rendered

    made_with = provenance(device)
    data = made.data.assign_attrs(
        figure=chosen.name,
        title=chosen.title,
        source=str(chosen.source),
        settings=json.dumps(dataclasses.asdict(settings)),
        checks=json.dumps(_checks(made)),
        **made_with | {"versions": json.dumps(made_with["versions"])},
    )
    paths = [out / f"{chosen.name}.{picture}", out / f"{chosen.name}.nc"]
    paths += [out / file for file in made.files]
    for path in paths:
        voice.will_write(path)
    write(data, paths[1])
    write_atomically(paths[0], rendered(lambda: made.picture, picture))
    for file, content in made.files.items():
        write_atomically(out / file, content)
    for path in paths:
        voice.written("--out", path)
    return paths
