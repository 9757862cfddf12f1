"""``luckproof figure --scheduler``: refused where there is nothing to hand over, or nobody to take it."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["luckmatters.gaus-fc"],
            "--scheduler: luckmatters.gaus-fc has no runs that could be trained elsewhere",
        ),
        (["specialization.9"], "--scheduler: no Dask scheduler answers at 'tcp://127.0.0.1:9'"),
    ],
)
def test_a_figure_that_cannot_be_made_elsewhere_is_refused(words, told, tmp_path, monkeypatch, capsys):
    """Before anything is trained."""
    from dynamics.workers import dask_workers
    from verify.command.main import run

    monkeypatch.setattr(dask_workers, "PATIENCE", "1s")
    where = ["--scheduler", "tcp://127.0.0.1:9", "--out", str(tmp_path)]
    assert run(["figure", *words, *where]) == 2
    assert told in capsys.readouterr().err.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []
