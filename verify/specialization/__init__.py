"""Every numbered item of "Student Specialization" (Tian 2019), one file each.

The text that could be had of this version of the paper lost its formulas: words are the paper's, formulas are rebuilt.
The note of each source says from what; the notes that several of them share stand here. Forms whose formula is lost are
readings: another reading may fare differently.
"""

REBUILT = "words of the paper; the text at hand lost the formula, which is our reading"
DERIVED = "derived here; the paper's own lemma is lost"
FROM_THE_TEXT = (
    "the text at hand lost the formula, which is derived here from the words around it: our reading"
)

VERSION = "the version with “Finite Width and Input Dimension” in its title"
"""The version read here, whose text could be had without its formulas."""
