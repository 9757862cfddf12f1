"""How one fuzzed call came out: a right result, one clear refusal, or a fault."""

from __future__ import annotations

import contextlib
import io
import re
import signal
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path, PurePath
from typing import Any
from unittest import mock

from hypothesis import strategies as st

from dynamics.memory import GIB
from tests.fuzz.calls import Call
from tests.fuzz.methods import CALLS
from tests.fuzz.odd_objects import OURS
from tests.fuzz.odd_values import odd_values
from tests.test_dynamics.ode.ode_problems import Hang, at_most
from verify.comparisons.watched_training import FailedComparisonError

SECONDS = 20.0
"""Of computing that one call may take."""
WAITING = 15
"""Times as many seconds may pass by the clock: a machine may be busy, and a call that waits computes nothing."""

MEMORY = GIB // 8
"""What a call is told that the machine has: sizes beyond are refused, here as on the largest machine."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with how a call came out."""

    kind: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}"


@st.composite
def fuzzed(draw: st.DrawFn, call: Call) -> Mapping[str, Any]:
    """Which arguments are replaced, and by what: one as a rule, two now and then."""
    valid = call.arguments(Path(tempfile.gettempdir()))  # nothing is written there
    names = [name for name in call.only or valid if name in valid]
    count = draw(st.sampled_from([1, 1, 1, 2])) if len(names) > 1 else 1
    chosen = draw(st.permutations(names).map(lambda order: order[:count]))
    return {name: draw(odd_values(valid[name], OURS)) for name in chosen}


def came_out(call: Call, odd: Mapping[str, Any]) -> Fault | None:
    """Call it with the odd arguments in an empty folder of its own; what is wrong, if anything."""
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        folder = Path(name)
        valid = call.arguments(folder)
        given = {**valid, **odd}
        printed = io.StringIO()
        try:
            with warnings.catch_warnings(record=True) as told, limited(), small_machine():
                warnings.simplefilter("always")
                with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                    result = call.function(**given)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    call.meets(result, given)
        except Hang:
            return Fault("hang", f"still running after {SECONDS} s")
        except AssertionError as error:
            return Fault("invariant", str(error) or "the result does not meet what it should")
        except FailedComparisonError as error:  # arguments that are right, and networks that diverge
            return None if "lower lr" in str(error) else Fault(type(error).__name__, str(error)[:200])
        except (ValueError, TypeError) as error:
            left = sorted(path.name for path in folder.rglob("*"))
            return Fault("partial file", str(left)) if left else _unclear(call, error, valid, odd)
        except Exception as error:
            return Fault(type(error).__name__, str(error)[:200])
        if told:
            return Fault("warning", f"{told[0].category.__name__}: {told[0].message}")
        return Fault("printed", printed.getvalue()[:200]) if printed.getvalue() else None


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Interrupt the body after :data:`SECONDS` of computing, or where it waits without end."""

    def ring(signum: int, frame: Any) -> None:
        raise Hang(f"still running after {SECONDS} s")

    previous = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        with at_most(WAITING * SECONDS):
            yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, previous)


def small_machine() -> contextlib.AbstractContextManager[Any]:
    return mock.patch("dynamics.memory._meminfo", return_value=MEMORY)


def _as_told(value: Any) -> list[str]:
    """How a text, a path or a whole number may stand in an error, cut where it is long."""
    if isinstance(value, list | tuple | dict):  # quoted, as a part of it may be anything
        return [repr(part)[:60] for part in value if isinstance(part, str)]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**100:
        return [str(value)]
    if not isinstance(value, str | PurePath):
        return []
    text = str(value)
    return [text[:60]] * bool(text) + [repr(text)[:60]]


def _parts(value: Any) -> list[str]:
    """Names of what is inside an argument: keys of a mapping, and inside these; the fields of one of our objects."""
    if isinstance(value, dict):
        return [*value, *(name for inner in value.values() for name in _parts(inner))]
    return [field.name for field in fields(value)] if is_dataclass(value) else []


def _unclear(call: Call, error: Exception, valid: Mapping[str, Any], odd: Mapping[str, Any]) -> Fault | None:
    """Why the refusal is not clear: an argument (or a key of one) named, what was expected, what came, in a few lines.

    A file is named by its path, and what is wrong with it says what was expected.
    """
    text = str(error)
    head = text.partition(":")[0]
    if any(callable(value) for value in odd.values()):
        return None  # what a caller's own function raises is the caller's
    told = any(as_told in text for value in odd.values() for as_told in _as_told(value))
    names = [
        *valid,
        *call.inside,
        *(part for value in (*valid.values(), *odd.values()) for part in _parts(value)),
    ]
    if not told and not any(re.search(rf"\b{re.escape(str(name))}\b", head) for name in names):
        return Fault("argument not named", f"{type(error).__name__}: {text[:200]}")
    if not told and not ("expected" in text and "got" in text):
        return Fault("expectation or value not told", f"{type(error).__name__}: {text[:200]}")
    if len(text) > 2000:
        return Fault("an error without end", f"{len(text)} characters")
    return None


__all__ = ["CALLS", "Fault", "came_out", "fuzzed"]
