"""Where the items of the second paper stand, and how far each formula is the paper's own.

The text that could be had of this version of the paper lost its formulas. Words are quoted from it; formulas are
rebuilt. Each ``note`` says which.
"""

from __future__ import annotations

from verify.judging import SPECIALIZATION, Source

WORDS = "words from the paper, formula rebuilt from its proof"
CODE = "from the authors' published code"
DERIVED = "derived here; the paper's own lemma is lost"
GUESSED = "words from the paper, exponents of the printed form uncertain"


def source(number: str, note: str = WORDS) -> Source:
    """The place of an item, with its provenance."""
    return Source(SPECIALIZATION, number, note)
