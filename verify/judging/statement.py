"""A statement: one form of one item of a paper, as an evidence function with its words, instances and controls.

A file of a paper room holds one :class:`Item` and decorates one evidence function per form of it::

    LEMMA = Item("paper.lemma6", Source(PAPER, "Lemma 6"))

    @LEMMA.claim("printed", expected="refuted", on=Start, compares=("sin θ after the step", "≤", "sin θ before"))
    def contracts(start: Start, context: Context, *, push: float = 1.0) -> Evidence:
        '''The bottom layer contracts in one step

        sin θ_j(t + 1) ≤ sin θ_j(t)
        '''

    contracts.rejects("without the push", Start(r=2), push=0.0)

(:class:`verify.judging.item.Item` makes the statement.) The registry collects the statements; the runner judges them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate, Generic, Literal, ParamSpec, TypeVar

from verify.judging.assumption import Assumption
from verify.judging.confirmation import Confirmation, Precise, Replication
from verify.judging.controls import AssumptionControl, Control, ProofControl
from verify.judging.enclosing.enclosure import Enclosing
from verify.judging.enclosing.proof import Proving
from verify.judging.evidence import Context, Evidence
from verify.judging.origin import Origin
from verify.judging.vocabulary import ALGEBRA, Budget, Cost, Erratum, Form, Impact, Outcome, Source

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy
    from matplotlib.figure import Figure

    from verify.judging.verdict import Verdict

I = TypeVar("I")  # noqa: E741
"""The instance type: a frozen dataclass of numbers, strings and tuples of them."""

P = ParamSpec("P")
"""The keyword-only arguments by which a control alters the claim."""

F = TypeVar("F", bound=Callable[..., Any])

Draw = Callable[[Budget], "SearchStrategy[I]"]


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
        assumption_controls: filled by :meth:`excludes` and :meth:`includes`.
        compares: the measured quantity, the relation in which it must stand, the predicted quantity, as nouns:
            ``("slowest decay of max sin θ", "≥", "rate bound")``.
        population: for an empirical claim, the population that it is about; its outcomes are *observed* and *not
            observed*. Empty for a claim about every instance.
        telling: whether an instance is a telling one: not degenerate, inside the paper's own regime.
        erratum: what the errata say, where the statement shows one.
        enclose: ``enclose(instance, *, altered arguments)``, the exact margin in ball arithmetic or fractions, where it
            has a closed form; its instance's floats are balls (:func:`verify.judging.enclosing.enclosure.exactly`).
        prove: ``prove(*, altered arguments)``, a proof by machine for all instances at once.
        needs_balls: whether what is claimed is itself computed in ball arithmetic: nothing is judged without
            python-flint.
        proof_controls: filled by :meth:`not_proved`.
        origin: where a statement of one's own was loaded from; None for the papers' and those made in Python.
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
    confirm: Confirmation | Callable[[I], Evidence] | None = None
    figure: Callable[[Verdict], Figure] | None = None
    remark: str = ""
    controls: Sequence[Control] = ()
    assumption_controls: Sequence[AssumptionControl] = ()
    compares: tuple[str, str, str] = ("", "", "")
    population: str = ""
    telling: Callable[[I], bool] = lambda instance: True
    erratum: Erratum | None = None
    enclose: Enclosing | None = None
    prove: Proving | None = None
    needs_balls: bool = False
    proof_controls: Sequence[ProofControl] = ()
    origin: Origin | None = None

    def __repr__(self) -> str:
        return f"Statement({self.name}: {self.title})"

    def __call__(self, instance: I, context: Context, /, *args: P.args, **altered: P.kwargs) -> Evidence:
        return self.evidence(instance, context, *args, **altered)

    @property
    def measured_name(self) -> str:
        """The noun of what is measured."""
        return self.compares[0] or "measured"

    @property
    def relation(self) -> str:
        """How the measured quantity must compare with the predicted one; empty where none is stated."""
        return self.compares[1]

    @property
    def predicted_name(self) -> str:
        """The noun of what is predicted."""
        return self.compares[2] or "predicted"

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

    def rejects_moved(self, name: str, instance: I, /, by: float) -> None:
        """Add a control: on ``instance`` a measured quantity wrong by the length ``by`` must be rejected."""
        self._add(Control(name, self.evidence, instance, moved=by))

    def accepts_variant(
        self, name: str, variant: Callable[..., Evidence], instance: Any, /, **altered: Any
    ) -> None:
        """Add a control: ``variant(instance, context, **altered)``, another claim than this one, must be accepted."""
        self._add(Control(name, variant, instance, altered, must_hold=True))

    def excludes(self, name: str, instance: I, assumption: str) -> None:
        """Add a control of the assumptions: ``instance`` must be vacuous, by the assumption of that name."""
        controls = (*self.assumption_controls, AssumptionControl(name, instance, assumption))
        object.__setattr__(self, "assumption_controls", controls)

    def includes(self, name: str, instance: I) -> None:
        """Add a control of the assumptions: ``instance``, just inside, must meet them all."""
        object.__setattr__(
            self, "assumption_controls", (*self.assumption_controls, AssumptionControl(name, instance))
        )

    def not_proved(self, name: str, **altered: Any) -> None:
        """Add a control of the proof: the claim so ``altered``, which is false, must not come out proved."""
        object.__setattr__(self, "proof_controls", (*self.proof_controls, ProofControl(name, altered)))

    def confirmed_by(self, function: F) -> F:
        """Decorate the independent re-evaluation of a counterexample."""
        object.__setattr__(self, "confirm", function)
        return function

    def confirmed_precisely(self, digits: int) -> Callable[[F], F]:
        """Decorate the re-evaluation of a counterexample by other formulas in ``digits`` digits (0: exactly).

        ``function(instance, **altered)`` takes the altered arguments of the positive controls, which it must accept.
        """

        def decorate(function: F) -> F:
            object.__setattr__(self, "confirm", Precise(function, digits))
            return function

        return decorate

    def replicated(self, seeds: int) -> Callable[[F], F]:
        """Decorate the same measurement on ``seeds`` fresh seeds; see :meth:`confirmed_precisely`."""

        def decorate(function: F) -> F:
            object.__setattr__(self, "confirm", Replication(function, seeds))
            return function

        return decorate

    def errs(
        self,
        *,
        says: str,
        true: str,
        impact: Literal["typographical", "constant", "substance", "none"],
        matters: str,
    ) -> None:
        """Record the erratum that this statement shows; see :class:`verify.judging.vocabulary.Erratum`."""
        object.__setattr__(self, "erratum", Erratum(says, true, Impact(impact), matters))

    def drawn_by(self, function: Callable[[Verdict], Figure]) -> Callable[[Verdict], Figure]:
        """Decorate the figure of a verdict."""
        object.__setattr__(self, "figure", function)
        return function

    def _add(self, control: Control) -> None:
        object.__setattr__(self, "controls", (*self.controls, control))  # only while its module is imported


AnyStatement = Statement[Any, ...]
"""A statement of whatever instances, as in a collection of them."""
