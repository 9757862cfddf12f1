"""docs/findings.md and docs/errata.md, written from the statements.

``python -m verify.report.findings_pages docs`` writes both.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from dynamics.files.writing import write_atomically
from verify.judging import registry
from verify.judging.statement import AnyStatement
from verify.judging.vocabulary import Form, Impact
from verify.report.findings import Findings, findings

MADE_BY = (
    "Generated from the statements by `python -m verify.report.findings_pages docs`; "
    "`luckproof verify` judges them."
)

FORMS = (Form.PRINTED, Form.READING, Form.NECESSITY, Form.CORRECTED, Form.SHARP)

IMPACTS = {
    Impact.SUBSTANCE: "Substance: what the paper concludes",
    Impact.CONSTANT: "Constants and conditions",
    Impact.TYPOGRAPHICAL: "Typographical: slips on which nothing depends",
}


def findings_page(found: Findings) -> str:
    """The page of findings: the numbers, the ten that matter most, and the items side by side."""
    lines = ["# Findings", "", MADE_BY, "", found.summary, "", "## What matters most", ""]
    for number, finding in enumerate(found.foremost, 1):
        lines += [
            f"{number}. **{finding.source}** (`{finding.name}`: {finding.outcome})",
            f"   - The paper says: {finding.says}",
            f"   - True is: {finding.true}",
            f"   - Consequence: {finding.matters}",
        ]
    lines += [
        "",
        "## Every item",
        "",
        "| item | " + " | ".join(FORMS) + " | what |",
        "|---" * (len(FORMS) + 2) + "|",
    ]
    for row in found.rows:
        cells = [str(row.outcomes.get(form, "")) for form in FORMS]
        lines.append(f"| `{row.key}` | " + " | ".join(cells) + f" | {row.title} |")
    return "\n".join(lines) + "\n"


def errata_page() -> str:
    """The errata: for each what the paper says, what is true, how we know, and whether it matters."""
    entries = [s for s in registry.registered().values() if s.erratum is not None]
    lines = ["# Errata", "", MADE_BY, ""]
    for impact, heading in IMPACTS.items():
        lines += [f"## {heading}", ""]
        for statement in entries:
            if statement.erratum is not None and statement.erratum.impact is impact:
                lines += _entry(statement)
    return "\n".join(lines).rstrip() + "\n"


def _entry(statement: AnyStatement) -> list[str]:
    erratum = statement.erratum
    assert erratum is not None
    return [
        f"### {statement.title}",
        "",
        f"- Where: {statement.source}.",
        f"- The paper says: {erratum.says}",
        f"- True is: {erratum.true}",
        f"- How we know: `luckproof show {statement.name}` ({statement.form}: {statement.expected}).",
        f"- Does it matter: {erratum.matters}",
        "",
    ]


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
