"""The page of figures in the documentation, from what ``luckproof figure`` wrote.

Usage: ``python -m verify.report.figure_page FOLDER DOCS``: copies every NAME.png of FOLDER to DOCS/figures and rewrites
its section of DOCS/figures.md; the sections of other figures stay as they are.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dynamics.files.netcdf import read
from dynamics.files.writing import write_atomically
from dynamics.options import option_fields
from verify.figures import figures

HEADING = """# Figures of the papers, made again

Each by the command under it; this page by `python -m verify.report.figure_page FOLDER docs` from what the commands
wrote. A claim is the paper's in our words, checked on independent networks: mean effect with its 99 % interval,
`observed` where all of the interval is beyond what is needed, `not observed` where all of it is on the other side; `not
observed, as expected` marks a claim of the paper that our networks contradict again and again.
"""
SECTION = re.compile(r"^## (\S+)$", re.MULTILINE)


def command_of(name: str, settings: Mapping[str, Any]) -> str:
    """The shortest command that makes the figure so: a budget, and every setting that differs from it."""
    candidates = []
    for budget, usual in figures()[name].settings.items():
        fields = option_fields(type(usual))
        kept = {key: json.loads(json.dumps(value)) for key, value in dataclasses.asdict(usual).items()}
        words = [] if budget == "quick" else ["--budget", budget]
        for key, value in settings.items():
            if value != kept[key]:
                words += (
                    ["--seed", str(value)]
                    if key == "seed"
                    else ["--set", f"{key}={fields[key].written(value)}"]
                )
        candidates.append(words)
    return " ".join(["luckproof", "figure", name, *min(candidates, key=len)])


def section(name: str, attributes: Mapping[str, Any]) -> str:
    """Picture, command and checked claims of one figure, from the attributes of its data file."""
    rows = [
        "| {claim} | {outcome} | {effect:.3g} [{low:.3g}, {high:.3g}] | > {threshold:g} | {networks} |".format(
            **{**check, "claim": check["claim"].replace("|", "\\|"), "outcome": _outcome(check)}
        )
        for check in json.loads(attributes["checks"])
    ]
    table = [
        "| claim | outcome | effect, 99 % interval | needed | networks |",
        "|---|---|---:|---:|---:|",
        *rows,
    ]
    return "\n".join(
        [
            f"## {name}",
            "",
            f"{attributes['title']}. {attributes['source']}.",
            "",
            *([note, ""] if (note := figures()[name].note) else []),
            f"![{attributes['title']}](figures/{name}.png)",
            "",
            f"    {command_of(name, json.loads(attributes['settings']))}",
            "",
            *(table if rows else ["It illustrates no claim that could be checked."]),
            "",
        ]
    )


def _outcome(check: Mapping[str, Any]) -> str:
    known = check["outcome"] == check.get("expected", "observed") == "not observed"
    return "not observed, as expected" if known else str(check["outcome"])


def updated(page: str, sections: Mapping[str, str]) -> str:
    """``page`` with ``sections`` put in place of those of the same names, in the order of the papers."""
    parts = SECTION.split(page)
    found = {name: f"## {name}{body.rstrip()}\n" for name, body in zip(parts[1::2], parts[2::2], strict=True)}
    order = [name for name in figures() if name in found or name in sections]
    return "\n".join([HEADING, *({**found, **sections}[name] for name in order)])


def main(folder: Path, docs: Path) -> None:
    """Take every figure of ``folder`` over into the documentation."""
    sections = {}
    for name in figures():
        data, picture = folder / f"{name}.nc", folder / f"{name}.png"
        if data.exists() and picture.exists():
            sections[name] = section(name, read(data).attrs)
            (docs / "figures").mkdir(exist_ok=True)
            write_atomically(docs / "figures" / f"{name}.png", picture.read_bytes())
    page = docs / "figures.md"
    text = updated(page.read_text(encoding="utf-8") if page.exists() else HEADING, sections)
    write_atomically(page, text.encode())
    print(f"{page}: {', '.join(sections) or 'nothing new'}")


if __name__ == "__main__":
    if len(sys.argv) != 3 or not all(Path(word).is_dir() for word in sys.argv[1:]):
        sys.exit("usage: python -m verify.report.figure_page FOLDER DOCS (two folders)")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
