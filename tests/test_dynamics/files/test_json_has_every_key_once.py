"""JSON that somebody wrote is read as it stands, or refused: of two values of one key neither wins in silence."""

from __future__ import annotations

import pytest

from dynamics.files.json_text import read_json
from verify.command.main import run


def test_what_is_written_is_read() -> None:
    """Objects in lists in objects, and keys that are alike in different places."""
    assert read_json('{"a": [{"a": 1}, {"a": 2}], "b": null}') == {"a": [{"a": 1}, {"a": 2}], "b": None}


@pytest.mark.parametrize("text", ['{"a": 1, "a": 1}', '[{"b": {"a": 1, "a": 2}}]'])
def test_a_key_that_stands_twice_is_refused(text: str) -> None:
    """Whatever its values, wherever it stands."""
    with pytest.raises(ValueError, match="the key 'a' stands twice"):
        read_json(text)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            ["verify", "luckmatters.lemma6.printed", "--instance", '{"m": 2, "m": 3}'],
            "the key 'm' stands twice",
        ),
        (["certify", "--check", "twice.json"], "--check: expected a certificate (JSON), got twice.json"),
        (["certify", "--check", "missing.json"], "--check: missing.json: No such file or directory"),
    ],
)
def test_commands_say_which_option(tmp_path, monkeypatch, capsys, words: list[str], complaint: str) -> None:
    """Code 2 and one line."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "twice.json").write_text('{"format": "a", "format": "b"}')
    assert run(words) == 2
    assert complaint in capsys.readouterr().err
