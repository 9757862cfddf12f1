"""Devices by name: one rule for networks and verdicts, and no torch before a GPU is asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from luckproof import make_context, resolve_device

ASK = (
    "import sys; from nets.devices import resolve_device; print(resolve_device({!r}), 'torch' in sys.modules)"
)
BUILT_FOR_CUDA = torch.version.cuda is not None or torch.version.hip is not None
SEES_TWO = (
    "class cuda:\n    is_available, device_count = staticmethod(lambda: True), staticmethod(lambda: 2)\n"
)


def asked(name: str, *folders: Path) -> str:
    """The device and whether torch was imported, in a fresh process that looks into ``folders`` first."""
    path = os.pathsep.join([*map(str, folders), os.environ["PYTHONPATH"]])
    ask = [sys.executable, "-c", ASK.format(name)]
    return subprocess.run(
        ask, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.parametrize(("name", "imported"), [("cpu", False), ("auto", BUILT_FOR_CUDA)])
def test_only_a_search_for_cuda_imports_torch(name: str, imported: bool) -> None:
    """The package, the module and the answer ``cpu`` come without torch; ``auto`` looks where torch has CUDA."""
    assert asked(name).split()[1] == str(imported)


@pytest.mark.parametrize(
    ("version", "answer"),
    [
        ("cuda: Optional[str] = None\nhip: Optional[str] = None\n", "cpu False"),
        ("cuda: Optional[str] = '12.8'\nhip: Optional[str] = None\n", "cuda True"),
        ("cuda: Optional[str] = None\nhip: Optional[str] = '6.4'\n", "cuda True"),
        ("cuda: Optional[str] = None\n", "cuda True"),
        ("cuda =\n", "cuda True"),
        (None, "cuda True"),
    ],
    ids=["for the CPU", "for CUDA", "for HIP", "says half of it", "no Python", "no such file"],
)
def test_a_build_that_may_see_a_device_is_asked(version: str | None, answer: str, tmp_path: Path) -> None:
    """A torch that would see two devices is left alone only where its own file names neither CUDA nor HIP."""
    package = tmp_path / "torch"
    package.mkdir()
    (package / "__init__.py").write_text(SEES_TWO, encoding="utf-8")
    if version is not None:
        (package / "version.py").write_text(version, encoding="utf-8")
    assert asked("auto", tmp_path) == answer


@pytest.mark.parametrize("name", ["tpu", "cuda:", "cuda:-1", "cpu:0", "", None, 0])
def test_unknown_names_are_refused_alike(name: object) -> None:
    """By the networks' rule and by the verdicts', in the same words where it is a text."""
    wanted = "'auto', 'cpu', 'cuda' or 'cuda:N', got" if isinstance(name, str) else ".*, got"
    for ask in (resolve_device, lambda device: make_context("quick", device, 0)):
        with pytest.raises((ValueError, TypeError), match=f"^device: expected {wanted}"):
            ask(name)


def test_a_numbered_device_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """With two devices ``cuda:1`` is the last; a ``torch.device`` means its name."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve_device("auto") == "cuda"
    assert resolve_device(torch.device("cuda", 1)) == "cuda:1"
    assert make_context("quick", "cuda:1", 0).device == "cuda:1"
    with pytest.raises(ValueError, match=r"got 'cuda:2' with 2 CUDA devices present"):
        resolve_device("cuda:2")
