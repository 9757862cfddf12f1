"""Outside their room nobody asks which measure it is: measures are asked what they know."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[3]
CONCRETE = {
    "AnisotropicGaussian",
    "BiasedGaussian",
    "EmpiricalMeasure",
    "GaussianMixture",
    "IsotropicGaussian",
    "LeakyKernels",
    "UniformSphere",
}


def questions(source: str) -> list[int]:
    """Lines of ``isinstance`` and ``issubclass`` calls and ``match`` cases that name a concrete measure."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        asks = isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"isinstance", "issubclass"}
        if asks or isinstance(node, ast.MatchClass):
            named = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
            named |= {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
            if named & CONCRETE:
                lines.append(getattr(node, "lineno", 0))
    return lines


def test_no_module_dispatches_on_concrete_measures() -> None:
    """A derived measure would be taken for its base there, whatever it overrides."""
    asking = {
        str(path.relative_to(ROOT)): lines
        for package in ("dynamics", "nets", "verify", "luckproof")
        for path in (ROOT / package).rglob("*.py")
        if (ROOT / "dynamics" / "measures") not in path.parents and (lines := questions(path.read_text()))
    }
    assert not asking


def test_a_question_is_found() -> None:
    """The check can fail."""
    assert questions("if isinstance(m, (int, measures.IsotropicGaussian)):\n    pass") == [1]
    assert questions("match m:\n    case BiasedGaussian():\n        pass") == [2]
