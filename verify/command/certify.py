"""``luckproof certify``: a proof of where one trajectory goes, as a file; and the check of such a file."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dynamics.two_layer.problem_options import FlowName
from dynamics.two_layer.simulation import TwoLayerSimulation
from verify.command.common_options import Json, Quiet, out_file
from verify.command.errors import BAD_INPUT, UNEXPECTED, CommandLineError, boundary
from verify.command.generated_options import Given, from_options, naming_options, with_options
from verify.command.output import Output, output
from verify.command.plain_help import PlainCommand
from verify.command.run_files import check_files

if TYPE_CHECKING:
    from verify.certificates.certificate import Certificate

FORMAT = "luckproof certify 1"


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(name="certify", cls=PlainCommand)(
        with_options(certify, {"two-layer": TwoLayerSimulation}, leave=())
    )


def certify(
    options: Given,
    out: Annotated[Path | None, out_file("the certificate, JSON")] = None,
    check: Annotated[
        Path | None, typer.Option(help="Prove what this certificate says, and nothing else.", metavar="FILE")
    ] = None,
    json: Json = None,
    quiet: Quiet = False,
) -> None:
    """Prove where a trajectory of Theorem 4's or Theorem 5's flow goes (ball arithmetic; extra certify).

    The options are those of simulate; of the integration only --max-steps counts: a certificate takes its own steps.

    Exit code 0: proved; 1: undecided or not proved, with the reason (no file is written); 2: bad input, no certificate.

    Examples:
      luckproof certify --d 10 --m 5 --theta0 0.5 --out proof.json
      luckproof certify --check proof.json
    """
    with output(quiet, json) as voice:
        if check is not None:
            check_file(voice, check, options, out)
        else:
            produce(voice, options, out)


def produce(voice: Output, options: Given, out: Path | None) -> None:
    """Certify what the options describe, print it and write the file."""
    from verify.certificates.certificate import certify as certified

    with boundary():
        simulation: TwoLayerSimulation = from_options(
            TwoLayerSimulation, options, "certify has no such option"
        )
        if simulation.flow is FlowName.GRADIENT:
            raise ValueError(f"--flow: expected projected or two-layer, got {simulation.flow}")
        if simulation.instances != 1:
            raise ValueError(f"--instances: expected 1, got {simulation.instances}")
        check_files(voice, out)
        problem = simulation.problem()
        try:
            with naming_options(TwoLayerSimulation), voice.bar("certificate") as bar:
                certificate = certified(
                    problem,
                    trains_V=simulation.flow is FlowName.TWO_LAYER,
                    max_steps=simulation.max_steps,
                    progress=bar,
                )
        except ImportError as error:
            raise CommandLineError(str(error), BAD_INPUT) from error
    if not certificate.certified:
        voice.write_json({"format": FORMAT, "proved": False, "reason": certificate.reason})
        voice.result(f"undecided: {certificate.reason}")
        raise typer.Exit(UNEXPECTED)
    voice.result(*told(certificate))
    with boundary():
        if out is not None:
            certificate.save(out)
            voice.written("--out", out)
        voice.write_json({"format": FORMAT, "proved": True, **data(certificate)})


def data(certificate: Certificate) -> dict[str, Any]:
    """What is proved, for programs: the attributes of :class:`verify.Certificate`."""
    names = ("limit", "merged", "rate", "late_rate", "time", "entry", "steps")
    return {name: getattr(certificate, name) for name in names}


def told(certificate: Certificate) -> list[str]:
    """What is proved, line by line."""
    assert certificate.limit is not None
    moved = [f"{j} to {k}" for j, k in enumerate(certificate.limit) if k not in (j, None)]
    free = [j for j, k in enumerate(certificate.limit) if k is None]
    lines = [
        f"proved: every {'relevant ' if free else ''}student converges to {'a' if moved else 'its own'} teacher"
        + (f" (students and teachers from 0: {', '.join(moved)}, the others to their own)" if moved else ""),
    ]
    for a, b, left in certificate.merged:
        lines.append(
            f"students {a} and {b} merge, with opposite fan-outs of norm {_rounded(left, ROUND_FLOOR)} or more"
        )
        free = [j for j in free if j not in (a, b)]
    if free:
        lines.append(f"the fan-outs of {', '.join(map(str, free))} converge to zero")
    return [
        *lines,
        f"from t = {_rounded(certificate.time, ROUND_CEILING)} on, with R <= "
        f"{_rounded(certificate.entry, ROUND_CEILING)} then, the distance falls at rate "
        f"{_rounded(certificate.rate, ROUND_FLOOR)} or more, in the end {_rounded(certificate.late_rate, ROUND_FLOOR)}",
        f"{certificate.steps} steps, each checked in ball arithmetic",
    ]


def _rounded(bound: float, direction: str) -> str:
    """Six digits that are no larger claim than the bound."""
    return f"{float(Context(prec=6, rounding=direction).create_decimal(repr(bound))):.6g}"


def check_file(voice: Output, path: Path, options: Given, out: Path | None) -> None:
    """Check a certificate as the checker alone would."""
    from verify.certificates.certificate import checker_of

    with boundary():
        if out is not None or any(value is not None for value in options.values()):
            raise ValueError("--check: expected no other option beside it but --json and --quiet")
        check_files(voice)
        document = _read(path)
    try:
        checker = checker_of(document)
    except ImportError as error:
        raise CommandLineError(str(error), BAD_INPUT) from error
    try:
        with voice.bar(f"check of {path.name}") as bar:
            proved = checker.check(document, bar)
    except checker.RefusedError as refused:
        code, why = refused.args
        if code == BAD_INPUT:
            raise CommandLineError(f"--check: expected a certificate, got {path}: {why}", BAD_INPUT) from None
        voice.write_json({"format": FORMAT, "proved": False, "reason": why})
        voice.result(f"not proved: {why}")
        raise typer.Exit(code) from None
    voice.write_json({"format": FORMAT, "proved": True, "checked": proved})
    voice.result(checker.TOLD.format(**proved))


def _read(path: Path) -> Any:
    from dynamics.files.json_text import read_json

    try:
        return read_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"--check: {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"--check: expected a certificate (JSON), got {path}: {error}") from error
