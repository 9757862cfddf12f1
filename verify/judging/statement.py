"""A statement: one form of one item of a paper, as an evidence function with its words, instances and controls.

A file of a paper room holds one :class:`Item` and decorates one evidence function per form of it::

    LEMMA = Item("paper.lemma6", Source(PAPER, "Lemma 6"))

    @LEMMA.claim("printed", expected="refuted", on=Start)
    def contracts(start: Start, context: Context, *, push: float = 1.0) -> Evidence:
        '''The bottom layer contracts in one step

        sin θ_j(t + 1) ≤ sin θ_j(t)
        '''

    contracts.rejects("without the push", Start(r=2), push=0.0)

The registry collects the statements; the runner judges them.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Concatenate, Generic, Literal, ParamSpec, TypeVar

from verify.judging.evidence import Assumption, Context, Evidence
from verify.judging.instances import drawn_fields
from verify.judging.vocabulary import ALGEBRA, Budget, Cost, Form, Outcome, Source

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy
    from matplotlib.figure import Figure

    from verify.judging.verdict import Verdict

I = TypeVar("I")  # noqa: E741 - the instance type, a frozen dataclass of numbers, strings and tuples of them
P = ParamSpec("P")  # the keyword-only arguments by which a control alters the claim
C = TypeVar("C", bound=Callable[..., Any])

Draw = Callable[[Budget], "SearchStrategy[I]"]


@dataclass(frozen=True)
class Control:
    """A check of the check: an instance and altered arguments with a known answer, as data.

    A negative control (``must_hold=False``) must be rejected by ``evidence``: margin < 0. A refuted form also wants a
    positive one: a true variant that the same code must accept. ``evidence`` is the statement's own function, or a
    named variant of it where the claim is altered by more than an argument.
    """

    name: str
    evidence: Callable[..., Evidence]
    instance: Any = None
    altered: Mapping[str, Any] = field(default_factory=dict)
    must_hold: bool = False

    def judge(self, context: Context) -> Evidence:
        """The evidence on the control's instance under its altered arguments."""
        if self.instance is None:
            return self.evidence(context)
        return self.evidence(self.instance, context, **self.altered)

    def passed(self, context: Context) -> bool:
        """Whether the evidence came out as it must."""
        evidence = self.judge(context)
        return not math.isnan(evidence.margin) and evidence.holds == self.must_hold


@dataclass(frozen=True, eq=False)
class Statement(Generic[I, P]):
    """One form of one item of a paper. Calling it evaluates one instance.

    Attributes:
        key: paper and item, ``luckmatters.lemma6``; with the form it is the statement's ``name``.
        form, title, claim, remark: which wording is judged, and the words.
        source: where it stands.
        expected: the outcome recorded for it.
        instance_type: frozen dataclass whose fields are sizes, angles, thresholds and a seed (numbers, strings or
            tuples of them), with defaults, so that shrinking ends in something readable.
        evidence: ``evidence(instance, context, *, altered arguments)``; called where all assumptions are satisfied.
        assumptions: signed margins of an instance, all > 0 where it is not vacuous.
        instances: strategy of instances for a budget; None where only ``examples`` are evaluated.
        examples: instances evaluated first: the paper's own settings, past failures.
        cost: how many instances each budget draws.
        confirm: independent re-evaluation of a counterexample (many digits, fresh data). A refutation is believed
            only when it fails too; required where ``refuted`` is expected.
        figure: picture of a verdict for the report; None draws predicted against measured.
        controls: filled by :meth:`rejects` and :meth:`accepts`; at least one.
    """

    key: str
    form: Form
    title: str
    claim: str
    source: Source
    expected: Outcome
    instance_type: type[I]
    evidence: Callable[Concatenate[I, Context, P], Evidence]
    assumptions: Callable[[I], Sequence[Assumption]] = lambda instance: ()
    instances: Draw[I] | None = None
    examples: Sequence[I] = ()
    cost: Cost = ALGEBRA
    confirm: Callable[[I], Evidence] | None = None
    figure: Callable[[Verdict], Figure] | None = None
    remark: str = ""
    controls: Sequence[Control] = ()

    def __call__(self, instance: I, context: Context, /, *args: P.args, **altered: P.kwargs) -> Evidence:
        return self.evidence(instance, context, *args, **altered)

    @property
    def name(self) -> str:
        """Unique name: key and form, e.g. ``luckmatters.theorem4.sharp``."""
        return f"{self.key}.{self.form}"

    def rejects(self, name: str, instance: I, /, *args: P.args, **altered: P.kwargs) -> None:
        """Add a control: on ``instance`` the claim with its arguments ``altered`` must be rejected."""
        self._add(Control(name, self.evidence, instance, altered))

    def accepts(self, name: str, instance: I, /, *args: P.args, **altered: P.kwargs) -> None:
        """Add a control: on ``instance`` the claim with its arguments ``altered`` must be accepted."""
        self._add(Control(name, self.evidence, instance, altered, must_hold=True))

    def rejects_variant(
        self, name: str, variant: Callable[..., Evidence], instance: Any, /, **altered: Any
    ) -> None:
        """Add a control: ``variant(instance, context, **altered)``, another claim than this one, must be rejected."""
        self._add(Control(name, variant, instance, altered))

    def accepts_variant(
        self, name: str, variant: Callable[..., Evidence], instance: Any, /, **altered: Any
    ) -> None:
        """Add a control: ``variant(instance, context, **altered)``, another claim than this one, must be accepted."""
        self._add(Control(name, variant, instance, altered, must_hold=True))

    def confirmed_by(self, function: Callable[[I], Evidence]) -> Callable[[I], Evidence]:
        """Decorate the independent re-evaluation of a counterexample."""
        object.__setattr__(self, "confirm", function)
        return function

    def drawn_by(self, function: Callable[[Verdict], Figure]) -> Callable[[Verdict], Figure]:
        """Decorate the figure of a verdict."""
        object.__setattr__(self, "figure", function)
        return function

    def _add(self, control: Control) -> None:
        object.__setattr__(self, "controls", (*self.controls, control))  # only while its module is imported


AnyStatement = Statement[Any, ...]
"""A statement of whatever instances, as in a collection of them."""

FormName = Literal["printed", "corrected", "sharp"]
OutcomeName = Literal["holds", "refuted", "vacuous", "inconclusive"]
FromFields = Literal["fields"]


@dataclass(frozen=True)
class Item:
    """A numbered item of a paper: the key and the place that its forms share."""

    key: str
    source: Source

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
        confirm: Callable[[I], Evidence] | None = None,
        figure: Callable[[Verdict], Figure] | None = None,
        place: str = "",
        note: str | None = None,
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
            assume, examples, cost, confirm, figure: see :class:`Statement`.
            place: where this form stands (equation, sentence), if not where the item does.
            note: how far the formula is the paper's own, if it differs from the item's.

        Raises:
            ValueError: the evidence function has no docstring with a title and a claim.
        """

        def decorate(evidence: Callable[Concatenate[I, Context, P], Evidence]) -> Statement[I, P]:
            title, claim, remark = words_of(evidence)
            stands = Source(
                self.source.paper, place or self.source.number, self.source.note if note is None else note
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
                remark=remark,
            )

        return decorate


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
