"""The second walk: 500 runs from a TOML file on Dask; worker killed, driver stopped, resumed, collected, drawn."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

from dynamics.files import netcdf
from tests.e2e.commands import REAL, command, environment
from tests.e2e.dask_cluster import Cluster
from tests.e2e.test_command_sweeps import started, until
from tests.test_verify.sweeps.small_sweeps import files

CONFIGURATION = """
command = "simulate"
[base]
flow = "projected"
d = 6
t_end = 40
points = 21
[grid]
m = [2, 4]
theta0 = "0.1:1.0:10"
seed = "0:25"
"""
POINTS = 500

PICTURE = """
import xarray as xr
data = xr.load_dataset("all.nc", engine="h5netcdf")
mean = data["angle"].max("teacher").mean("seed").sel(m=4)
mean.plot.line(x="time", hue="theta0", yscale="log")
plt.savefig("angles.png")
"""
"""What a user types; ``plt`` is Matplotlib's."""


@pytest.fixture
def cluster(tmp_path):
    """A scheduler and two workers, ended for certain."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    made = Cluster(folder)
    yield made
    made.end()


@pytest.mark.soak
def test_five_hundred_points_overnight(cluster, tmp_path):
    """Nothing is lost to a killed worker or a stopped driver; the files are those of runs made one by one."""
    (tmp_path / "night.toml").write_text(CONFIGURATION)
    out, words = tmp_path / "night", ("night.toml", "--out", "night", "--scheduler", cluster.address)
    tried = command("sweep", "night.toml", "--out", "night", "--dry-run", program=REAL, cwd=tmp_path)
    assert re.match(r"500 points\b", tried.stdout), tried.stdout + tried.stderr
    assert not out.exists()

    driver = started(*words, cwd=tmp_path)
    until(60, out, driver)
    os.kill(cluster.workers[0].pid, signal.SIGKILL)
    until(len(files(out)) + 60, out, driver)
    os.kill(driver.pid, signal.SIGINT)
    _, complaint = driver.communicate(timeout=100)
    assert driver.returncode == 130, complaint
    kept = files(out)
    assert 120 <= len(kept) < POINTS
    status = command("sweep", "--status", "night", program=REAL, cwd=tmp_path)
    assert f"500 points: {len(kept)} done, 0 failed, {POINTS - len(kept)} pending" in status.stdout

    rest = command("sweep", *words, program=REAL, cwd=tmp_path)
    assert (rest.returncode, rest.stderr) == (0, "")
    assert rest.stdout == f"500 points: 500 done, 0 failed; {POINTS - len(kept)} computed now\n"
    assert kept.items() <= files(out).items()

    collected = command("sweep", "--collect", "night", "--to", "all.nc", program=REAL, cwd=tmp_path)
    assert collected.stdout == "500 of 500 points written: all.nc\n"
    data = netcdf.read(tmp_path / "all.nc")
    assert dict(data.sizes) | {"m": 2, "theta0": 10, "seed": 25, "time": 21} == dict(data.sizes)
    for m, theta0, seed in ((2, 0.1, 0), (4, 0.5, 7), (4, 1.0, 24)):
        swept = data.sel(m=m, seed=seed).sel(theta0=theta0, method="nearest")
        options = {"m": m, "theta0": float(swept["theta0"]), "seed": seed, "d": 6, "t-end": 40, "points": 21}
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        alone = command(
            "simulate", "--flow", "projected", *words, "--out", "one.nc", program=REAL, cwd=tmp_path
        )
        assert alone.returncode == 0, alone.stderr
        np.testing.assert_array_equal(swept["loss"], netcdf.read(tmp_path / "one.nc")["loss"])
    drawn = "import matplotlib\nmatplotlib.use('Agg')\nimport matplotlib.pyplot as plt" + PICTURE
    subprocess.run([sys.executable, "-c", drawn], cwd=tmp_path, env=environment(), check=True)
    assert (tmp_path / "angles.png").stat().st_size > 10_000
    assert len(PICTURE.strip().splitlines()) == 5
