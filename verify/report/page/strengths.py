"""Strengths by kind, the strongest first: what a reader can ask for, as "everything that is proved"."""

from __future__ import annotations

from enum import StrEnum

from verify.judging import Verdict


class StrengthKind(StrEnum):
    """What an outcome rests on, without its numbers."""

    PROVED = "proved for all instances"
    ENCLOSED = "proved on judged instances"
    COUNTEREXAMPLE = "confirmed counterexample"
    SAMPLED = "population or samples, with error"
    IDENTITY = "identity to rounding"
    TESTED = "tested on instances"
    FEW = "seen in a few settings"
    NOTHING = "nothing was judged"


def strength_kind(verdict: Verdict) -> StrengthKind:
    """The kind of a verdict's strength."""
    if verdict.proof is not None and verdict.proof.proved:
        return StrengthKind.PROVED
    if proved_instances(verdict):
        return StrengthKind.ENCLOSED
    if verdict.counterexample is not None and not verdict.statement.population:
        return StrengthKind.COUNTEREXAMPLE
    if not verdict.judged:
        return StrengthKind.NOTHING
    return _of_words(verdict)


def proved_instances(verdict: Verdict) -> bool:
    """Whether exact arithmetic decided the counterexample, or at least one of the judged instances."""
    if verdict.counterexample is not None:
        enclosed = verdict.counterexample.enclosed
        return enclosed is not None and enclosed.outcome == "violated"
    counts = verdict.enclosure
    return counts is not None and counts.proved + counts.equal > 0


def _of_words(verdict: Verdict) -> StrengthKind:
    if verdict.statement.population or verdict.strength.startswith("sampled"):
        return StrengthKind.SAMPLED
    if verdict.strength.startswith("identity"):
        return StrengthKind.IDENTITY
    return StrengthKind.FEW if verdict.strength.startswith("seen") else StrengthKind.TESTED
