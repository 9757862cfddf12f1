"""``luckproof sweep``: a command at every point of a grid of its options, resumed where it was stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verify.command.common_options import ONE_A_CORE, Jobs, Json, OutFolder, Quiet, Scheduler, checked_jobs
from verify.command.errors import BAD_INPUT, BROKEN, FAILED, CommandLineError, boundary
from verify.command.output import Output, output
from verify.command.plain_help import PlainCommand
from verify.command.run_files import check_files

if TYPE_CHECKING:
    from verify.sweeps.driver import Tally, Watch
    from verify.sweeps.status import SweepStatus

FORMAT = "luckproof sweep 1"


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(name="sweep", cls=PlainCommand)(sweep)


def sweep(
    config: Annotated[
        Path | None, typer.Argument(help="What is swept (TOML).", metavar="CONFIG.toml")
    ] = None,
    out: Annotated[Path | None, OutFolder] = None,
    jobs: Jobs = ONE_A_CORE,
    scheduler: Scheduler = None,
    shard: Annotated[
        str | None, typer.Option(help="A share of the points: every n-th one, i from 1 to n.", metavar="i/n")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell points, hours and GB, run a few points.")
    ] = False,
    status: Annotated[
        Path | None, typer.Option(help="Tell how the sweep in this folder stands.", metavar="DIR")
    ] = None,
    retry: Annotated[
        Path | None,
        typer.Option(help="Go on in this folder, and try failed points again.", metavar="DIR"),
    ] = None,
    collect: Annotated[
        Path | None, typer.Option(help="Put the results in this folder together.", metavar="DIR")
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="With --collect: write this file (NetCDF).", metavar="FILE")
    ] = None,
    json: Json = None,
    quiet: Quiet = False,
) -> None:
    """Run a command at every point of a grid of its options. The same line again goes on where it was stopped.

    Exit code 0: every point is done; 2: bad input, or options that do not go together at some point; 3: an integration
    failed or a training diverged; 4: a point broke or was lost; the others are done in each case, and --status tells
    the reasons.

    Examples:
      luckproof sweep night.toml --out night --jobs 4
      luckproof sweep --status night --json - | jq .done
      luckproof sweep --collect night --to all.nc
    """
    with output(quiet, json) as voice:
        with boundary():
            _check_words(config, out, status, retry, collect, to, dry_run)
            check_files(voice)
        processes = checked_jobs(jobs)
        if status is not None:
            _show(voice, status)
        elif collect is not None and to is not None:
            _collect(voice, collect, to)
        elif dry_run and config is not None:
            _estimate(voice, config, out, processes, shard)
        else:
            _run(voice, config, out, retry, processes, scheduler, shard)


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
    voice: Output,
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

    with boundary(), _bar(voice, str(config or retry)) as (watch, last):
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
    counts = ("total", "done", "failed", "pending", "computed", "damaged")
    voice.write_json({"format": FORMAT, **{name: getattr(tally, name) for name in counts}})
    voice.result(_told(tally))
    if tally.failed:
        voice.hint(f"reasons: luckproof sweep --status {found.folder}")
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
def _bar(voice: Output, what: str) -> Iterator[tuple[Watch, list[Tally]]]:
    """A bar that counts points; what watches, and the last tally seen."""
    last: list[Tally] = []
    with voice.bar(what, at="starting") as bar:

        def watch(tally: Tally) -> None:
            settled = tally.done + tally.failures
            share = settled / tally.total if tally.total else 1.0
            if not last:
                bar.begin(share)
            last[:] = [tally]
            failed = f", {tally.failures} failed" if tally.failures else ""
            bar(share)
            bar.tell(at=f"{settled}/{tally.total} points{failed}")

        yield watch, last


def _folder(option: str, folder: Path) -> None:
    """Refuse, in the words of the command line, what is no sweep's folder."""
    from verify.sweeps.store import Store

    Store(folder).manifest(option)


def _show(voice: Output, folder: Path) -> None:
    from verify.sweeps.status import status_of
    from verify.sweeps.store import Store

    with boundary():
        found: SweepStatus = status_of(Store(folder))
    drivers = [{**vars(driver), "shard": str(driver.shard)} for driver in found.drivers]
    told = {"pending": found.pending, "eta": found.eta, "complete": found.complete, "drivers": drivers}
    voice.write_json({"format": FORMAT, **vars(found), **told})
    voice.result(str(found))


def _collect(voice: Output, folder: Path, to: Path) -> None:
    from verify.sweeps.collected_file import write
    from verify.sweeps.collection import Collection
    from verify.sweeps.store import Store

    with boundary():
        store = Store(folder)
        configuration, code = store.manifest("--collect")
        collection = Collection.of(store, configuration, code)
        voice.will_write(to)
        write(collection, to, "--to")
        voice.written("--to", to)
    count, points = len(list(collection.done())), len(collection.points)
    voice.write_json({"format": FORMAT, "points": points, "collected": count, "written": str(to)})
    voice.result(f"{count} of {points} points written: {to}")


def _estimate(voice: Output, config: Path, out: Path | None, jobs: int | None, shard: str | None) -> None:
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
    told = {"hours": found.hours, "gigabytes": found.gigabytes}
    timed = [{"status": result.status, "reason": result.reason} for result in found.timed]
    voice.write_json({"format": FORMAT, **vars(found), **told, "timed": timed})
    voice.result(str(found))
