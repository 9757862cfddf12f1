"""What the README shows is what runs: its Python blocks one after the other, in one namespace and an empty folder."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

README = Path(__file__).parents[2] / "README.md"


def test_python_blocks_run_in_order(tmp_path, monkeypatch, capsys):
    """They run as they stand, and the flow, the deep flow and the networks end where the comments say."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(
        r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert len(blocks) == 6
    shared: dict[str, object] = {}
    for block in blocks[:3]:
        exec(block, shared)
    assert shared["run"].observables["sin_theta"][-1].max() < 3e-12
    assert shared["verdict"].as_expected
    assert (tmp_path / "run.nc").exists()
    assert capsys.readouterr().out.count("0.865") == 1
    for block in blocks[3:]:
        exec(block, shared)
    assert shared["run"].success
    assert shared["trained"].success
    assert np.all(shared["trained"].observables["sin_theta"][-1] < 1e-6)
