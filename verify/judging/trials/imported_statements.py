"""Brings the papers' statements where it is imported: in a server that forks the processes that judge them."""

from __future__ import annotations

from verify.judging.registry import registered

registered()
