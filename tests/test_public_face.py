"""The public names: light to import, all there, documented, the same at every door; tests and documents use them."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import luckproof
from dynamics.version import project_version

ROOT = Path(__file__).parents[1]
PACKAGES = ("dynamics", "nets", "verify")
PUBLIC = {name: getattr(luckproof, name) for name in luckproof.__all__}

OFFERED_MODULES = [value for value in PUBLIC.values() if isinstance(value, ModuleType)]


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Module and name of every ``from module import name``, those inside functions included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)


def is_deep(module: str) -> bool:
    """Past the public face: a module inside one of the packages."""
    return (
        module.partition(".")[0] in (*PACKAGES, "luckproof")
        and "." in module
        and module != "luckproof.testing"
    )


def test_import_is_light() -> None:
    """Under 0.1 s of processor time, and nothing heavy: the names are imported when they are asked for."""
    check = (
        "import sys, time; start = time.process_time(); import luckproof; dir(luckproof)\n"
        "print(time.process_time() - start, *{'numpy', 'scipy', 'torch', 'matplotlib', 'xarray', 'hypothesis'} "
        "& set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    seconds, *heavy = done.stdout.split()
    assert heavy == []
    assert float(seconds) < 0.1


def test_a_flow_is_integrated_without_torch() -> None:
    """Names of ``dynamics`` bring no network side along."""
    check = (
        "import sys; from luckproof import TeacherStudent, integrate, teachers; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_version_has_one_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the distribution is that of ``pyproject.toml``, where a checkout that was never installed finds it."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert luckproof.__version__ == declared
    assert f"\nversion: {declared}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")

    def not_installed(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", not_installed)
    assert project_version.__wrapped__() == declared


def test_unknown_names_are_attribute_errors() -> None:
    """As of any module, and ``dir`` lists what there is."""
    for package in map(importlib.import_module, ("luckproof", *PACKAGES)):
        with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'trajectry'"):
            package.trajectry  # noqa: B018
        assert set(package.__all__) <= set(dir(package))


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_offers_what_the_porch_does(package: str) -> None:
    """``luckproof.X`` is ``dynamics.X``, ``nets.X`` or ``verify.X``; no package offers more, and none the same name."""
    offered = importlib.import_module(package).__all__
    assert [
        name for name in offered if PUBLIC.get(name) is not getattr(importlib.import_module(package), name)
    ] == []
    others = {
        name for other in PACKAGES if other != package for name in importlib.import_module(other).__all__
    }
    assert set(offered) == set(PUBLIC) - others
    assert not set(offered) & others


@pytest.mark.parametrize("package", PACKAGES)
def test_type_checkers_see_the_same_names_from_the_same_homes(package: str) -> None:
    """The imports under TYPE_CHECKING are those made on first use."""
    tree = parsed(ROOT / package / "__init__.py")
    (branch,) = [node for node in tree.body if isinstance(node, ast.If)]
    typed = {
        alias.asname or alias.name: (node.module, alias.name)
        for node in branch.body
        if isinstance(node, ast.ImportFrom) and node.module and is_deep(node.module)
        for alias in node.names
    }
    (table,) = [node for node in ast.walk(branch) if isinstance(node, ast.Dict)]
    homes: dict[str, list[str]] = ast.literal_eval(table)
    lazy = {
        entry.split(" as ")[-1]: (home, entry.split(" as ")[0]) for home in homes for entry in homes[home]
    }
    lazy.pop("statements", None)  # a mapping that the registry makes, not an import
    assert typed == lazy


def documented(name: str, value: Any) -> bool:
    """A docstring of its own or, for data, the string under its assignment."""
    if name == "statements":
        return "``statements``" in str(sys.modules["verify"].__doc__)
    if isinstance(value, type | ModuleType) or hasattr(value, "__code__"):
        text = value.__dict__.get("__doc__") if isinstance(value, type) else value.__doc__
        return bool(text) and not text.startswith(f"{name}(")  # what a dataclass makes up is no docstring
    return any(
        name in ast.unparse(assigned).partition("=")[0] and isinstance(said, ast.Expr)
        for module in list(sys.modules.values())
        if getattr(module, "__name__", "").startswith(PACKAGES) and vars(module).get(name) is value
        for assigned, said in pairwise(parsed(Path(module.__file__)).body)
    )


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_documented(name: str) -> None:
    """What a reader finds with ``help``."""
    assert documented(name, PUBLIC[name])


def test_documents_and_examples_import_public_names_only() -> None:
    """README, docs and examples: from ``luckproof`` or the package roots, never deeper."""
    pages = [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]
    blocks = [
        block
        for page in pages
        for block in re.findall(
            r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        )
    ]
    scripts = [path.read_text(encoding="utf-8") for path in ROOT.glob("examples/**/*.py")]
    assert blocks
    imported = [found for text in blocks + scripts for found in imports_of(ast.parse(text))]
    assert [(module, name) for module, name in imported if is_deep(module)] == []


def is_public(module: ModuleType, name: str) -> bool:
    """Whether ``luckproof`` offers the object, or the module it is taken from (``teachers``)."""
    offered = PUBLIC.get(name)
    return (offered is not None and getattr(module, name, None) is offered) or module in OFFERED_MODULES


def test_tests_import_public_names_from_the_public_face() -> None:
    """Tests of private parts import deeper; where a name is public, its home is not theirs to know."""
    past = [
        f"{path.relative_to(ROOT)}: from {module} import {name}"
        for path in ROOT.glob("tests/**/*.py")
        for module, name in imports_of(parsed(path))
        if is_deep(module) and is_public(importlib.import_module(module), name)
    ]
    assert past == []
