"""Public names of a package that are imported when first asked for (PEP 562), so that the package itself costs nothing.

The package's ``__init__`` imports the same names under ``TYPE_CHECKING``, where type checkers and editors look.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def lazy_names(
    package: str, homes: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` of ``package``, whose public names ``homes`` lists by the module that has them.

    As after ``import``, a name may be that of a submodule of its home, and ``"name as other"`` is public as ``other``.
    ``__getattr__`` raises AttributeError for names that are not listed.
    """
    entries = [(entry.split(" as "), home) for home, names in homes.items() for entry in names]
    defined_at = {parts[-1]: (home, parts[0]) for parts, home in entries}

    def getattr_of_package(name: str) -> Any:
        if name not in defined_at:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home, defined = defined_at[name]
        module = importlib.import_module(home)
        return (
            getattr(module, defined)
            if hasattr(module, defined)
            else importlib.import_module(f"{home}.{defined}")
        )

    def dir_of_package() -> list[str]:
        return sorted(defined_at)

    return getattr_of_package, dir_of_package
