"""The runner: evaluate a statement on its examples and on drawn instances, and come to a verdict."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nets.devices import resolve_device
from verify.judging import registry
from verify.judging.evidence import Context
from verify.judging.statement import AnyStatement
from verify.judging.trial import Progress, Trial, for_statement
from verify.judging.verdict import Verdict
from verify.judging.vocabulary import BUDGETS

if TYPE_CHECKING:
    pass


def check(
    key: str, budget: str = "quick", device: str = "auto", seed: int = 0, form: str | None = None
) -> Verdict:
    """The verdict on one statement.

    Args:
        key: full name (``luckmatters.theorem4.sharp``), or a key with ``form``, or a key that has one form.
        budget: ``quick``, ``full`` or ``deep``.
        device: ``auto`` (CUDA when present), ``cpu`` or ``cuda``: where networks are trained.
        seed: with the same seed the same instances are drawn.
        form: ``printed``, ``corrected`` or ``sharp``.

    Raises:
        ValueError: an unknown name, several forms and none chosen, an unknown budget or device.
    """
    return judge(registry.single(key, form), make_context(budget, device, seed))


def check_all(
    keys: Sequence[str] = (),
    budget: str = "quick",
    device: str = "auto",
    seed: int = 0,
    form: str | None = None,
) -> list[Verdict]:
    """The verdicts on every statement that ``keys`` select (:func:`verify.select`), in reading order."""
    context = make_context(budget, device, seed)
    return [judge(statement, context) for statement in registry.select(keys, form)]


def make_context(budget: str, device: str, seed: int) -> Context:
    """Validate a run's budget, device and seed.

    Raises:
        ValueError: naming the one at fault.
    """
    if budget not in BUDGETS:
        raise ValueError(f"budget: expected one of {', '.join(BUDGETS)}, got {budget!r}")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed: expected an integer >= 0, got {seed!r}")
    return Context(BUDGETS[budget], resolve_device(device), seed)


def judge(statement: AnyStatement, context: Context, progress: Progress | None = None) -> Verdict:
    """The verdict on ``statement``.

    The examples are evaluated, then instances drawn with Hypothesis from the run's seed. A failure is shrunk
    and believed only when ``statement.confirm`` fails on it too. Instances outside the assumptions are
    counted, not rejected; with no other the statement is vacuous. An exception raised by the statement's own
    code makes it inconclusive and is named in the message; the run goes on.
    """
    started = time.perf_counter()
    trial = Trial(statement, for_statement(statement, context), progress)
    trial.evaluate_examples()
    trial.draw_instances()
    counterexample, confirmation = trial.confirm_failures()
    controls = trial.run_controls()
    verdict = Verdict(
        statement=statement,
        outcome=trial.decide(confirmed=confirmation is not None),
        records=tuple(trial.records),
        controls=controls,
        counterexample=counterexample,
        confirmation=confirmation,
        telling=trial.most_telling(counterexample) if confirmation is not None else None,
        message="; ".join(trial.notes),
    )
    return dataclasses.replace(verdict, seconds=time.perf_counter() - started)
