"""Every numbered item of "Student Specialization" (Tian 2019), one file each.

The text that could be had of this version of the paper lost its formulas: words are the paper's, formulas are rebuilt.
The note of each source says from what; the notes that several of them share stand here.
"""

REBUILT = "words from the paper, formula rebuilt from its proof"
DERIVED = "derived here; the paper's own lemma is lost"
FROM_THE_TEXT = "formula derived from the surrounding text"

VERSION = "the version with “Finite Width and Input Dimension” in its title"
"""The version read here, whose text could be had without its formulas."""
