"""docs/findings.md and docs/errata.md, written from the statements.

``python -m verify.report.findings_pages docs`` writes both.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dynamics.files.writing import write_atomically
from verify.figures.errata import FIGURE_ERRATA
from verify.figures.registry import figures
from verify.judging import registry
from verify.judging.collecting import FAILURES
from verify.judging.vocabulary import Erratum, Form, Impact, Source
from verify.report.findings import Findings, findings
from verify.report.sentences import sentence

MADE_BY = (
    "Generated from the statements by `python -m verify.report.findings_pages docs`; "
    "`luckproof verify` judges them."
)

FORMS = (Form.PRINTED, Form.READING, Form.NECESSITY, Form.CORRECTED, Form.SHARP)

ERRATA_SAY = (
    "What is wrong, ambiguous or silently assumed in the two papers. A formula or words that stand in the "
    "text at hand are *printed*; words made precise by us, or a formula that the text at hand lost, are *our "
    "reading*, and another may fare differently; a *necessity* asks whether a hypothesis that the paper states "
    "can be left out, and that it cannot is no error. Numbers are measured. What it takes to run the authors' "
    "programs today: [authors_programs.md](authors_programs.md)."
)

EXACT = (
    "With python-flint (extra `certify`) these are not tested to a tolerance but proved: in ball arithmetic, where "
    "every number is an interval that holds the true one, or in fractions. Instances beyond the closed form are "
    "counted as not enclosed; how, and how many, is said in [theorems.md](theorems.md)."
)

IMPACTS = {
    Impact.SUBSTANCE: "Substance: what the paper concludes",
    Impact.CONSTANT: "Constants and conditions",
    Impact.TYPOGRAPHICAL: "Typographical: slips on which nothing depends",
}

NEEDED = "No errata: hypotheses that the papers state, and that are needed"

STANDING = "No errata: the papers' own words stand, readings that go further do not"


def findings_page(found: Findings) -> str:
    """The page of findings: the numbers, the ten that matter most, and the items side by side."""
    lines = ["# Findings", "", MADE_BY, "", found.summary, "", "## What matters most", ""]
    for number, finding in enumerate(found.foremost, 1):
        lines += [
            f"{number}. **{finding.source}** (`{finding.name}`, {finding.form}: {finding.outcome})",
            f"   - The paper says: {finding.says}",
            f"   - True is: {finding.true}",
            f"   - Consequence: {finding.matters}",
        ]
    lines += [
        "",
        "## Every item",
        "",
        "| item | " + " | ".join(form.words for form in FORMS) + " | what |",
        "|---" * (len(FORMS) + 2) + "|",
    ]
    for row in found.rows:
        cells = [str(row.outcomes.get(form, "")) for form in FORMS]
        lines.append(f"| `{row.key}` | " + " | ".join(cells) + f" | {row.title} |")
    return "\n".join([*lines, "", "## In exact arithmetic", "", EXACT, "", *_exact_rows()]) + "\n"


def _exact_rows() -> Iterator[str]:
    """A row for every statement with an exact margin, or a proof for all instances."""
    yield "| statement | exact |"
    yield "|---|---|"
    for s in registry.registered().values():
        if s.prove is not None:
            yield f"| `{s.name}` | all instances, by subdivision |"
        elif s.enclose is not None:
            counterexample = s.expected in FAILURES
            yield f"| `{s.name}` | {'the counterexample' if counterexample else 'each judged instance'} |"


def errata_page() -> str:
    """The errata: for each what the paper says, what is true, how we know, and whether it matters."""
    lines = ["# Errata", "", MADE_BY, "", ERRATA_SAY, ""]
    entries = (*_of_statements(), *_of_figures())
    for heading in (*IMPACTS.values(), NEEDED, STANDING):
        found = [entry for entry in entries if entry.heading == heading]
        lines += [f"## {heading}", ""] if found else []
        lines += [line for entry in found for line in entry.lines()]
    return "\n".join(lines).rstrip() + "\n"


@dataclass(frozen=True)
class _Entry:
    """One erratum with its heading, the place in the paper, and what shows it."""

    erratum: Erratum
    title: str
    source: Source
    known_by: str
    form: Form | None = None

    @property
    def heading(self) -> str:
        """Under which it stands: a necessity is no error of the paper, nor is a reading that goes further."""
        if self.form is Form.NECESSITY:
            return NEEDED
        return IMPACTS.get(self.erratum.impact, STANDING)

    def lines(self) -> list[str]:
        return [
            f"### {self.title}",
            "",
            f"- Where: {self.source}.",
            f"- The paper says: {sentence(self.erratum.says)}",
            f"- True is: {sentence(self.erratum.true)}",
            f"- How we know: {self.known_by}.",
            f"- Does it matter: {sentence(self.erratum.matters)}",
            "",
        ]


def _of_statements() -> Iterator[_Entry]:
    for s in registry.registered().values():
        if s.erratum is not None:
            known_by = f"`luckproof show {s.name}` ({s.form.words}: {s.expected})"
            yield _Entry(s.erratum, s.title, s.source, known_by, s.form)


def _of_figures() -> Iterator[_Entry]:
    known = figures()
    for name, erratum in FIGURE_ERRATA.items():
        yield _Entry(erratum, known[name].title, known[name].source, f"`luckproof figure {name}`")


def pages() -> dict[str, str]:
    """Both pages by file name."""
    return {"findings.md": findings_page(findings()), "errata.md": errata_page()}


def main(arguments: Sequence[str]) -> int:
    """Write the pages into the folder given."""
    if len(arguments) != 1:
        print("usage: python -m verify.report.findings_pages FOLDER", file=sys.stderr)
        return 2
    for name, text in pages().items():
        write_atomically(Path(arguments[0]) / name, text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
