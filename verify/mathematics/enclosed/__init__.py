"""Closed forms of the statements in ball arithmetic: kernels, constants, margins, and proofs by subdivision."""
