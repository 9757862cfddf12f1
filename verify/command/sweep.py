"""``luckproof sweep``: a command at every point of a grid of its options, resumed where it was stopped."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verify.command.errors import BAD_INPUT, BROKEN, FAILED, CommandLineError, boundary
from verify.command.plain_help import PlainCommand

if TYPE_CHECKING:
    from verify.sweeps.driver import Tally, Watch
    from verify.sweeps.status import SweepStatus

Folder = Annotated[Path | None, typer.Option(metavar="DIR")]


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(name="sweep", cls=PlainCommand)(sweep)


def sweep(
    config: Annotated[
        Path | None, typer.Argument(help="What is swept (TOML).", metavar="CONFIG.toml")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The folder of the sweep.", metavar="DIR")] = None,
    jobs: Annotated[int | None, typer.Option(help="Processes of this machine (default one a core).")] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="A Dask scheduler instead.", metavar="tcp://HOST:PORT")
    ] = None,
    shard: Annotated[
        str | None, typer.Option(help="A share of the points: every n-th one, i from 1 to n.", metavar="i/n")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell points, hours and GB, run a few points.")
    ] = False,
    status: Annotated[Path | None, typer.Option(help="Tell how a sweep stands.", metavar="DIR")] = None,
    retry: Annotated[
        Path | None, typer.Option(help="Go on, and try failed points again.", metavar="DIR")
    ] = None,
    collect: Annotated[Path | None, typer.Option(help="Put the results together.", metavar="DIR")] = None,
    to: Annotated[
        Path | None, typer.Option(help="Where --collect writes (NetCDF).", metavar="FILE.nc")
    ] = None,
) -> None:
    """Run a command at every point of a grid of its options. The same line again goes on where it was stopped.

    Exit code 0: every point is done; 2: bad input, or options that do not go together at some point; 3: an integration
    failed or a training diverged; 4: a point broke or was lost; the others are done in each case, and --status tells
    the reasons.

    Example: luckproof sweep night.toml --out night --jobs 4; luckproof sweep --collect night --to all.nc
    """
    with boundary():
        _check_words(config, out, status, retry, collect, to, dry_run)
    if status is not None:
        _show(status)
    elif collect is not None and to is not None:
        _collect(collect, to)
    elif dry_run and config is not None:
        _estimate(config, out, jobs, shard)
    else:
        _run(config, out, retry, jobs, scheduler, shard)


def _check_words(
    config: Path | None,
    out: Path | None,
    status: Path | None,
    retry: Path | None,
    collect: Path | None,
    to: Path | None,
    dry_run: bool,
) -> None:
    """One thing is asked for, with what it needs."""
    asked = {"CONFIG.toml": config, "--status": status, "--retry": retry, "--collect": collect}
    given = [name for name, value in asked.items() if value is not None]
    if len(given) != 1:
        raise ValueError(f"sweep: expected one of {', '.join(asked)}, got {' and '.join(given) or 'none'}")
    if config is not None and out is None and not dry_run:
        raise ValueError("--out: expected a folder for the points, got none")
    if config is None and out is not None:
        raise ValueError(f"--out: expected it with CONFIG.toml alone, got it with {given[0]}")
    if config is None and dry_run:
        raise ValueError(f"--dry-run: expected it with CONFIG.toml alone, got it with {given[0]}")
    if (collect is None) != (to is None):
        raise ValueError("--to: expected --collect DIR --to FILE.nc, got one of the two")


def _run(
    config: Path | None,
    out: Path | None,
    retry: Path | None,
    jobs: int | None,
    scheduler: str | None,
    shard: str | None,
) -> None:
    from verify.sweeps.errors import EngineError
    from verify.sweeps.sweep import Sweep
    from verify.sweeps.sweep import sweep as begin

    with boundary(), _bar() as (watch, last):
        try:
            if retry is not None:
                _folder("--retry", retry)
                found = Sweep(retry)
                found.retry(jobs=jobs, scheduler=scheduler, shard=shard, progress=watch)
            elif config is not None and out is not None:
                found = begin(config, out, jobs=jobs, scheduler=scheduler, shard=shard, progress=watch)
        except EngineError as error:
            raise CommandLineError(
                f"{error}; what is finished is kept, the same line goes on", BROKEN
            ) from error
    tally = last[0]
    typer.echo(_told(tally))
    if tally.failed:
        typer.echo(f"reasons: luckproof sweep --status {found.folder}")
    raise typer.Exit(_exit_code(tally.failed))


def _exit_code(failed: dict[str, int]) -> int:
    if "broke" in failed or "lost" in failed:
        return BROKEN
    if "refused" in failed or "memory" in failed:
        return BAD_INPUT
    return FAILED if failed else 0


def _told(tally: Tally) -> str:
    failed = ", ".join(f"{count} {status}" for status, count in sorted(tally.failed.items()))
    words = f"{tally.total} points: {tally.done} done, {tally.failures} failed" + (
        f" ({failed})" if failed else ""
    )
    words += f"; {tally.computed} computed now"
    if tally.damaged:
        words += f", {tally.damaged} of them because their files were damaged"
    return words


@contextmanager
def _bar() -> Iterator[tuple[Watch, list[Tally]]]:
    """A bar on stderr where that is a terminal, with rate and time left; what watches, and the last tally seen."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    last: list[Tally] = []
    columns = (
        TextColumn("{task.completed:.0f}/{task.total:.0f} points"),
        BarColumn(),
        TextColumn("{task.fields[told]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(elapsed_when_finished=False),
    )
    with Progress(
        *columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    ) as bar:

        def watch(tally: Tally) -> None:
            settled = tally.done + tally.failures
            if not last:
                bar.add_task("", total=tally.total, completed=settled, told="")
            last[:] = [tally]
            speed = bar.tasks[0].speed if bar.tasks else None
            told = f"{tally.failures} failed" + (f", {speed:.3g} a second" if speed else "")
            bar.update(bar.task_ids[0], completed=settled, told=told)

        yield watch, last


def _folder(option: str, folder: Path) -> None:
    """Refuse, in the words of the command line, what is no sweep's folder."""
    from verify.sweeps.store import Store

    Store(folder).manifest(option)


def _show(folder: Path) -> None:
    from verify.sweeps.status import status_of
    from verify.sweeps.store import Store

    with boundary():
        found: SweepStatus = status_of(Store(folder))
    typer.echo(str(found))


def _collect(folder: Path, to: Path) -> None:
    from verify.sweeps.collected_file import write
    from verify.sweeps.collection import Collection
    from verify.sweeps.store import Store

    with boundary():
        store = Store(folder)
        configuration, code = store.manifest("--collect")
        collection = Collection.of(store, configuration, code)
        write(collection, to, "--to")
    count = len(list(collection.done()))
    typer.echo(f"{count} of {len(collection.points)} points written: {to}")


def _estimate(config: Path, out: Path | None, jobs: int | None, shard: str | None) -> None:
    from verify.sweeps.configuration import read_configuration
    from verify.sweeps.engines import available_cores, check_jobs
    from verify.sweeps.estimate import estimate
    from verify.sweeps.shards import ALL, read_shard
    from verify.sweeps.store import Store

    with boundary():
        configuration = read_configuration(config)
        share = ALL if shard is None else read_shard("--shard", shard)
        count = available_cores() if jobs is None else check_jobs("--jobs", jobs, configuration.size)
        store = Store(out) if out is not None and out.is_dir() else None
        found = estimate(configuration, store, share, count)
    typer.echo(str(found))
