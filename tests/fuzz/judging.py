"""How one fuzzed call came out: a right result, one clear refusal, or a fault."""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.calls import CALLS, Call
from tests.fuzz.odd_values import odd_values
from tests.test_dynamics.ode.ode_problems import Hang, at_most

SECONDS = 20.0
"""Wall clock of one call, on a machine that may be busy."""

PYTHONS_OWN = re.compile(r"(got an unexpected keyword argument|missing .* required)")


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
    with tempfile.TemporaryDirectory() as folder:
        valid = call.arguments(Path(folder))
    names = [name for name in call.only or valid if name in valid]
    count = draw(st.sampled_from([1, 1, 1, 2])) if len(names) > 1 else 1
    chosen = draw(st.permutations(names).map(lambda order: order[:count]))
    return {name: draw(odd_values(valid[name])) for name in chosen}


def came_out(call: Call, odd: Mapping[str, Any]) -> Fault | None:
    """Call it with the odd arguments in an empty folder of its own; what is wrong, if anything."""
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        folder = Path(name)
        valid = call.arguments(folder)
        given = {**valid, **odd}
        printed = io.StringIO()
        try:
            with warnings.catch_warnings(record=True) as told, at_most(SECONDS):
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
        except (ValueError, TypeError) as error:
            left = sorted(path.name for path in folder.rglob("*"))
            return Fault("partial file", str(left)) if left else _unclear(error, valid, odd)
        except Exception as error:
            return Fault(type(error).__name__, str(error)[:200])
        if told:
            return Fault("warning", f"{told[0].category.__name__}: {told[0].message}")
        return Fault("printed", printed.getvalue()[:200]) if printed.getvalue() else None


def _as_told(value: Any) -> list[str]:
    """How a text, a path or a whole number may stand in an error, cut where it is long."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**100:
        return [str(value)]
    if not isinstance(value, str | PurePath):
        return []
    text = str(value)
    return [text[:60]] * bool(text) + [repr(text)[:60]]


def _unclear(error: Exception, valid: Mapping[str, Any], odd: Mapping[str, Any]) -> Fault | None:
    """Why the refusal is not clear: an argument (or a key of one) named, what was expected, what came, in a few lines.

    A file is named by its path, and what is wrong with it says what was expected.
    """
    text = str(error)
    head = text.partition(":")[0]
    if any(callable(value) for value in odd.values()):
        return None  # what a caller's own function raises is the caller's
    told = any(as_told in text for value in odd.values() for as_told in _as_told(value))
    names = [*valid, *(key for value in valid.values() if isinstance(value, dict) for key in value)]
    if not told and not any(re.search(rf"\b{re.escape(str(name))}\b", head) for name in names):
        return Fault("argument not named", f"{type(error).__name__}: {text[:200]}")
    if not told and not ("expected" in text and "got" in text):
        return Fault("expectation or value not told", f"{type(error).__name__}: {text[:200]}")
    if len(text) > 2000:
        return Fault("an error without end", f"{len(text)} characters")
    return None


__all__ = ["CALLS", "Fault", "came_out", "fuzzed"]
