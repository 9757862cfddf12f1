"""The basin of Theorem 5's solution, where fan-outs move too and irrelevant nodes die out (docs/theorems.md)."""
