"""``luckproof figure``: make a figure of a paper again, with its data and its claims checked."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from verify.command.errors import (
    BAD_INPUT,
    BROKEN,
    FAILED,
    UNEXPECTED,
    CommandLineError,
    boundary,
    checked_device,
)
from verify.command.plain_help import PlainCommand

if TYPE_CHECKING:
    from verify.figures import FigureResult, PaperFigure

PICTURE_FORMATS = ("png", "svg")
BUDGETS = ("quick", "full")


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(name="figure", cls=PlainCommand)(figure)


def figure(
    name: Annotated[
        str | None, typer.Argument(help="Such as specialization.9; lists them when left out.")
    ] = None,
    budget: Annotated[str, typer.Option(help="quick, or full for the paper's sizes.")] = "quick",
    seed: Annotated[int | None, typer.Option(help="Seed of teachers, data, starts and batches.")] = None,
    out: Annotated[
        Path, typer.Option(help="Folder for picture and data; made if missing.", metavar="DIR")
    ] = Path("."),
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
    picture: Annotated[str, typer.Option("--format", help="png or svg.")] = "png",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "cpu",
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="tcp://HOST:PORT", help="Train on the workers of a Dask scheduler instead."),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Change a setting, such as networks=4 or polarities=0.5,1.", metavar="NAME=VALUE"
        ),
    ] = None,
) -> None:
    """Make a figure: NAME.png (or .svg) and NAME.nc, and the claim it illustrates with effect and interval.

    Exit code 0: done; 1: an effect is not the expected one; 2: bad input; 3: a training diverged.

    Example: luckproof figure luckmatters.theorem5 --out pictures
    """
    from dynamics.files.folders import prepare_folder
    from dynamics.validation import integer, one_of
    from verify.figures import figure_named, titles
    from verify.figures.overrides import overridden

    if name is None:
        typer.echo("\n".join(f"{known}  {title}" for known, title in titles().items()))
        return
    with boundary():
        chosen = figure_named(name)
        one_of("--budget", budget, BUDGETS)
        one_of("--format", picture, PICTURE_FORMATS)
        place = checked_device(device)
        if seed is not None:
            integer("--seed", seed, least=0)
        settings = overridden(chosen.settings[budget], changes or (), seed)
        if cifar10 is not None:
            settings = _on_cifar10(name, settings, cifar10)
        if runs is not None and not chosen.keeps_runs:
            raise ValueError(f"--runs: {name} has no runs to keep")
        if scheduler is not None and not chosen.spreads:
            raise ValueError(f"--scheduler: {name} has no runs that could be trained elsewhere")
        if chosen.check is not None:
            chosen.check(settings)
        prepare_folder("--out", out)
        if runs is not None:
            prepare_folder("--runs", runs)
    if budget == "full" and chosen.estimate is not None:
        typer.echo(f"{name}: {chosen.estimate(settings, place)}", err=True)
    with training_elsewhere(scheduler), _progress(name) as progress:
        made = _make(chosen, settings, place, progress, runs)
    typer.echo(f"{chosen.name}: {chosen.title}\n{settings}")
    typer.echo("\n".join(str(check) for check in made.checks))
    with boundary():
        paths = _write(out, chosen, settings, made, picture, place)
    typer.echo("written: " + ", ".join(str(path) for path in paths))
    raise typer.Exit(UNEXPECTED if any(check.unexpected for check in made.checks) else 0)


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
    import dataclasses

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
    out: Path, chosen: PaperFigure, settings: Any, made: FigureResult, picture: str, device: str
) -> list[Path]:
    """Write picture, data and further files; returns their paths."""
    import dataclasses
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
        checks=json.dumps([{**dataclasses.asdict(c), "outcome": c.outcome} for c in made.checks]),
        **made_with | {"versions": json.dumps(made_with["versions"])},
    )
    paths = [out / f"{chosen.name}.{picture}", out / f"{chosen.name}.nc"]
    write(data, paths[1])
    write_atomically(paths[0], rendered(lambda: made.picture, picture))
    for file, content in made.files.items():
        write_atomically(out / file, content)
    return paths + [out / file for file in made.files]


@contextmanager
def _progress(name: str) -> Iterator[Callable[[float], None]]:
    """A bar on stderr where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn(name), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(name, total=1.0)
        yield lambda fraction: bar.update(task, completed=fraction)
