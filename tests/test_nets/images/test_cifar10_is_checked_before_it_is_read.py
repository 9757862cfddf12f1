"""CIFAR-10's binary version: read exactly, and refused in one line when anything about the files is not as it must be.

The files here are synthetic, of the exact layout and a small number of images; nothing is downloaded.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import tarfile

import numpy as np
import pytest

from luckproof import load_cifar10
from nets.images.cifar10 import ARCHIVE, FOLDER, OFFICIAL, Edition

IMAGES = 20
NAMES = tuple(OFFICIAL.md5)


def records(rng: np.random.Generator, labels: np.ndarray) -> np.ndarray:
    pixels = rng.integers(0, 256, (labels.size, 3072), dtype=np.uint8)
    return np.concatenate([labels[:, None].astype(np.uint8), pixels], axis=1)


@pytest.fixture
def batches() -> dict[str, np.ndarray]:
    """Six batches, two images of every class in each, in random order."""
    rng = np.random.default_rng(0)
    return {name: records(rng, rng.permutation(np.repeat(np.arange(10), 2))) for name in NAMES}


def packed(batches: dict[str, np.ndarray], *, upwards: str = "") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in batches.items():
            member = tarfile.TarInfo(f"{upwards}{FOLDER}/{name}")
            member.size = content.nbytes
            archive.addfile(member, io.BytesIO(content.tobytes()))
    return buffer.getvalue()


def edition_of(batches: dict[str, np.ndarray], archive: bytes = b"") -> Edition:
    md5 = {name: hashlib.md5(content.tobytes()).hexdigest() for name, content in batches.items()}
    return Edition(md5, len(archive), hashlib.sha256(archive).hexdigest(), images=IMAGES)


def write(folder, batches) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in batches.items():
        (folder / name).write_bytes(content.tobytes())


@pytest.mark.parametrize("place", [".", FOLDER])
def test_batches_are_read_exactly(place, batches, tmp_path):
    """Label first, then planes red, green, blue of 32 rows; training batches in order; the test batch apart."""
    write(tmp_path / place, batches)
    task = load_cifar10(tmp_path, edition_of(batches))
    assert (len(task.train), len(task.test), task.classes, task.name) == (100, 20, 10, "cifar10")
    fourth = batches["data_batch_4.bin"][7]
    assert task.train.labels[67] == fourth[0]
    assert task.train.images[67, 2, 5, 9] == fourth[1 + 2 * 1024 + 5 * 32 + 9]
    np.testing.assert_array_equal(task.test.images.reshape(20, -1), batches["test_batch.bin"][:, 1:])


def test_archive_gives_the_same_and_is_not_unpacked(batches, tmp_path):
    archive = packed(batches)
    (tmp_path / ARCHIVE).write_bytes(archive)
    task = load_cifar10(tmp_path, edition_of(batches, archive))
    write(tmp_path / "plain", batches)
    plain = load_cifar10(tmp_path / "plain", edition_of(batches))
    np.testing.assert_array_equal(task.train.images, plain.train.images)
    np.testing.assert_array_equal(task.test.labels, plain.test.labels)
    assert sorted(path.name for path in tmp_path.iterdir()) == [ARCHIVE, "plain"]


def test_official_sizes():
    """As the authors' page has them: 30,730,000 bytes a batch."""
    assert OFFICIAL.batch_bytes == 30_730_000
    assert (*(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin") == NAMES
    assert all(len(value) == 32 for value in OFFICIAL.md5.values())
    assert len(set(OFFICIAL.md5.values())) == 6


def refused(folder, edition, words) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        load_cifar10(folder, edition)
    assert str(caught.value).startswith("folder: ")
    assert "\n" not in str(caught.value)


def test_one_flipped_bit_is_refused(batches, tmp_path):
    edition = edition_of(batches)
    batches["data_batch_3.bin"][11, 100] ^= 1
    write(tmp_path, batches)
    refused(tmp_path, edition, r"data_batch_3\.bin: expected MD5 [0-9a-f]{32}, got")


def test_short_file_is_refused_by_its_size(batches, tmp_path):
    write(tmp_path, batches | {"test_batch.bin": batches["test_batch.bin"][:-1]})
    refused(tmp_path, edition_of(batches), r"test_batch\.bin: expected 61,460 bytes, got 58,387")


def test_missing_batch_is_named(batches, tmp_path):
    write(tmp_path, batches)
    (tmp_path / "data_batch_2.bin").unlink()
    refused(tmp_path, edition_of(batches), "has other batches but no data_batch_2.bin")


@pytest.mark.parametrize("label", [0, 10, 255])
def test_unbalanced_classes_are_refused_whatever_the_hash(label, batches, tmp_path):
    first = batches["data_batch_1.bin"]
    first[np.argmax(first[:, 0] != label), 0] = label
    write(tmp_path, batches)
    refused(tmp_path, edition_of(batches), "expected 10 classes of equal size to train")


def test_the_official_hashes_refuse_other_files(batches, tmp_path):
    """With the real edition, files of the wrong size are turned away before anything is read."""
    write(tmp_path, batches)
    refused(tmp_path, OFFICIAL, r"data_batch_1\.bin: expected 30,730,000 bytes")


@pytest.mark.parametrize("damage", ["size", "bit", "members"])
def test_wrong_archive_is_refused(damage, batches, tmp_path):
    archive = packed(batches, upwards="../" if damage == "members" else "")
    edition = edition_of(batches, archive)
    if damage == "size":
        archive += b"\0"
    if damage == "bit":
        archive = bytes([*archive[:500], archive[500] ^ 1, *archive[501:]])
    (tmp_path / ARCHIVE).write_bytes(archive)
    refused(tmp_path, edition, {"size": "bytes, got", "bit": "SHA-256", "members": "cannot read"}[damage])
    assert len(list(tmp_path.iterdir())) == 1


def test_an_archive_of_other_batches_is_refused(batches, tmp_path):
    """An edition whose archive holds a batch that is not its own: the hash of the batch says so."""
    edition = edition_of(batches)
    batches["data_batch_5.bin"][3, 7] ^= 1
    archive = packed(batches)
    (tmp_path / ARCHIVE).write_bytes(archive)
    known = edition_of(batches, archive)
    mixed = Edition(edition.md5, known.archive_bytes, known.archive_sha256, images=IMAGES)
    refused(tmp_path, mixed, r"data_batch_5\.bin: expected MD5 [0-9a-f]{32}, got")


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was opened",))


@pytest.mark.parametrize("place", [".", "cifar-10-batches-py"])
def test_pickled_python_version_is_never_opened(place, tmp_path):
    (tmp_path / place).mkdir(exist_ok=True)
    (tmp_path / place / "data_batch_1").write_bytes(pickle.dumps(Bomb()))
    refused(tmp_path, OFFICIAL, "pickled and is not read: take the binary version")


def test_missing_folder_and_folders_without_the_data(tmp_path):
    refused(tmp_path / "nowhere", OFFICIAL, "expected a folder with cifar-10-binary.tar.gz")
    refused(tmp_path, OFFICIAL, "an empty folder")
    for name in "abcd":
        (tmp_path / name).touch()
    refused(tmp_path, OFFICIAL, "one that holds a, b, c and more")
    refused(tmp_path / "a", OFFICIAL, "expected a folder")
