"""``luckproof list``: the statements with the outcome on record of each, as a table or as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer

from verify.command.common_options import Json
from verify.command.errors import boundary
from verify.command.output import output
from verify.command.plain_help import PlainCommand
from verify.command.run_files import check_files
from verify.command.tables import Column, print_table
from verify.command.verify_options import FormOption, From, Keys
from verify.judging import Form
from verify.judging.catalogue import StatementEntry

if TYPE_CHECKING:
    from verify.judging import AnyStatement

COLUMNS = (
    Column("Statement"),
    Column("Expected"),
    Column("Attack", keep=1),
    Column("Title", keep=2, cut=True),
)


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(name="list", cls=PlainCommand)(list_statements)


def list_statements(
    keys: Keys = None,
    own: From = None,
    form: FormOption = None,
    json: Json = None,
) -> None:
    """List the statements with the outcome on record of each.

    On a terminal columns are left out and titles cut until a statement fits a line; elsewhere nothing is.

    Examples:
      luckproof list theorem5 --form sharp
      luckproof list --json - | jq .
    """
    from verify.judging import registry

    with output(json=json) as voice, boundary():
        check_files(voice)
        if own:
            statements = registry.select_from(own, keys or (), form)
            chosen = tuple(map(StatementEntry.shown, statements))
            attacks = survived(statements)
        else:
            chosen = registry.select_entries(keys or (), form)
            attacks = survived_by(chosen)
        voice.write_json([{**entry.record(), "attack": attacks.get(entry.name, 0)} for entry in chosen])
    if voice.alone:
        return
    rows = [
        (
            entry.name,
            str(entry.expected),
            f"{attacks[entry.name]} evaluations" if entry.name in attacks else "",
            title_of(entry),
        )
        for entry in chosen
    ]
    print_table(COLUMNS, rows, [entry.expected for entry in chosen])


def survived(statements: Iterable[AnyStatement]) -> dict[str, int]:
    """The evaluations that statements have survived, by name; of one's own, with the code that they have now."""
    from verify.judging.origin import is_own
    from verify.judging.trials.recorded_attacks import attack_on_record, of_other_code

    found = {}
    for statement in statements:
        known = attack_on_record(statement)
        if (
            known is None
            or known.survivors
            or (is_own(statement.evidence) and of_other_code(statement, known))
        ):
            continue
        found[statement.name] = known.evaluations
    return found


def survived_by(entries: Iterable[StatementEntry]) -> dict[str, int]:
    """:func:`survived` for lists: no statement of the papers is imported."""
    from verify.judging import registry
    from verify.judging.trials.recorded_attacks import recorded

    found = {name: known.evaluations for name, known in recorded().items() if not known.survivors}
    papers = registry.catalogue()
    return found | survived(registry.offered()[entry.name] for entry in entries if entry.name not in papers)


def title_of(statement: StatementEntry) -> str:
    """The title, of a reading with the words that it is ours."""
    said = statement.form is not Form.READING or "our reading" in statement.title.lower()
    return statement.title if said else f"{statement.title} (our reading)"
