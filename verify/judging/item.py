"""An item of a paper, and how an evidence function becomes a statement about it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Concatenate, Literal, get_args

from dynamics.boundary import check_fields, checked
from dynamics.validation import one_of, shown
from verify.judging.assumption import Assumption
from verify.judging.confirmation import Confirmation
from verify.judging.enclosing.enclosure import Enclosing
from verify.judging.enclosing.proof import Proving
from verify.judging.evidence import Context, Evidence
from verify.judging.instances import drawn_fields
from verify.judging.statement import Draw, I, P, Statement
from verify.judging.vocabulary import ALGEBRA, Cost, Form, Outcome, Source

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy
    from matplotlib.figure import Figure

    from verify.judging.verdict import Verdict

FormName = Literal["printed", "reading", "necessity", "corrected", "sharp"]
OutcomeName = Literal[
    "holds", "refuted", "vacuous", "inconclusive", "needed", "not needed", "observed", "not observed"
]
Relation = Literal["", "≤", "≥", "<", ">", "=", "≈"]
FromFields = Literal["fields"]


@dataclass(frozen=True)
class Item:
    """A numbered item of a paper: the key and the place that its forms share."""

    key: str
    source: Source

    def __post_init__(self) -> None:
        check_fields(self)

    @checked
    def claim(
        self,
        form: FormName,
        *,
        expected: OutcomeName,
        on: type[I],
        part: str = "",
        draw: Draw[I] | SearchStrategy[I] | FromFields | None = "fields",
        assume: Callable[[I], Sequence[Assumption]] = lambda instance: (),
        examples: Sequence[I] = (),
        cost: Cost = ALGEBRA,
        compares: tuple[str, Relation, str] = ("", "", ""),
        population: str = "",
        telling: Callable[[I], bool] = lambda instance: True,
        confirm: Confirmation | Callable[[I], Evidence] | None = None,
        figure: Callable[[Verdict], Figure] | None = None,
        enclose: Enclosing | None = None,
        prove: Proving | None = None,
        needs_balls: bool = False,
        place: str = "",
        note: str | None = None,
        version: str = "",
        section: str = "",
    ) -> Callable[[Callable[Concatenate[I, Context, P], Evidence]], Statement[I, P]]:
        """Decorate the evidence function of one form; its docstring is title, claim and remark.

        The docstring's paragraphs: the title; the claim, line by line (an indented line continues the one above); then
        the remark.

        Args:
            form: which wording is judged.
            expected: the outcome recorded for it.
            on: the type of its instances.
            part: appended to the item's key, where the item is judged in several parts.
            draw: strategy of instances, or a function of the budget that gives one; left out, the fields of ``on`` say
                how they are drawn (:func:`verify.judging.instances.drawn`) and with no such field, or with None, only
                ``examples`` are evaluated.
            assume, examples, cost, compares, population, telling, confirm, figure, enclose, prove, needs_balls: see
                :class:`verify.judging.statement.Statement`.
            place: where this form stands (equation, sentence), if not where the item does.
            note: how far the formula is the paper's own, if it differs from the item's.
            version, section: where the item's differ.

        Raises:
            TypeError, ValueError: an argument of another kind or value than these, or an evidence function without a
                docstring of title and claim.
        """
        one_of("form", form, Form)
        one_of("expected", expected, Outcome)
        _check_compared(compares)

        def decorate(evidence: Callable[Concatenate[I, Context, P], Evidence]) -> Statement[I, P]:
            title, claim, remark = words_of(evidence)
            stands = Source(
                self.source.paper,
                place or self.source.number,
                self.source.note if note is None else note,
                version or self.source.version,
                section or self.source.section,
            )
            return Statement(
                key=f"{self.key}.{part}" if part else self.key,
                form=Form(form),
                title=title,
                claim=claim,
                source=stands,
                expected=Outcome(expected),
                instance_type=on,
                evidence=evidence,
                assumptions=assume,
                instances=_strategy(on, draw),
                examples=examples,
                cost=cost,
                confirm=confirm,
                figure=figure,
                enclose=enclose,
                prove=prove,
                needs_balls=needs_balls,
                remark=remark,
                compares=compares,
                population=population,
                telling=telling,
            )

        return decorate


def _check_compared(compares: tuple[str, str, str]) -> None:
    """Raise ValueError unless these are two quantities with a relation between."""
    if len(compares) != 3 or compares[1] not in get_args(Relation):
        relations = ", ".join(filter(None, get_args(Relation)))
        raise ValueError(
            f"compares: expected the measured quantity, one of {relations}, the predicted one, got {shown(compares)}"
        )


def words_of(evidence: Callable[..., Evidence]) -> tuple[str, str, str]:
    """Title, claim and remark from the paragraphs of a docstring; see :meth:`Item.claim`."""
    paragraphs = (inspect.getdoc(evidence) or "").split("\n\n")
    if len(paragraphs) < 2:
        raise ValueError(
            f"{getattr(evidence, '__name__', evidence)}: expected a docstring with a title, an empty line and the claim"
            " (python -OO strips docstrings)"
        )
    title, claim, *remark = paragraphs
    lines: list[str] = []
    for line in claim.splitlines():
        if line.startswith(" ") and lines:
            lines[-1] += " " + line.strip()
        else:
            lines.append(line)
    return " ".join(title.split()), "\n".join(lines), "\n\n".join(" ".join(part.split()) for part in remark)


def _strategy(on: type[I], draw: Draw[I] | SearchStrategy[I] | FromFields | None) -> Draw[I] | None:
    if draw is None or callable(draw):
        return draw
    if draw == "fields":
        return drawn_fields(on)
    fixed: SearchStrategy[I] = draw
    return lambda budget: fixed
