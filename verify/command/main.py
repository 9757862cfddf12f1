"""The ``luckproof`` command: its entry point, and what it does about errors.

Exit codes: 0 every verdict as expected, 1 an unexpected verdict, 2 bad input, or output that cannot be written (one
line on stderr), 3 a failed integration or diverged training, 4 something of ours broke (one line, with a log), 5 a
comparison that stays unresolved, 130 interrupted, 141 the reader of the output has left, 128 + n ended by signal n.
"""

from __future__ import annotations

import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any

import typer

from dynamics.ode.progress_bar import on_stderr
from dynamics.version import project_version
from verify.command import bn_bias as cli_bn_bias
from verify.command import certify as cli_certify
from verify.command import compare as cli_compare
from verify.command import figure as cli_figure
from verify.command import list_statements as cli_list
from verify.command import new as cli_new
from verify.command import show as cli_show
from verify.command import simulate as cli_simulate
from verify.command import sweep as cli_sweep
from verify.command import train as cli_train
from verify.command import verify as cli_verify
from verify.command.errors import BAD_INPUT, BROKEN, CommandLineError
from verify.command.plain_help import PlainGroup
from verify.command.surroundings import (
    INTERRUPTED,
    ending_signal,
    forget_signals,
    how_it_ended,
    on_one_line,
    put_in_order,
    silence,
)
from verify.command.usage_errors import UsageError, usage_words

READER_GONE = 141

LONGEST_WORD = 1000
"""Characters of one word of a message that are shown whole: paths are, and what was typed by mistake is not."""

app = typer.Typer(
    name="luckproof",
    cls=PlainGroup,
    help="Verdicts on the statements of two papers about ReLU students and teachers, and their dynamics.",
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
cli_verify.register(app)
cli_list.register(app)
cli_show.register(app)
cli_new.register(app)
cli_simulate.register(app)
cli_train.register(app)
cli_compare.register(app)
cli_sweep.register(app)
cli_certify.register(app)
cli_figure.register(app)
cli_bn_bias.register(app)


@app.callback(invoke_without_command=True)
def luckproof(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(f"luckproof {project_version()}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command on ``arguments`` (those of the process by default) and exit with its code."""
    put_in_order()
    code = run(arguments)
    try:
        sys.stderr.flush()
    except OSError:  # Python would write what is left of a message again, and exit with a code of its own
        silence(2)
    sys.exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; errors become one line on stderr."""
    forget_signals()
    with warnings.catch_warnings():
        warnings.showwarning = _warn
        code = _run_until_written(arguments)
    number = ending_signal()
    if number is not None:  # also where a library turned the exception into one of its own, or into nothing
        return _complain(*how_it_ended(number))
    if code == INTERRUPTED:  # in a process whose signals are its own, such as a notebook's
        return _complain(*how_it_ended(signal.SIGINT))
    return code


def _run_until_written(arguments: Sequence[str] | None) -> int:
    """The command's code once all output is out; a full or broken stdout is no traceback at the end."""
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of our output has left, as in `luckproof list | head`
        silence(1)
        return READER_GONE
    except SystemExit as leaving:  # rich and click leave so when they meet a broken pipe
        if not isinstance(leaving.__context__, BrokenPipeError):
            raise
        silence(1)
        return READER_GONE
    except OSError as error:
        silence(1)
        return _complain(f"the output cannot be written: {error.strerror or error}", BAD_INPUT)
    return code


def _run(arguments: Sequence[str] | None) -> int:
    try:
        words = with_json_shown(sys.argv[1:] if arguments is None else arguments)
        _require_values(words)
        code = app(args=words, prog_name="luckproof", standalone_mode=False)
    except typer.Exit as leaving:
        code = leaving.exit_code
    except CommandLineError as error:
        return _complain(str(error), error.exit_code)
    except UsageError as error:
        return _complain(usage_words(error, words), BAD_INPUT)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except MemoryError as error:
        return _complain(_too_large(error), BAD_INPUT)
    except Exception as error:
        if isinstance(error, OSError) and _is_of_the_output(error):
            raise
        if isinstance(error, RuntimeError) and _TORCH_ALLOCATION in str(error):
            return _complain(_too_large(error), BAD_INPUT)
        return _complain(_broken(error), BROKEN)
    return code if isinstance(code, int) else 0


def _require_values(words: Sequence[str]) -> None:
    """No option is given an empty text, as ``--out "$DIR"`` gives without DIR: the current folder is not meant."""
    for option, value in zip(words, [*words[1:], "--"], strict=True):
        name, given, text = option.partition("=")
        if name.startswith("--") and ((given and not text) or value == ""):
            raise CommandLineError(f"{name}: expected a value, got an empty text", BAD_INPUT)


def with_json_shown(words: Sequence[str]) -> list[str]:
    """``--json`` with no path behind it means standard output, ``-``."""
    found = list(words)
    for place in reversed(range(len(found))):
        followed = place + 1 < len(found) and (
            found[place + 1] == "-" or not found[place + 1].startswith("-")
        )
        if found[place] == "--json" and not followed:
            found.insert(place + 1, "-")
    return found


_TORCH_ALLOCATION = "can't allocate memory"
"""What torch says in place of a MemoryError."""


def _too_large(error: Exception) -> str:
    words = str(error).split("DefaultCPUAllocator: ")[-1].split("\n")[0]
    return f"more memory would be needed than there is: {words or 'ask for smaller sizes'}"


def _is_of_the_output(error: OSError) -> bool:
    """Whether an error came up while something was printed: by rich, or by typer and its click."""
    places = traceback.extract_tb(error.__traceback__)
    printing = ("rich", "typer", "click")
    return bool(places) and any(f"/{name}/" in places[-1].filename.replace("\\", "/") for name in printing)


def _broken(error: Exception) -> str:
    """A line about an error that is nobody's but ours, with the file that holds its traceback."""
    words = f"something of ours broke: {type(error).__name__}: {error}"
    with suppress(OSError):
        with tempfile.NamedTemporaryFile(
            "w", prefix="luckproof-", suffix=".log", delete=False, encoding="utf-8", errors="backslashreplace"
        ) as log:
            log.write(f"luckproof {project_version()}, {' '.join(sys.argv)}\n\n{traceback.format_exc()}")
        return f"{words}; details in {log.name}"
    return words


def _complain(message: str, code: int) -> int:
    words = (word if len(word) <= LONGEST_WORD else f"{word[:80]}…" for word in message.split())
    on_stderr(f"luckproof: {on_one_line(' '.join(words))}")
    return code


def _warn(message: Warning | str, *place: Any, **more: Any) -> None:
    """A warning in a line, without the place in our code."""
    _complain(str(message), 0)
