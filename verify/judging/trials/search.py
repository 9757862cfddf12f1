"""The seam to Hypothesis: draw instances, steer them to where the assumptions hold, shrink what fails.

Hypothesis is driven from code here, not from a test: the result is a value and nothing is printed or stored.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis.errors import HypothesisException, UnsatisfiedAssumption
from hypothesis.strategies import SearchStrategy

from verify.judging.verdict import Record


@dataclass
class Search:
    """What a search found: ``found`` as drawn, ``shrunk`` as simple as can be; both None if nothing failed.

    ``breakdown`` is the simplest instance on which the evaluation raised, with the exception. ``complaint``
    is Hypothesis' own: a strategy that rejects too much, or an evaluation that is not repeatable.
    """

    found: Record | None = None
    shrunk: Record | None = None
    breakdown: tuple[Any, Exception] | None = None
    complaint: str = ""


@dataclass
class _Falsify:
    """The test body. Everything after the first failure is shrinking and is not kept as a record."""

    evaluate: Callable[[Any], Record]
    keep: Callable[[Record], None]
    steered: bool
    outcome: Search = field(default_factory=Search)

    def __call__(self, instance: Any) -> None:
        drawing = self.outcome.found is None and self.outcome.breakdown is None
        try:
            record = self.evaluate(instance)
        except UnsatisfiedAssumption:
            raise
        except Exception as error:
            self.outcome.breakdown = (instance, error.with_traceback(None))
            raise
        if drawing:
            self.keep(record)
        if self.steered:
            steer_to_assumptions(record)
        if record.failed:
            self.outcome.found = self.outcome.found or record
            self.outcome.shrunk = record  # Hypothesis replays the simplest failure last
            raise _FailureError


class _FailureError(Exception):
    """Tells Hypothesis that the claim failed on the instance at hand."""


def search(
    strategy: SearchStrategy[Any],
    evaluate: Callable[[Any], Record],
    *,
    seed: int,
    max_examples: int,
    keep: Callable[[Record], None],
    steered: bool = False,
) -> Search:
    """Draw up to ``max_examples`` instances; stop at the first failure and shrink it.

    The same seed, strategy and evaluation give the same instances in every process. All health checks of
    Hypothesis that count draws stay on: a strategy that filters most of its draws away is reported in
    ``complaint``. ``steered``: climb towards instances that satisfy the assumptions, at the price of variety
    (a climb changes one instance step by step).
    """
    body = _Falsify(evaluate, keep, steered)
    settings = hypothesis.settings(
        max_examples=max_examples,
        database=None,
        deadline=None,  # the verdict must not depend on how busy the machine is
        derandomize=False,  # the seed below decides, not the name of the function
        phases=(Phase.generate, Phase.target, Phase.shrink),
        report_multiple_bugs=False,
        suppress_health_check=(HealthCheck.too_slow,),  # a clock again; the other checks count draws
        verbosity=Verbosity.quiet,
        print_blob=False,
        backend="hypothesis",
    )

    @hypothesis.seed(seed)
    @settings
    @hypothesis.given(strategy)
    def falsify(instance: Any) -> None:
        body(instance)

    with _no_constants_from_source():
        try:
            falsify()
        except _FailureError:
            pass
        except HypothesisException as complaint:
            body.outcome.complaint = f"{type(complaint).__name__}: {complaint}"
        except Exception:
            if body.outcome.breakdown is None:
                raise
    return body.outcome


def steer_to_assumptions(record: Record) -> None:
    """Let Hypothesis climb towards instances that satisfy the assumptions; level once all are satisfied."""
    if not record.assumptions:
        return
    if record.evidence is not None:
        hypothesis.target(1.0, label="assumptions")  # above every edge: a margin of 0 is not enough
        return
    smallest = min(assumption.margin for assumption in record.assumptions)
    hypothesis.target(min(smallest, 0.0) if smallest > -float("inf") else -1e300, label="assumptions")


@contextmanager
def _no_constants_from_source() -> Iterator[None]:
    """Keep Hypothesis from drawing numbers that it reads out of the source files of loaded modules.

    They would make the instances depend on what else happens to be imported (and leave a folder behind).
    A version of Hypothesis that names this differently is left as it is.
    """
    providers: Any = sys.modules.get("hypothesis.internal.conjecture.providers")
    if not hasattr(providers, "_get_local_constants"):
        yield
        return
    none = providers.Constants()
    providers.CONSTANTS_CACHE.cache.clear()
    try:
        with mock.patch.object(providers, "_get_local_constants", return_value=none):
            yield
    finally:
        providers.CONSTANTS_CACHE.cache.clear()
