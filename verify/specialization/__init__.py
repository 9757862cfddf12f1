"""Every numbered item of "Student Specialization" (Tian 2019), one file each.

The text that could be had of this version of the paper lost its formulas: words are the paper's, formulas are rebuilt.
The note of each source says from what; the two notes that most of them share stand here.
"""

REBUILT = "words from the paper, formula rebuilt from its proof"
DERIVED = "derived here; the paper's own lemma is lost"
