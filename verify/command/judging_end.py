"""The end of ``luckproof verify``: files written as far as they can be, then the exit code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from verify.command.errors import BAD_INPUT, BROKEN, UNEXPECTED, CommandLineError
from verify.command.judging_progress import JudgingRun
from verify.command.output import Output
from verify.judging import Context
from verify.judging.origin import is_own, options_of, told
from verify.judging.trials.own_record import record_own
from verify.report import RunInfo, write_json
from verify.report.records import as_text


def write_outputs(
    voice: Output, run: JudgingRun, info: RunInfo, report: Path | None, title: str | None = None
) -> list[str]:
    """Write report and JSON; one that cannot be written costs neither the other nor the table.

    Returns what could not be written, and why.
    """
    verdicts = run.verdicts

    def write_page(path: Path) -> None:
        from verify.report import write_html  # matplotlib only for those who want a page

        write_html(path, verdicts, info, run.pictures, run.lost, title=title)

    writers: list[tuple[str, Path | None, Callable[[Path], None]]] = [
        ("--report", report, write_page),
        ("--json", voice.json_file, lambda path: write_json(path, verdicts, info, run.lost)),
    ]
    if voice.alone:
        voice.write_json_text(as_text(verdicts, info, run.lost))
    complaints = []
    for option, path, write in writers:
        if path is not None:
            try:
                write(path)
                voice.written(option, path)
            except (OSError, ValueError) as error:
                complaints.append(f"{option}: {error}")
    return complaints


def record_attacks(run: JudgingRun, context: Context, complaints: list[str]) -> str:
    """Write the attacks of a run beside the files of their statements; where they are on record now, as a line.

    What could not be written is added to the ``complaints``.
    """
    try:
        written = record_own(run.verdicts, context.attack)
    except (OSError, ValueError) as error:
        complaints.append(str(error) if str(error).startswith("--record") else f"--record: {error}")
        return ""
    if not written:
        return "No attack to record: none of the statements holds."
    return f"On record in {', '.join(map(told, written))}."


def conclude(run: JudgingRun, complaints: list[str], resume: Path | None, own: Sequence[Path] = ()) -> int:
    """The exit code of a run, once its verdicts are shown; ``own``: the files given with ``--from``.

    Raises:
        KeyboardInterrupt: the run was interrupted.
        CommandLineError: verdicts were lost, output could not be written, or code of the user's own raised.
    """
    if run.interrupted is not None:
        raise run.interrupted
    command = " ".join(["luckproof verify", *(options_of(str(file)) for file in own)])
    again = f"; {command} --resume {resume} goes on" if resume is not None else ""
    if run.lost:
        words = "; ".join(f"{name}: {how}" for name, how in run.lost.items())
        raise CommandLineError(f"{words}; the other statements were judged{again}", BROKEN)
    if run.unkept:
        complaints = [*complaints, f"--resume: {run.unkept}"]
    complaints += [
        f"{verdict.statement.name}: {verdict.raised}"
        for verdict in run.verdicts
        if verdict.raised and is_own(verdict.statement.evidence)
    ]
    if complaints:
        raise CommandLineError("; ".join(complaints), BAD_INPUT)
    return 0 if all(verdict.as_expected for verdict in run.verdicts) else UNEXPECTED
