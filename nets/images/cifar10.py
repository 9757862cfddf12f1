"""CIFAR-10 from its binary version, which holds no code: known by size and hash, read with NumPy alone.

Source of the layout, the sizes and the archive's MD5: https://www.cs.toronto.edu/~kriz/cifar.html
(A. Krizhevsky, 2009). Its SHA-256 is the one that other loaders of the same archive check (TorchVision for Ruby,
MLDatasets.jl); the MD5 of the six files are those on which independent build scripts agree.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from dynamics.boundary import checked
from dynamics.validation import shown
from nets.images.labelled_images import ImageTask, LabelledImages

SHAPE = (3, 32, 32)
"""One image: planes red, green, blue of 32 rows; a record is its label, one byte, and these 3,072 bytes."""

CLASSES = 10
ARCHIVE = "cifar-10-binary.tar.gz"
FOLDER = "cifar-10-batches-bin"
"""The folder inside the archive."""

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Edition:
    """What the files must be: sizes and hashes. ``md5``: of each batch by file name, the test batch last."""

    md5: Mapping[str, str]
    archive_bytes: int
    archive_sha256: str
    images: int = 10_000

    @property
    def batch_bytes(self) -> int:
        return self.images * (1 + int(np.prod(SHAPE)))


OFFICIAL = Edition(
    md5=MappingProxyType(
        {
            "data_batch_1.bin": "5dd7e06a14cb22eb9f671a540d1b7c25",
            "data_batch_2.bin": "5ea93a67294ea407fff1d09f752e9692",
            "data_batch_3.bin": "942cd6a4bcdd0dd3c604fbe906cb4421",
            "data_batch_4.bin": "ae636b3ba5c66a11e91e8cb52e771fcb",
            "data_batch_5.bin": "53f37980c15c3d472c316c40844f3f0d",
            "test_batch.bin": "803d5f7f4d78ea53de84dbe85f74fb6d",
        }
    ),
    archive_bytes=170_052_171,
    archive_sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
)


@checked
def load_cifar10(folder: str | Path, edition: Edition = OFFICIAL) -> ImageTask:
    """The 50,000 training and 10,000 test images of CIFAR-10's binary version.

    Batches that are there are read; otherwise the archive is, without unpacking it to disk. Every file is checked by
    size, then by hash; the classes must be balanced. The Python version of the data is made of pickles and is never
    opened.

    Args:
        folder: holds the six batches, the folder of them, or the archive.
        edition: what the files must be.
    Raises:
        ValueError: naming the file: a missing folder or file, a wrong size or hash, or the Python version.
    Cost: about 1 s and 400 MB.
    """
    root = Path(folder)
    if not str(folder) or not os.path.isdir(root):
        raise ValueError(f"folder: expected a folder with {ARCHIVE} or its batches, got {shown(str(folder))}")
    batches = dict(_batches(root, edition))
    *training, test = (_parse(batches[name]) for name in edition.md5)
    train = LabelledImages(
        np.concatenate([part.images for part in training]), np.concatenate([part.labels for part in training])
    )
    _check_balance("train", train)
    _check_balance("test", test)
    return ImageTask("cifar10", train, test, CLASSES)


def _batches(root: Path, edition: Edition) -> Iterator[tuple[str, bytes]]:
    """Name and checked content of every batch."""
    for place in (root, root / FOLDER):
        if any((place / name).is_file() for name in edition.md5):
            for name in edition.md5:
                if not (place / name).is_file():
                    raise ValueError(f"folder: {place} has other batches but no {name}")
                yield name, _checked(place / name, edition)
            return
    if not (root / ARCHIVE).is_file():
        raise ValueError(
            f"folder: expected {ARCHIVE} or data_batch_1.bin in {shown(str(root))}, got {_found(root)}"
        )
    yield from _archived(root / ARCHIVE, edition)


def _found(root: Path) -> str:
    """What is in the folder instead, in a few words."""
    pickled = ("data_batch_1", "cifar-10-batches-py", "cifar-10-python.tar.gz")
    places = (root, root / FOLDER, root / "cifar-10-batches-py")
    if any((place / name).exists() for place in places for name in pickled):
        return "the Python version, which is pickled and is not read: take the binary version"
    names = sorted(path.name for path in root.iterdir())
    if not names:
        return "an empty folder"
    return f"one that holds {', '.join(names[:3])}" + (" and more" if len(names) > 3 else "")


def _checked(path: Path, edition: Edition) -> bytes:
    _check_size(path, path.stat().st_size, edition.batch_bytes)
    content = path.read_bytes()
    _check_md5(str(path), content, edition.md5[path.name])
    return content


def _archived(path: Path, edition: Edition) -> Iterator[tuple[str, bytes]]:
    """The batches straight out of the archive, whose hash is checked before it is opened."""
    _check_size(path, path.stat().st_size, edition.archive_bytes)
    with path.open("rb") as file:
        _check_hash(
            str(path), "SHA-256", hashlib.file_digest(file, "sha256").hexdigest(), edition.archive_sha256
        )
        file.seek(0)
        yield from _members(file, path, edition)


def _members(file: BinaryIO, path: Path, edition: Edition) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(fileobj=file, mode="r:gz") as archive:
            for name in edition.md5:
                member = archive.extractfile(f"{FOLDER}/{name}")
                content = b"" if member is None else member.read(edition.batch_bytes)
                _check_md5(f"{path}: {name}", content, edition.md5[name])
                yield name, content
    except (tarfile.TarError, KeyError, EOFError, OSError) as error:
        raise ValueError(f"folder: cannot read {path}: {error}") from error


def _check_size(path: Path, size: int, expected: int) -> None:
    if size != expected:
        raise ValueError(f"folder: {path}: expected {expected:,} bytes, got {size:,}; download it again")


def _check_md5(label: str, content: bytes, expected: str) -> None:
    # MD5 guards against damage and mix-ups, not malice: the bytes are only used as pixels and labels
    _check_hash(label, "MD5", hashlib.md5(content, usedforsecurity=False).hexdigest(), expected)


def _check_hash(label: str, kind: str, found: str, expected: str) -> None:
    if found != expected:
        raise ValueError(f"folder: {label}: expected {kind} {expected}, got {found}; download it again")


def _parse(content: bytes) -> LabelledImages:
    """Labels and images of one batch; the images share the memory of ``content``."""
    records: Bytes = np.frombuffer(content, dtype=np.uint8).reshape(-1, 1 + int(np.prod(SHAPE)))
    return LabelledImages(records[:, 1:].reshape(-1, *SHAPE), records[:, 0].astype(np.int64))


def _check_balance(part: str, images: LabelledImages) -> None:
    """Ten classes in equal numbers, as the authors promise; hashes speak of the files, not of what is made of them."""
    counts = np.bincount(images.labels, minlength=CLASSES)
    if len(counts) > CLASSES or len(set(counts.tolist())) > 1:
        raise ValueError(f"folder: expected {CLASSES} classes of equal size to {part}, got {counts.tolist()}")
