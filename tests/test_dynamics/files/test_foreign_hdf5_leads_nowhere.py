"""A file of others may neither lead to other files nor unpack to more than the memory holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from dynamics.files import foreign_hdf5
from luckproof import Trajectory


def external_storage(file: h5py.File) -> None:
    file.create_dataset("W", shape=(4,), dtype="f8", external=[("/etc/passwd", 0, 32)])


def external_link(file: h5py.File) -> None:
    file["W"] = h5py.ExternalLink("/etc/other.h5", "/W")


def soft_link(file: h5py.File) -> None:
    file["W"] = h5py.SoftLink("/W")


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout(shape=(4,), dtype="f8")
    layout[:] = h5py.VirtualSource("/etc/other.h5", "W", shape=(4,))
    file.create_virtual_dataset("W", layout)


def circle_of_groups(file: h5py.File) -> None:
    group = file.create_group("a")
    group["a"] = group


def enormous(file: h5py.File) -> None:
    file.create_dataset("W", shape=(10**9, 10**6), dtype="f8", chunks=(1, 1000), compression="gzip")


def many_large(file: h5py.File) -> None:
    for number in range(40):
        file.create_dataset(f"W{number}", shape=(10**9,), dtype="f8", chunks=(10**6,))


def texts_that_repeat(file: h5py.File) -> None:
    file.attrs.create("texts", ["x" * 10**6] * 4, dtype=h5py.string_dtype())


def references(file: h5py.File) -> None:
    file.create_dataset("W", data=[file.ref], dtype=h5py.ref_dtype)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (external_storage, "the numbers of 'W' lie in another file"),
        (external_link, "'W' is a link to elsewhere"),
        (soft_link, "'W' is a link to elsewhere"),
        (virtual, "the numbers of 'W' lie in another file"),
        (circle_of_groups, "'a' is a group, expected arrays alone"),
        (enormous, "its arrays take .* GiB and more"),
        (many_large, "its arrays take .* GiB and more"),
        (references, "'W' holds neither numbers nor a list of texts"),
    ],
)
def test_the_outline_is_checked_before_any_number_is_read(
    tmp_path: Path, made: Callable[[h5py.File], None], words: str
) -> None:
    """One line that names the file and what is wrong with it."""
    path = tmp_path / "foreign.nc"
    with h5py.File(path, "w") as file:
        file.attrs["format"] = "luckproof trajectory 2"
        made(file)
    with pytest.raises(
        ValueError, match=rf"^path: cannot read .*foreign\.nc' as NetCDF-4: {words}"
    ) as caught:
        Trajectory.load(path)
    assert "\n" not in str(caught.value)


def test_texts_count_as_often_as_they_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of attributes may name one long text many times, and so may an array."""
    monkeypatch.setattr(foreign_hdf5, "available_memory", lambda: 10**7)
    path = tmp_path / "foreign.nc"
    with h5py.File(path, "w") as file:
        texts_that_repeat(file)
    with open(path, "rb") as opened, pytest.raises(ValueError, match="its arrays take"):
        _ = foreign_hdf5.check(opened)
    with h5py.File(path, "w") as file:
        file.create_dataset("labels", data=["x" * 10**5] * 100, dtype=h5py.string_dtype())
    with open(path, "rb") as opened, pytest.raises(ValueError, match="its arrays take"):
        foreign_hdf5.check(opened)
    with h5py.File(path, "w") as file:  # control: shorter ones pass
        file.create_dataset("labels", data=["x" * 10**3] * 100, dtype=h5py.string_dtype())
        file.attrs["numbers"] = np.arange(3)
    with open(path, "rb") as opened:
        foreign_hdf5.check(opened)
