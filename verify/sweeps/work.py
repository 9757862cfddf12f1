"""What computes one point, wherever it runs: options in, the content of a file out, or a status and a reason."""

from __future__ import annotations

import dataclasses
import importlib
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynamics.workers.one_thread import one_thread
from verify.sweeps.commands import COMMANDS, run_options_of
from verify.sweeps.points import code_version
from verify.sweeps.store import POINT_ATTRIBUTE, Store

if TYPE_CHECKING:
    from dynamics.ode.trajectory import Trajectory

DONE = "done"
REFUSED = "refused"
MEMORY = "memory"
BROKE = "broke"
LOST = "lost"


@dataclass(frozen=True)
class Task:
    """One point on its way to where it is computed.

    ``folder``: of the sweep, where the worker writes the file itself; None where the driver does.
    """

    key: str
    options: Mapping[str, Any]
    code: str
    folder: str | None = None
    command: str = "simulate"


@dataclass(frozen=True)
class Result:
    """How a point ended.

    Attributes:
        key: of the point.
        status: ``done``; that of an integration or training that failed; ``refused`` (the options do not go together),
            ``memory`` (too large), ``broke`` (an error of ours) or ``lost`` (its process died).
        reason: a sentence, where it is not done.
        details: a traceback, where there is one.
        seconds: that it took.
        content: the file, where the driver is to write it.
    """

    key: str
    status: str
    reason: str = ""
    details: str = ""
    seconds: float = 0.0
    content: bytes | None = None


def compute(task: Task) -> Result:
    """Run one point, and write its file where the task names a folder.

    Whatever the run itself raises is a result. Raises OSError or ValueError where the file cannot be written.
    """
    started = time.perf_counter()
    try:
        content = _content(task)
    except MemoryError as error:
        result = Result(task.key, MEMORY, f"more memory would be needed than there is: {error}".rstrip(": "))
    except (ValueError, TypeError) as error:
        result = Result(task.key, REFUSED, _line(error), traceback.format_exc())
    except _FailedError as error:
        result = Result(task.key, error.status, error.reason)
    except Exception as error:
        result = Result(task.key, BROKE, f"{type(error).__name__}: {_line(error)}", traceback.format_exc())
    else:
        result = Result(task.key, DONE, content=content)
    if result.content is not None and task.folder is not None:
        Store(Path(task.folder)).write(task.key, result.content)
        result = dataclasses.replace(result, content=None)
    return dataclasses.replace(result, seconds=time.perf_counter() - started)


@dataclass
class _FailedError(Exception):
    """The integration or training did not come to its end."""

    status: str
    reason: str


def _content(task: Task) -> bytes:
    from verify.sweeps.point_file import to_bytes

    here = code_version(task.command)
    if task.code != here:
        raise ValueError(f"code: expected version {task.code} here, as the driver has, got {here}")
    options = run_options_of(task.command, task.options)
    for module in COMMANDS[task.command].loaded_first:
        importlib.import_module(module)
    with one_thread():
        run: Trajectory = options.run(options.build())
    if not run.success:
        raise _FailedError(str(run.status), run.message)
    run = dataclasses.replace(
        run, attributes={**run.attributes, POINT_ATTRIBUTE: task.key, "code": task.code}
    )
    return to_bytes(run.to_xarray())


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
