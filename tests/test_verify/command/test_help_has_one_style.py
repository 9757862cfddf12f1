"""Every option of every command says in one style what it takes, what it may be and what it is by default."""

from __future__ import annotations

import re
import shlex

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
    assert (shown["lr"][0], shown["steps"][0], shown["out"][0]) == ("X", "N", "FILE")
    assert shown["lr"][1] == "Learning rate (default 0.1)."


@pytest.mark.parametrize("name", list(COMMANDS))
def test_help_ends_with_examples_that_parse(name, tmp_path, monkeypatch):
    """Each line of the command's own, with options that there are."""
    monkeypatch.chdir(tmp_path)
    for file in ("night.toml", "mytheorem.py", "proof.json", "vgg16_bn.pth", "resnet.safetensors"):
        (tmp_path / file).touch()
    words = COMMANDS[name].help
    assert "Exit code 0: " in words or name in ("list", "show", "new"), words
    heading, *examples = words.split("\n\n")[-1].splitlines()
    assert heading == ("Example:" if len(examples) == 1 else "Examples:")
    lines = [
        shlex.split(line) for example in examples for line in re.findall(r"luckproof ([^;|&]+)", example)
    ]
    assert all(example.startswith(f"  luckproof {name}") for example in examples)
    assert max(map(len, examples)) < 79
    for command, *options in lines:
        COMMANDS[command].make_context(command, options)


def test_an_option_that_is_not_there_does_not_parse():
    """Control of the test above."""
    with pytest.raises(Exception, match="No such option"):
        COMMANDS["verify"].make_context("verify", ["theorem4", "--nonsense"])
