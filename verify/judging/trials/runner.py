"""The runner: evaluate a statement on its examples and on drawn instances, and come to a verdict."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence

from dynamics.boundary import checked
from dynamics.validation import shown
from nets.devices import resolve_device
from verify.judging import registry
from verify.judging.collecting import complete
from verify.judging.evidence import Context
from verify.judging.statement import AnyStatement
from verify.judging.trials.attack import attack as search_for_violation
from verify.judging.trials.exact_margins import exact_at_hand
from verify.judging.trials.recorded_attacks import ATTACKED, FULL_ATTACK
from verify.judging.trials.trial import Progress, Trial, for_statement
from verify.judging.verdict import Verdict
from verify.judging.vocabulary import BUDGETS, Outcome


@checked
def check(
    key: str | AnyStatement,
    budget: str = "quick",
    device: str = "auto",
    seed: int = 0,
    form: str | None = None,
) -> Verdict:
    """The verdict on one statement.

    Args:
        key: full name (``luckmatters.theorem4.sharp``), or a key with ``form``, or a key that has one form; or a
            statement, such as one of one's own.
        budget: ``quick``, ``full`` or ``deep``.
        device: ``auto`` (CUDA when present), ``cpu`` or ``cuda``: where networks are trained.
        seed: with the same seed the same instances are drawn.
        form: ``printed``, ``corrected`` or ``sharp``.

    Raises:
        ValueError: an unknown name, several forms and none chosen, an unknown budget or device; a statement that lacks
            what a verdict rests on.
    """
    statement = registry.single(key, form) if isinstance(key, str) else complete(key)
    return judge(statement, make_context(budget, device, seed))


@checked
def check_all(
    keys: Sequence[str | AnyStatement] | Mapping[str, AnyStatement] = (),
    budget: str = "quick",
    device: str = "auto",
    seed: int = 0,
    form: str | None = None,
) -> list[Verdict]:
    """The verdicts on every statement that ``keys`` select (:func:`verify.select`), in reading order.

    Statements themselves, one's own too, may stand among the keys and are judged in the order given; so may those of
    :func:`verify.statements_from`.
    """
    context = make_context(budget, device, seed)
    return [judge(statement, context) for statement in _chosen(keys, form)]


def _chosen(
    keys: Sequence[str | AnyStatement] | Mapping[str, AnyStatement], form: str | None
) -> list[AnyStatement]:
    given = list(keys.values()) if isinstance(keys, Mapping) else list(keys)
    if all(isinstance(key, str) for key in given):
        return list(registry.select([str(key) for key in given], form))
    named = [registry.select([key], form) if isinstance(key, str) else (complete(key),) for key in given]
    return [statement for found in named for statement in found if form in (None, statement.form)]


@checked
def make_context(budget: str, device: str, seed: int, attack: int | None = None) -> Context:
    """Validate a run's budget, device, seed and evaluations of an attack (None: ``FULL_ATTACK`` at deep, else none).

    Raises:
        ValueError: naming the one at fault.
    """
    if budget not in BUDGETS:
        raise ValueError(f"budget: expected one of {', '.join(BUDGETS)}, got {shown(budget)}")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed: expected an integer >= 0, got {shown(seed)}")
    if attack is not None and (isinstance(attack, bool) or not isinstance(attack, int) or attack < 0):
        raise ValueError(f"attack: expected a number of evaluations >= 0, got {shown(attack)}")
    evaluations = attack if attack is not None else FULL_ATTACK if budget == "deep" else 0
    return Context(BUDGETS[budget], resolve_device(device), seed, attack=evaluations)


@checked
def judge(
    statement: AnyStatement, context: Context | None = None, progress: Progress | None = None
) -> Verdict:
    """The verdict on ``statement``, of the papers or one's own.

    The examples are evaluated, then instances drawn with Hypothesis from the run's seed. A failure is shrunk
    and believed only when ``statement.confirm`` fails on it too. Instances outside the assumptions are
    counted, not rejected; with no other the statement is vacuous. An exception raised by the statement's own
    code makes it inconclusive and is named in the message; the run goes on.

    Where ``context.attack`` is not 0 and the outcome is one that it could overturn, so many evaluations go to a search
    for a violation among all instances that meet the assumptions.

    Args:
        statement: what is judged.
        context: budget, device and seed, from :func:`make_context`; by default those of ``luckproof verify``.
        progress: called with (instances evaluated, instances at most).
    """
    context = context or make_context("quick", "auto", 0)
    started = time.perf_counter()
    trial = Trial(statement, for_statement(statement, context), progress)
    trial.evaluate_examples()
    trial.draw_instances()
    counterexample, confirmation = trial.confirm_failures()
    controls = trial.run_controls()
    proof = trial.proof()
    verdict = Verdict(
        statement=statement,
        outcome=trial.decide(confirmed=confirmation is not None),
        records=tuple(trial.records),
        controls=controls,
        tolerance_factors=trial.tolerance_factors,
        counterexample=counterexample,
        confirmation=confirmation,
        telling=trial.most_telling(counterexample) if confirmation is not None else None,
        message="; ".join(trial.notes),
        proof=proof,
        exact=exact_at_hand(statement),
        raised=trial.raised,
    )
    verdict = attacked(verdict, context, context.attack)
    return dataclasses.replace(verdict, seconds=time.perf_counter() - started)


def attacked(verdict: Verdict, context: Context, evaluations: int) -> Verdict:
    """``verdict`` after an attack: one that falls is inconclusive, with the survivor as its counterexample."""
    if evaluations < 1 or verdict.outcome not in ATTACKED:
        return verdict
    found = search_for_violation(verdict.statement, context, evaluations, seed=context.seed)
    if not found.survivors:
        return dataclasses.replace(verdict, attack=found)
    fallen = f"fell in an attack, on {found.survivors[0].instance}"
    return dataclasses.replace(
        verdict,
        attack=found,
        outcome=Outcome.INCONCLUSIVE,
        counterexample=found.survivors[0],
        message="; ".join(part for part in (verdict.message, fallen) if part),
    )
