"""``luckproof list``: the statements with the outcome on record of each, as a table or as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from verify.command.errors import boundary
from verify.command.plain_help import PlainCommand
from verify.command.tables import Column, print_table
from verify.command.verify_options import FormOption, From, Keys
from verify.judging import Form
from verify.judging.catalogue import StatementEntry

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
    json: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Write the list as JSON; - for standard output.")
    ] = None,
) -> None:
    """List the statements with the outcome on record of each.

    On a terminal columns are left out and titles cut until a statement fits a line; elsewhere nothing is.

    Example: luckproof list theorem5 --form sharp; luckproof list --json - | jq .
    """
    from verify.judging import registry
    from verify.judging.trials.recorded_attacks import recorded

    attacks = {name: known.evaluations for name, known in recorded().items() if not known.survivors}
    with boundary():
        if own:
            chosen = tuple(map(StatementEntry.shown, registry.select_from(own, keys or (), form)))
        else:
            chosen = registry.select_entries(keys or (), form)
    if json is not None:
        write_list(json, [{**entry.record(), "attack": attacks.get(entry.name, 0)} for entry in chosen])
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


def write_list(path: Path, entries: list[dict[str, object]]) -> None:
    """The entries as JSON, in a file or on standard output."""
    import json as json_module

    text = json_module.dumps(entries, indent=1, ensure_ascii=False)
    if str(path) == "-":
        typer.echo(text)
        return
    from dynamics.files.places import check_writable
    from dynamics.files.writing import write_atomically

    with boundary():
        check_writable("--json", path)
        write_atomically(path, text + "\n")


def title_of(statement: StatementEntry) -> str:
    """The title, of a reading with the words that it is ours."""
    said = statement.form is not Form.READING or "our reading" in statement.title.lower()
    return statement.title if said else f"{statement.title} (our reading)"
