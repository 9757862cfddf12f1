"""Statements of one's own as tests of pytest: the plugin of ``pytest --luckproof FILE``, and :func:`statement_test`.

>>> from luckproof.testing import statement_test
>>> test_mytheorem = statement_test("mytheorem.py")  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from verify.testing.plugin import pytest_addoption, pytest_configure, pytest_pycollect_makemodule

if TYPE_CHECKING:
    from verify.testing.test_function import statement_test
else:

    def __getattr__(name: str) -> Any:
        """:func:`statement_test`, imported when first asked for: every run of pytest loads this module."""
        if name == "statement_test":
            return importlib.import_module("verify.testing.test_function").statement_test
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["pytest_addoption", "pytest_configure", "pytest_pycollect_makemodule", "statement_test"]
