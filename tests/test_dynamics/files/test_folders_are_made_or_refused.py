"""A folder to write into is made where it is missing, links are followed, and anything else in its place is told."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from dynamics.files.folders import prepare_folder


def test_missing_folders_are_made_and_others_kept(tmp_path: Path) -> None:
    """Several levels at once; what is in one that is there stays."""
    prepare_folder("--out", tmp_path / "a" / "b" / ("c" * 200))
    assert (tmp_path / "a" / "b" / ("c" * 200)).is_dir()
    (tmp_path / "a" / "kept").write_text("x")
    prepare_folder("--out", str(tmp_path / "a"))
    assert (tmp_path / "a" / "kept").read_text() == "x"


def test_a_link_is_followed(tmp_path: Path) -> None:
    """To a folder, and to where nothing stands yet: the link stays a link."""
    (tmp_path / "link").symlink_to("target")
    (tmp_path / "far").symlink_to(tmp_path / "one" / "two")
    for name, target in (("link", "target"), ("far", "one/two"), ("link", "target")):
        prepare_folder("--out", tmp_path / name)
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / target).is_dir()


def test_what_is_no_folder_is_refused_by_its_kind(tmp_path: Path) -> None:
    """In a line that names the argument; nothing is made."""
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "to-file").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "socket"))
    server.close()
    before = sorted(os.listdir(tmp_path))
    for folder, words in [
        (tmp_path / "file", "expected a folder, got the file"),
        (tmp_path / "to-file", "expected a folder, got the file"),
        (tmp_path / "pipe", "expected a folder, got the pipe"),
        (tmp_path / "socket", "expected a folder, got the socket"),
        ("/dev/null", "expected a folder, got the device"),
        (tmp_path / "loop", "is a circle of links"),
        (tmp_path / "file" / "below", "lies below something that is no folder"),
        (tmp_path / ("a" * 300), "is too long a name"),
        (tmp_path / "new" / ("a" * 300), "cannot be made: File name too long"),
        ("/proc/nothing", "cannot be made"),
        ("s3://bucket/runs", "expected a file on this machine, got the address"),
        ("a\0b", "cannot be looked at"),
    ]:
        with pytest.raises(ValueError, match=rf"^--out: .*{words}") as caught:
            prepare_folder("--out", folder)
        assert "\n" not in str(caught.value)
    assert sorted(os.listdir(tmp_path)) in (before, sorted([*before, "new"]))
