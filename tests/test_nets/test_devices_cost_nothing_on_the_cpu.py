"""Devices by name: one rule for networks and verdicts, and no torch before a GPU is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from luckproof import make_context, resolve_device

ASK = (
    "import sys; from nets.devices import resolve_device; resolve_device({!r}); print('torch' in sys.modules)"
)


@pytest.mark.parametrize(("name", "imported"), [("cpu", "False"), ("auto", "True")])
def test_only_a_search_for_cuda_imports_torch(name: str, imported: str) -> None:
    """The package, the module and the answer ``cpu`` come without torch; ``auto`` has to look."""
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(name)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == imported


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
