"""``luckproof show``: a statement's claim and assumptions, where it stands, what came of it, the sceptic's script."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from verify.command.errors import boundary
from verify.command.plain_help import PlainCommand
from verify.command.verify_options import From, completed

if TYPE_CHECKING:
    from verify.judging import AnyStatement, Assumption

COUNTED = 20
"""Instances that are drawn to count the assumptions on, besides the fixed ones: a moment's work for any statement."""


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(name="show", cls=PlainCommand)(show)


def show(
    keys: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEYS",
            help="Statements, as for verify; with --from all of the file when left out.",
            autocompletion=completed,
        ),
    ] = None,
    own: From = None,
    script: Annotated[
        bool,
        typer.Option(
            "--script", help="Only the sceptic's script: a few lines that import nothing of luckproof."
        ),
    ] = False,
) -> None:
    """Show statements: claim, place in the paper, assumptions, outcome on record, erratum; or a refutation's script.

    Nothing is judged: how often assumptions are met is counted on some twenty drawn instances.

    Examples:
      luckproof show theorem5.pair
      luckproof show luckmatters.theorem4.printed --script | python3 -
    """
    from verify.judging import registry

    with boundary():
        if not keys and not own:
            raise ValueError("KEYS: expected at least one statement, got none; luckproof list shows them")
        chosen = registry.select_from(own or (), keys or ())
        told = only_script(chosen) if script else "\n\n".join(description(s) for s in chosen)
    typer.echo(told)


def only_script(chosen: Sequence[AnyStatement]) -> str:
    """The script of the one statement among ``chosen`` that has one; raises ValueError where none or several have.

    Where a single statement of one's own has none, with the place where it would be.
    """
    from verify.judging.origin import is_own, told
    from verify.judging.sceptic import script_file, script_of

    scripts = {s.name: text for s in chosen if (text := script_of(s)) is not None}
    if len(scripts) == 1:
        return next(iter(scripts.values())).rstrip()
    names = ", ".join(scripts) or "none of them"
    own = [s for s in chosen if is_own(s.evidence) and script_file(s) is not None]
    place = f"; it would be {told(script_file(own[0]) or '')}" if len(own) == len(chosen) == 1 else ""
    raise ValueError(f"--script: expected one statement with a script, got {names}{place}")


def words_of_exact(function: Callable[..., object]) -> str:
    """The first paragraph of what an enclosing or proving function says of itself, as a line."""
    return " ".join((inspect.getdoc(function) or "").split("\n\n")[0].split())


def asked(statement: AnyStatement, instance: object) -> Sequence[Assumption]:
    """The assumptions of ``instance``; none where it cannot be judged."""
    from verify.judging.evidence import CannotJudgeError

    try:
        return statement.assumptions(instance)
    except CannotJudgeError:
        return ()


def assumption_lines(statement: AnyStatement) -> list[str]:
    """The assumptions, each with how many instances meet it: of the fixed ones and of some that are drawn.

    Cost: the assumptions of some twenty instances; no evidence is evaluated.
    """
    from verify.judging.assumption_counts import counted, in_a_sentence
    from verify.judging.trials.runner import make_context
    from verify.judging.trials.trial import drawn_instances

    context = make_context("quick", "cpu", 0)
    count = min(COUNTED, statement.cost.examples(context.budget))
    drawn = drawn_instances(statement, context, count, seed=0)
    counts = counted(asked(statement, instance) for instance in drawn)
    if not counts:
        return ["assumptions: none"]
    each = [
        f"    {found.name}: met by {found.met}, failed by {found.failed} of {len(drawn)} instances"
        for found in counts
    ]
    return [f"assumptions: {in_a_sentence(statement.assumptions)}".rstrip(), *each]


def description(statement: AnyStatement) -> str:
    """What is known of a statement, line by line."""
    from verify.command.one_instance import own_code
    from verify.judging.origin import is_own, options_of, place_of
    from verify.judging.sceptic import script_of
    from verify.judging.trials.recorded_attacks import record_in_words

    with own_code(statement):
        told_assumptions = assumption_lines(statement)
    relation = " ".join(part for part in statement.compares if part)
    attack = record_in_words(statement)
    lines = [
        f"{statement.name}: {statement.title}",
        *(f"    {line}" for line in statement.claim.splitlines()),
        f"form: {statement.form.words}",
        f"place: {statement.source}",
        *told_assumptions,
        f"outcome on record: {statement.expected}",
        f"judged: {relation}" if relation else "",
        f"population: {statement.population}" if statement.population else "",
        f"confirmation: {statement.confirm}" if statement.confirm else "",
        f"attack: {attack}" if attack else "",
        f"file: {place_of(statement.evidence)}" if is_own(statement.evidence) else "",
        f"exact margin: {words_of_exact(statement.enclose)}" if statement.enclose else "",
        f"proof for all instances: {words_of_exact(statement.prove)}" if statement.prove else "",
        f"remark: {statement.remark}" if statement.remark else "",
    ]
    if statement.erratum is not None:
        erratum = statement.erratum
        lines += [
            f"the paper says: {erratum.says}",
            f"true is: {erratum.true}",
            f"does it matter: {erratum.impact}; {erratum.matters}",
        ]
    if script_of(statement) is not None:
        own = options_of(statement.origin.file) if statement.origin else ""
        lines.append(
            " ".join(part for part in ("script: luckproof show", own, statement.name, "--script") if part)
        )
    return "\n".join(line for line in lines if line)
