"""A file that is not as it was written is refused by name, with what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from dynamics.files.checksums import LENGTH
from luckproof import DamagedFileError, Trajectory, UncheckedFileWarning
from tests.test_dynamics.files.small_runs import small_run


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    path = tmp_path / "run.nc"
    small_run().save(path)
    return path


def refused(path: Path) -> None:
    """One sentence with the path, what is wrong, and the remedy; never numbers."""
    with pytest.raises(DamagedFileError) as caught:
        Trajectory.load(path)
    words = str(caught.value)
    assert str(path) in words
    assert "checksum" in words
    assert "take it from a copy, or remove it and make it again" in words
    assert "\n" not in words


def test_the_undamaged_file_is_read(run_file: Path) -> None:
    """Control: without damage the same reading gives the run, silently."""
    assert np.array_equal(Trajectory.load(run_file).state["W"], small_run().state["W"])


def test_every_flipped_bit_is_seen(run_file: Path) -> None:
    """400 bits over the whole file, numbers, names and padding alike, and every byte of the last line."""
    whole = run_file.read_bytes()
    rng = np.random.default_rng(0)
    places = [*rng.integers(len(whole), size=400).tolist(), *range(len(whole) - LENGTH, len(whole))]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        run_file.write_bytes(damaged)
        refused(run_file)


@pytest.mark.parametrize("sector", [512, 4096])
def test_every_zeroed_sector_is_seen(run_file: Path, sector: int) -> None:
    """As a failing disk or a half-written page leaves it."""
    whole = run_file.read_bytes()
    for start in range(0, len(whole), sector):
        damaged = bytearray(whole)
        damaged[start : start + sector] = bytes(len(damaged[start : start + sector]))
        if damaged == whole:
            continue
        run_file.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"run\.nc"):
            Trajectory.load(run_file)


def rewrite_a_number(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file["W"][0, 0, 0, 0] += 1.0


def rewrite_an_attribute(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.attrs["seed"] = 4


def add_an_attribute(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.attrs["note"] = "mine"


def append_a_line(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def cut_the_checksum(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-LENGTH])


def copy_by_xarray(path: Path) -> None:
    with xr.open_dataset(path, engine="h5netcdf") as found:
        copy = found.load()
    copy.to_netcdf(path, engine="h5netcdf")


@pytest.mark.parametrize(
    "change",
    [
        rewrite_a_number,
        rewrite_an_attribute,
        add_an_attribute,
        append_a_line,
        cut_the_checksum,
        copy_by_xarray,
    ],
)
def test_changes_by_other_programs_are_seen(run_file: Path, change: Callable[[Path], None]) -> None:
    """Whatever opened the file and wrote to it: its checksum is wrong or gone."""
    change(run_file)
    refused(run_file)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.9, 0.999])
def test_files_cut_short_are_seen(run_file: Path, share: float) -> None:
    """At any length."""
    whole = run_file.read_bytes()
    run_file.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match=r"run\.nc"):
        Trajectory.load(run_file)


def test_other_readers_take_no_notice_of_the_checksum(run_file: Path) -> None:
    """xarray and h5py read the file as any other."""
    with xr.open_dataset(run_file, engine="h5netcdf") as found:
        assert np.array_equal(found["W"].to_numpy().reshape(6, 2, 4, 3), small_run().state["W"])
    with h5py.File(run_file) as file:
        assert file["W"].shape == (6, 2, 4, 3)


def test_the_same_run_gives_the_same_bytes(run_file: Path, tmp_path: Path) -> None:
    """No date, no random name in the file."""
    small_run().save(tmp_path / "again.nc")
    assert (tmp_path / "again.nc").read_bytes() == run_file.read_bytes()


def test_files_without_our_checksum_say_so(tmp_path: Path) -> None:
    """One from before there were checksums is read, with a warning that names it."""
    path = tmp_path / "old.nc"
    small_run().to_xarray().to_netcdf(path, engine="h5netcdf")
    with pytest.warns(UncheckedFileWarning, match=r"old\.nc carries no checksum of luckproof's"):
        assert Trajectory.load(path).nfev == 12


def test_a_success_that_is_not_finite_needs_a_checksum(tmp_path: Path) -> None:
    """A file that nothing vouches for may not call NaN a success."""
    run = small_run(state={"W": np.full((6, 2, 4, 3), np.nan)})
    path = tmp_path / "old.nc"
    run.to_xarray().to_netcdf(path, engine="h5netcdf")
    with pytest.warns(UncheckedFileWarning), pytest.raises(ValueError, match="its state holds NaN or Inf"):
        Trajectory.load(path)
    run.save(path)
    assert not Trajectory.load(path).success
