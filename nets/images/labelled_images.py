"""Images with labels: what teachers are trained on, and what their students are compared by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynamics.arrays import Array


@dataclass(frozen=True)
class LabelledImages:
    """``images (N, channels, height, width)``, uint8 or float, and ``labels (N,)`` from 0.

    Raises ValueError where the shapes do not belong together.
    """

    images: NDArray[np.uint8] | NDArray[np.float32]
    labels: NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or self.labels.shape != self.images.shape[:1]:
            raise ValueError(
                "images, labels: expected shapes (N, channels, height, width) and (N,),"
                f" got {self.images.shape} and {self.labels.shape}"
            )

    def __len__(self) -> int:
        return int(self.labels.size)


@dataclass(frozen=True)
class ImageTask:
    """Training and test images of one data set under its name, with ``classes`` labels."""

    name: str
    train: LabelledImages
    test: LabelledImages
    classes: int = 10

    def standardised(self) -> ImageTask:
        """The same task in float32, with training images of mean 0 and variance 1 in every channel.

        The test images are shifted and scaled by the same numbers. Raises ValueError where a channel of the training
        images is constant.
        """
        mean, std = _channel_moments(self.train.images)
        if not (std > 0).all():
            raise ValueError(f"train: expected channels that vary, got standard deviations {std.tolist()}")
        parts = []
        for part in (self.train, self.test):
            images = part.images.astype(np.float32)
            images -= mean.astype(np.float32)[:, None, None]
            images /= std.astype(np.float32)[:, None, None]
            parts.append(LabelledImages(images, part.labels))
        return ImageTask(self.name, parts[0], parts[1], self.classes)


def _channel_moments(images: NDArray[np.uint8] | NDArray[np.float32]) -> tuple[Array, Array]:
    """Mean and standard deviation of each channel, one channel in memory at a time."""
    mean, std = np.empty((2, images.shape[1]))
    for channel in range(images.shape[1]):
        values = images[:, channel].astype(np.float32)
        mean[channel] = values.mean(dtype=np.float64)
        values -= np.float32(mean[channel])
        std[channel] = np.sqrt(np.square(values, out=values).mean(dtype=np.float64))
    return mean, std
