"""The bundled digits: complete, split within each class by the seed, standardised by the training part."""

from __future__ import annotations

import numpy as np
import pytest

from luckproof import load_digits
from nets.images.labelled_images import ImageTask, LabelledImages


def test_every_image_is_used_once():
    """1,797 images in all; none in both parts."""
    task = load_digits(seed=3)
    assert len(task.train) + len(task.test) == 1797
    assert task.train.images.shape[1:] == (1, 8, 8)
    seen = {image.tobytes() for image in task.train.images}
    assert not any(image.tobytes() in seen for image in task.test.images)


def test_each_class_gives_a_fifth_for_testing():
    task = load_digits(seed=3)
    train, test = (np.bincount(part.labels, minlength=10) for part in (task.train, task.test))
    np.testing.assert_array_equal(test, (train + test) // 5)


def test_the_split_belongs_to_the_seed():
    same, again, other = load_digits(seed=1), load_digits(seed=1), load_digits(seed=2)
    np.testing.assert_array_equal(same.test.images, again.test.images)
    assert not np.array_equal(same.test.images, other.test.images)


def test_standardised_by_the_training_part_alone():
    """Training images have mean 0 and variance 1 to float32 rounding; the test images only nearly."""
    task = load_digits().standardised()
    assert task.train.images.dtype == np.float32
    assert abs(task.train.images.mean(dtype=np.float64)) < 1e-6
    assert task.train.images.std(dtype=np.float64) == pytest.approx(1, abs=1e-6)
    assert 1e-4 < abs(task.test.images.mean(dtype=np.float64)) < 0.1


def test_impossible_images_are_refused():
    flat = LabelledImages(np.ones((4, 1, 2, 2), np.float32), np.zeros(4, np.int64))
    with pytest.raises(ValueError, match="channels that vary"):
        ImageTask("flat", flat, flat).standardised()
    with pytest.raises(ValueError, match=r"\(4, 1, 2, 2\) and \(3,\)"):
        LabelledImages(flat.images, flat.labels[:3])
