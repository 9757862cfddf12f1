"""Basins of attraction of W = W* in the flow of Theorem 4, proved for every number of teachers (docs/theorems.md).

``rates`` reads what ``recipe`` proved in ball arithmetic and stored; ``basin`` serves any teachers and needs
python-flint (extra ``certify``) where they are not orthonormal, exactly or to rounding.
"""
