"""Links are followed, modes kept, pipes and devices written to; what cannot be written is refused by name."""

from __future__ import annotations

import os
import re
import socket
import stat
import tempfile
import threading
from pathlib import Path

import pytest

from dynamics.files.places import check_readable, check_writable, same_place
from dynamics.files.writing import write_atomically
from luckproof import Trajectory
from tests.test_dynamics.files.small_runs import small_run

NOBODY = 65534


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_followed(tmp_path: Path, there: bool) -> None:
    """Through a chain into another folder, to a file that is there or one that is yet to come."""
    (tmp_path / "far").mkdir()
    target = tmp_path / "far" / "run.nc"
    if there:
        target.write_text("old")
    (tmp_path / "middle").symlink_to("far/run.nc")
    (tmp_path / "link").symlink_to(tmp_path / "middle")
    small_run().save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "middle").is_symlink()
    assert not target.is_symlink()
    assert Trajectory.load(tmp_path / "link").nfev == 12
    assert os.listdir(tmp_path / "far") == ["run.nc"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755, 0o666])
def test_the_mode_of_an_older_file_is_kept(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "page.html"
    path.write_text("old")
    path.chmod(mode)
    write_atomically(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.read_text() == "new"


def test_the_owner_of_an_older_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("old")
    if os.geteuid() != 0:
        pytest.skip("only root may give files away")
    os.chown(path, 65534, 65534)
    write_atomically(path, "new")
    assert (path.stat().st_uid, path.stat().st_gid) == (65534, 65534)


def test_a_pipe_gets_the_whole_content(tmp_path: Path) -> None:
    """And is a pipe afterwards."""
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    small_run().save(pipe)
    reader.join(timeout=20)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    (tmp_path / "copy.nc").write_bytes(got[0])
    assert Trajectory.load(tmp_path / "copy.nc").nfev == 12


def test_a_pipe_without_reader_is_an_error_and_no_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dynamics.files.writing.READER_SECONDS", 0.1)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="nobody reads it"):
        write_atomically(tmp_path / "pipe", "text")


def test_devices_are_written_to(tmp_path: Path) -> None:
    """``/dev/null`` takes it and stays a device; ``/dev/full`` is a full disk."""
    before = os.stat("/dev/null")
    small_run().save("/dev/null")
    (tmp_path / "link").symlink_to("/dev/null")
    small_run().save(tmp_path / "link")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert os.stat("/dev/null").st_ino == before.st_ino
    with pytest.raises(OSError, match=r"No space left on device.*'/dev/full'"):
        small_run().save("/dev/full")


def test_an_open_descriptor_is_written_to_where_it_stands(tmp_path: Path) -> None:
    """``/dev/fd/N``: behind what was written before, and what comes after follows."""
    with open(tmp_path / "out", "w+b", buffering=0) as file:
        file.write(b"before ")
        write_atomically(f"/dev/fd/{file.fileno()}", "now ")
        file.write(b"after")
    assert (tmp_path / "out").read_bytes() == b"before now after"
    with open(tmp_path / "out", "rb") as file, pytest.raises(ValueError, match="open for reading alone"):
        check_writable("--out", f"/dev/fd/{file.fileno()}")
    with pytest.raises(ValueError, match=r"^--out: /dev/fd/9999 is not open"):
        check_writable("--out", "/dev/fd/9999")


@pytest.mark.parametrize("name", ["a" * 255, "ü" * 127, "a b\n c", "-rf", "run.nc.tmp", "…" * 85])
def test_any_legal_name_can_be_written(tmp_path: Path, name: str) -> None:
    """Up to the longest that the file system takes: the temporary name does not grow with it."""
    write_atomically(tmp_path / name, "text")
    write_atomically(tmp_path / name, "new")
    assert (tmp_path / name).read_text() == "new"
    assert len(os.listdir(tmp_path)) == 1


def test_what_cannot_be_written_is_refused_by_name(tmp_path: Path) -> None:
    """Each in one line that begins with the argument, before anything is opened."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "astray").symlink_to(tmp_path / "nowhere" / "run.nc")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "socket"))
    for path, words in [
        (tmp_path, "expected a file to write, got the folder"),
        (tmp_path / "nowhere" / "run.nc", r"the folder .*nowhere does not exist"),
        (tmp_path / "astray", r"the folder .*nowhere does not exist"),
        (tmp_path / "file" / "run.nc", "is no folder"),
        (tmp_path / "loop", "is a circle of links"),
        (tmp_path / ("a" * 256), "is too long a name"),
        (tmp_path / "socket", "expected a file to write, got the socket"),
        ("https://example.org/run.nc", r"expected a file on this machine, got the address 'https:/"),
        ("s3://bucket/run.nc", r"expected a file on this machine"),
        ("run\x00.nc", "null"),
    ]:
        with pytest.raises(ValueError, match=rf"^--out: .*{words}") as caught:
            check_writable("--out", path)
        assert "\n" not in str(caught.value)
    server.close()
    assert sorted(os.listdir(tmp_path)) == ["astray", "file", "loop", "socket"]


def refusal(path: Path) -> str:
    """What ``check_writable`` says of a path to a user to whom nothing belongs; empty where it may be written to."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            check_writable("--out", path)
        except BaseException as error:
            os.write(writing, str(error).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with open(reading, encoding="utf-8") as said:
        return said.read()


def test_write_protection_is_respected() -> None:
    """Of a file and of a folder; for root, to whom nothing is protected, as another user."""
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders may not be entered by others
        folder = Path(name)
        (folder / "run.nc").write_text("old")
        (folder / "free").write_text("old")
        (folder / "run.nc").chmod(0o444)
        (folder / "free").chmod(0o666)
        folder.chmod(0o777)
        assert re.match(r"--out: .*run\.nc is write-protected$", refusal(folder / "run.nc"))
        assert refusal(folder / "new.nc") == refusal(folder / "free") == ""
        folder.chmod(0o555)
        assert re.match(r"--out: the folder .* is not writable$", refusal(folder / "new.nc"))
        folder.chmod(0o755)


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    """A device without end, a pipe without writer, an address: refused, never waited for."""
    os.mkfifo(tmp_path / "pipe")
    for path, words in [
        ("/dev/zero", "expected a regular file, got a device"),
        (tmp_path / "pipe", "expected a regular file, got a pipe"),
        (tmp_path, "expected a regular file, got a folder"),
        (tmp_path / "none", "no such file"),
        ("http://example.org/run.nc", "got the address"),
    ]:
        with pytest.raises(ValueError, match=rf"^path: .*{words}"):
            check_readable("path", path)
        with pytest.raises(ValueError, match=rf"^path: .*{words}"):
            Trajectory.load(path)


def test_one_place_by_two_paths_is_seen(tmp_path: Path) -> None:
    """By links to a file, to a folder, and by dots; hard links are the same file too."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "a").write_text("")
    (tmp_path / "b").symlink_to("a")
    os.link(tmp_path / "a", tmp_path / "c")
    (tmp_path / "way").symlink_to("folder")
    assert same_place(tmp_path / "a", tmp_path / "b")
    assert same_place(tmp_path / "a", tmp_path / "c")
    assert same_place(tmp_path / "way" / "new", tmp_path / "folder" / "." / "new")
    assert not same_place(tmp_path / "a", tmp_path / "new")
