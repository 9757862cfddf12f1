"""What the page shows of one verdict."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from verify.judging import Verdict
from verify.judging.assumption_counts import AssumptionCount, in_a_sentence
from verify.judging.sceptic import needed_by, script_of
from verify.judging.trials.recorded_attacks import attack_in_words
from verify.report.page.places import Code, Paper, arxiv_link, code_of, place_of
from verify.report.page.strengths import StrengthKind, strength_kind
from verify.report.records import replaying_command, reproducing_command
from verify.report.run_info import RunInfo
from verify.report.verdict_picture import Picture

_AS_THEY_ARE = " ()*,/:;=[]{}|+-!@$^_~?."
"""Characters that need no escape in a script's address, and would only make it longer."""


@dataclass(frozen=True)
class Entry:
    """One verdict with everything that a template would have to compute."""

    verdict: Verdict
    assumptions: tuple[AssumptionCount, ...]
    assumed: str
    picture: Picture
    instance: dict[str, Any]
    details: dict[str, Any]
    command: str
    replays: dict[str, str]
    telling_instance: dict[str, Any]
    telling_command: str
    script: str
    attack: str
    code: Code | None
    figure_of: str

    @classmethod
    def of(cls, verdict: Verdict, run: RunInfo, picture: Picture, figure_of: str = "") -> Entry:
        """The entry of a verdict reached in ``run``, with its picture.

        ``figure_of``: an earlier statement that has the very same picture, which is then shown there alone.
        """
        worst, telling = verdict.worst, verdict.telling
        return cls(
            verdict=verdict,
            assumptions=verdict.assumptions,
            assumed=in_a_sentence(verdict.statement.assumptions),
            picture=picture,
            instance=dataclasses.asdict(worst.instance) if worst is not None else {},
            details=dict(worst.evidence.details) if worst is not None and worst.evidence else {},
            command=reproducing_command(verdict, worst, run) if worst is not None else "",
            replays={
                control.name: replaying_command(verdict.statement, control, run)
                for control in verdict.statement.controls
            },
            telling_instance=dataclasses.asdict(telling.instance) if telling is not None else {},
            telling_command=reproducing_command(verdict, telling, run) if telling is not None else "",
            script=script_of(verdict.statement) or "",
            attack=attack_in_words(verdict),
            code=code_of(verdict.statement),
            figure_of=figure_of,
        )

    @property
    def statement(self) -> Any:
        """The statement judged."""
        return self.verdict.statement

    @property
    def evidence(self) -> Any:
        """The evidence on the counterexample, or on the worst instance; None where nothing was judged."""
        return self.verdict.worst.evidence if self.verdict.worst is not None else None

    @property
    def controls(self) -> list[tuple[Any, bool]]:
        """Each control with whether it came out as it must."""
        return [(control, self.verdict.controls[control.name]) for control in self.statement.controls]

    @property
    def controls_passed(self) -> tuple[int, int]:
        """How many checks of the check came out as they must, of how many."""
        return sum(self.verdict.controls.values()), len(self.verdict.controls)

    @property
    def strength(self) -> StrengthKind:
        """What the outcome rests on, as a kind to filter by."""
        return strength_kind(self.verdict)

    @property
    def paper(self) -> Paper:
        """The paper that the claim stands in."""
        return Paper.of(self.statement.source)

    @property
    def arxiv(self) -> str:
        """The address of the paper's version; empty where there is none."""
        return arxiv_link(self.statement.source)

    @property
    def place(self) -> str:
        """Version, section and number."""
        return place_of(self.statement.source)

    @property
    def needs(self) -> str:
        """What the sceptic's script imports beyond Python's own library, as a sentence goes on."""
        return " and ".join(needed_by(self.script))

    @property
    def script_address(self) -> str:
        """The sceptic's script as an address that a browser saves to a file."""
        return f"data:text/x-python;charset=utf-8,{quote(self.script, safe=_AS_THEY_ARE)}"

    @property
    def as_expected_in_words(self) -> str:
        """Empty where the outcome is the one on record; else what is different."""
        if self.verdict.as_expected:
            return ""
        expected = self.statement.expected
        return "a control failed" if self.verdict.outcome == expected else f"on record: {expected}"
