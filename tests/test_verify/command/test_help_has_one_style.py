"""Every option of every command says in one style what it takes, what it may be and what it is by default."""

from __future__ import annotations

import pytest
import typer.main

from verify.command.main import app

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", list(COMMANDS))
def test_options_are_words_choices_and_a_default(name):
    """A sentence; a metavar in capitals or as an example; a default in brackets, once."""
    for option in COMMANDS[name].params:
        if option.param_type_name != "option" or option.is_flag:
            continue
        assert option.help.endswith("."), option.name
        assert option.help.count("(default") <= 1, option.name
        assert option.show_default is False, option.name
        assert (
            option.metavar == option.metavar.upper()
            or "HOST" in option.metavar
            or "." in option.metavar
            or (option.metavar == "i/n")
        ), option.name


def test_numbers_names_and_paths_are_told_apart():
    """By the metavar of each."""
    shown = {option.name: option.metavar for option in COMMANDS["verify"].params}
    assert (shown["form"], shown["budget"], shown["seed"]) == ("NAME", "NAME", "N")
    shown = {option.name: (option.metavar, option.help) for option in COMMANDS["train"].params}
    assert (shown["lr"][0], shown["steps"][0], shown["out"][0]) == ("X", "N", "PATH")
    assert shown["lr"][1] == "Learning rate (default 0.1)."
