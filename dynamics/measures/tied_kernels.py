"""``kernels``, ``psi_l`` and ``psi_d`` of a measure agree, whichever of them a subclass overrides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dynamics.arrays import Array
from dynamics.overrides import definition_rank

PARTS = ("psi_l", "psi_d")
"""The two kernels, in the order in which ``kernels`` returns them."""

Kernels = Callable[[Any, Any, Any], tuple[Array, Array]]
Kernel = Callable[[Any, Any, Any], Array]


def tie_kernels(cls: type) -> None:
    """Give ``cls`` the ones of ``kernels``, ``psi_l``, ``psi_d`` that follow from what it overrides.

    A new ``kernels`` gives both parts; a new part takes its place in ``kernels``, the other part staying as inherited.
    Overrides in one class are taken as they are. Each function made here calls the definition it follows from by its
    class, so that ``super()`` in an override never leads back to that override.
    """
    whole = definition_rank(cls, "kernels")
    rank = {part: definition_rank(cls, part) for part in PARTS}
    newer = [part for part in PARTS if rank[part] < whole]
    if newer:
        inherited = None if len(newer) == len(PARTS) else vars(cls.__mro__[whole])["kernels"]
        if not getattr(inherited, "__isabstractmethod__", False):
            _install(cls, "kernels", _kernels_with(inherited, newer))
    else:
        for index, part in enumerate(PARTS):
            if rank[part] > whole:
                _install(cls, part, _part_of(cls.__mro__[whole], index))


def _kernels_with(inherited: Kernels | None, newer: list[str]) -> Kernels:
    def kernels(self: Any, A: Any, B: Any) -> tuple[Array, Array]:
        rest = () if inherited is None else inherited(self, A, B)
        psi_l, psi_d = (
            getattr(self, part)(A, B) if part in newer else rest[index] for index, part in enumerate(PARTS)
        )
        return psi_l, psi_d

    return kernels


def _part_of(holder: Any, index: int) -> Kernel:
    def part(self: Any, A: Any, B: Any) -> Array:
        return holder.kernels(self, A, B)[index]  # type: ignore[no-any-return]  # looked up by name in any class

    return part


def _install(cls: type, name: str, function: Callable[..., Any]) -> None:
    function.__name__, function.__qualname__ = name, f"{cls.__qualname__}.{name}"
    function.__doc__ = getattr(cls, name).__doc__
    setattr(cls, name, function)
