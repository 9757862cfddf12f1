"""The ``luckproof`` command: its entry point, and what it does about errors.

Exit codes: 0 every verdict as expected, 1 an unexpected verdict, 2 bad input (one line on stderr), 3 a failed
integration or diverged training, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from dynamics.version import project_version
from verify.command import bn_bias as cli_bn_bias
from verify.command import figure as cli_figure
from verify.command import show as cli_show
from verify.command import simulate as cli_simulate
from verify.command import verify as cli_verify
from verify.command.errors import CommandLineError

INTERRUPTED = 130

app = typer.Typer(
    name="luckproof",
    help="Verdicts on the statements of two papers about ReLU students and teachers, and their dynamics.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
cli_verify.register(app)
cli_show.register(app)
cli_simulate.register(app)
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
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; errors become one line on stderr."""
    try:
        words = None if arguments is None else list(arguments)
        code = app(args=words, prog_name="luckproof", standalone_mode=False)
    except typer.Exit as leaving:
        code = leaving.exit_code
    except CommandLineError as error:
        return _complain(str(error), error.exit_code)
    except _UsageError as error:
        return _complain(error.format_message(), 2)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except BrokenPipeError:  # the reader of our output has left, as in `luckproof list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    if code == INTERRUPTED:  # newer versions of typer turn Ctrl-C into this code, silently
        return _complain("interrupted", INTERRUPTED)
    return code if isinstance(code, int) else 0


# The base of all usage errors; typer brings its own copy of click and does not export it by name.
_UsageError: type[typer.BadParameter] = typer.BadParameter.__mro__[2]


def _complain(message: str, code: int) -> int:
    print(f"luckproof: {' '.join(message.split())}", file=sys.stderr)
    return code
