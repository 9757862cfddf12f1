"""The handwritten digits that scikit-learn carries: real images on any machine, nothing to download."""

from __future__ import annotations

import numpy as np

from dynamics.boundary import checked
from dynamics.validation import integer
from nets.images.labelled_images import ImageTask, LabelledImages

TEST_SHARE = 5
"""One image of so many of every class is held out for testing."""


@checked
def load_digits(seed: int = 0) -> ImageTask:
    """1,797 images of 8 x 8 pixels from 0 to 16 in ten classes, a fifth of each class held out for testing.

    Args:
        seed: draws which ones are held out.
    Source: UCI "Optical recognition of handwritten digits" (test part), CC BY 4.0, as bundled with scikit-learn.
    """
    from sklearn import datasets  # slow to import

    pixels, labels = datasets.load_digits(return_X_y=True)
    images = pixels.reshape(-1, 1, 8, 8).astype(np.float32)
    rng = np.random.default_rng(integer("seed", seed, least=0))
    held_out = np.zeros(labels.size, dtype=bool)
    for digit in range(10):
        members = rng.permutation(np.flatnonzero(labels == digit))
        held_out[members[: members.size // TEST_SHARE]] = True
    train, test = (
        LabelledImages(images[chosen], labels[chosen].astype(np.int64)) for chosen in (~held_out, held_out)
    )
    return ImageTask("digits", train, test)
