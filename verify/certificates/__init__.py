"""Certificates: proofs, checked by machine, of where one trajectory goes.

``certify`` produces them in floating point; ``checker`` proves them in ball arithmetic and stands alone: it imports
nothing of this project, and reading it (with docs/theorems.md) is enough to trust a certificate.
"""
