"""From pixels to numbers: one fixed scale and shift per channel, kept in the model file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from residua.data.pictures.decoding import read_picture
from residua.data.pictures.selection import Images, Selection
from residua.data.pictures.spread import each_own
from residua.data.views import CENTER, View, extract_view
from residua.errors import DataError, ShapeError

_CHUNK_PIXELS = 1 << 22  # bounds the memory of a count over a memory-mapped data set
_LEAST_STD = 1 / 255  # a channel that never changes is centred and left alone
_LARGEST_SHIFT = 1e6  # of pixels from 0 to 1; the least deviation is one over it
_LARGEST_SIDE = 2**15  # in pixels; formats of pictures end at twice that


def _side(value: Any) -> int:
    """A number of pixels or channels out of a file. Raises ValueError."""
    if type(value) is not int or not 1 <= value <= _LARGEST_SIDE:
        raise ValueError(f"{str(value)[:40]} is no number of pixels or channels from 1 to {_LARGEST_SIDE}")
    return value


def _value_counts(images: Images) -> NDArray[np.int64]:
    """(1, C, 256) how often each value occurs in (N, H, W, C) uint8 pictures."""
    n, h, w, c = images.shape
    counts = np.zeros((1, c, 256), np.int64)
    step = max(1, _CHUNK_PIXELS // (h * w * c))
    for start in range(0, n, step):
        chunk = images[start : start + step].reshape(-1, c)
        for channel in range(c):
            counts[0, channel] += np.bincount(np.ascontiguousarray(chunk[:, channel]), minlength=256)
    return counts


@dataclass(frozen=True)
class Preprocessing:
    """The size of the pictures and, per channel, the mean and standard deviation that they are brought to.

    height, width: of what a network sees. mean, std: one number per channel, in the network's order, of
    pixels divided by 255, measured on the training split alone (networks that took 0 to 255 have a std of
    1/255). source: height and width of the pictures before, where they differ: larger ones are cut, smaller
    ones enlarged (see `views`). resize: the side in pixels that files are read at, of which the middle is
    kept; None for no margin. order: that of the channels which the network takes; pictures are RGB.
    """

    height: int
    width: int
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    source: tuple[int, int] | None = None
    resize: int | None = None
    order: Literal["RGB", "BGR"] = "RGB"

    def __post_init__(self) -> None:
        sides = (self.height, self.width, self.channels, *self.stored)
        if any(not isinstance(side, int) or side < 1 for side in sides):
            raise ShapeError(f"Pictures need a height, width and channels of at least 1, not {sides}.")
        if len(self.mean) != self.channels or len(self.std) != self.channels:
            raise ShapeError(
                f"{self.channels} channels need as many means and standard deviations, "
                f"not {len(self.mean)} and {len(self.std)}."
            )
        if not all(map(math.isfinite, self.mean)) or not all(0 < s < math.inf for s in self.std):
            raise ShapeError("Means must be finite and standard deviations above zero.")
        if self.resize is not None and (
            not isinstance(self.resize, int) or self.resize < max(self.height, self.width)
        ):
            raise ShapeError(
                f"Pictures are read at {self.height}x{self.width} pixels or more before their middle is "
                f"kept, not at {self.resize}."
            )
        if self.order not in ("RGB", "BGR") or (self.order == "BGR" and self.channels != 3):
            raise ShapeError(f"The order of {self.channels} channels cannot be {self.order!r}.")

    @property
    def reading(self) -> tuple[int, int]:
        """Height and width at which pictures are read from files; `cut` keeps the middle of them."""
        return self.stored if self.resize is None else (self.resize, self.resize)

    def read(self, source: Path | str | bytes, notes: list[str] | None = None) -> NDArray[np.uint8]:
        """A picture file, or its bytes, at the size of `reading`: (H, W, C). Raises PictureError.

        notes: hears what is odd about a picture that is used all the same.
        """
        return read_picture(source, *self.reading, self.channels, notes=notes)

    @overload
    def cut(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]: ...

    @overload
    def cut(self, images: Images) -> Images: ...

    def cut(self, images: Images) -> Images:
        """The middle of (..., H, W, C) pictures as they were read, in the size that is stored: a view."""
        height, width = self.stored
        top, left = (images.shape[-3] - height) // 2, (images.shape[-2] - width) // 2
        if isinstance(images, Selection):
            return images.window(top, left, height, width)
        return images[..., top : top + height, left : left + width, :]

    @property
    def stored(self) -> tuple[int, int]:
        """Height and width of the pictures as they are stored or read."""
        return (self.height, self.width) if self.source is None else self.source

    def normalize(self, images: NDArray[np.uint8], view: View = CENTER) -> NDArray[np.float32]:
        """Bring pictures to size and to about zero mean and unit variance: (pixel / 255 - mean) / std.

        images: (N, H, W, C) uint8, as stored. view: the part of them that is seen, see `extract_view`.
        Returns (N, height, width, C) float32, contiguous. The result for a picture does not depend on the
        others in the batch. Raises ShapeError for pictures of another size.
        """
        return extract_view(self.normalize_stored(images), (self.height, self.width), view)

    def normalize_stored(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As `normalize`, at the size of the stored pictures."""
        self.check(images)
        return self.scale(images)

    def scale(self, pixels: NDArray[Any]) -> NDArray[np.float32]:
        """(pixel / 255 - mean) / std, in the network's order of channels, of any numbers.

        pixels: (N, H, W, C) as stored, whole numbers or between them, which no file holds.
        """
        n, h, w, c = pixels.shape
        scale, shift = self._rows
        rows = np.ascontiguousarray(self.reorder_channels(pixels)).reshape(n * h, w * c)
        result: NDArray[np.float32] = np.multiply(rows, scale, dtype=np.float32)
        result += shift
        return result.reshape(n, h, w, c)

    def reorder_channels(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Pictures as they are stored in the network's order of channels: a view."""
        return pixels[..., ::-1] if self.order == "BGR" else pixels

    @cached_property
    def scale_and_shift(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(C,) scale and shift: a network sees pixel * scale + shift."""
        scale = np.array([1 / (255 * std) for std in self.std])
        shift = np.array([-mean / std for mean, std in zip(self.mean, self.std, strict=True)])
        return scale.astype(np.float32), shift.astype(np.float32)

    def scale_backward(self, dy: NDArray[np.float32]) -> NDArray[np.float32]:
        """The gradient by `scale`'s pixels, (N, H, W, C), out of that by its result."""
        n, h, w, c = dy.shape
        dpixels: NDArray[np.float32] = (dy.reshape(n * h, w * c) * self._rows[0]).reshape(dy.shape)
        return np.ascontiguousarray(dpixels[..., ::-1]) if self.order == "BGR" else dpixels

    def check(self, images: Images) -> None:
        """Raise ShapeError unless `images` are (N, H, W, C) uint8 of this size."""
        expected = (*self.stored, self.channels)
        if images.ndim != 4 or images.shape[1:] != expected:
            raise ShapeError(
                f"Pictures must be (N, {', '.join(map(str, expected))}) for this model, "
                f"not {images.shape}; resize them or read them with read_picture."
            )
        if images.dtype != np.uint8:
            raise ShapeError(f"Pictures must be uint8 (0 to 255), not {images.dtype}.")

    def to_dict(self) -> dict[str, Any]:
        """Plain types for JSON; `from_dict` reads them back without loss."""
        plain: dict[str, Any] = {
            "height": self.height,
            "width": self.width,
            "channels": self.channels,
            "mean": list(self.mean),
            "std": list(self.std),
        }
        if self.source is not None:
            plain["source"] = list(self.source)
        if self.resize is not None:
            plain["resize"] = self.resize
        return plain if self.order == "RGB" else plain | {"order": self.order}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preprocessing:
        """Read what `to_dict` wrote; raises ShapeError where something is missing, impossible or absurd."""
        try:
            height, width, channels = (_side(values[key]) for key in ("height", "width", "channels"))
            mean = tuple(float(value) for value in values["mean"])
            std = tuple(float(value) for value in values["std"])
            source = None
            if values.get("source") is not None:
                tall, wide = (_side(value) for value in values["source"])
                source = (tall, wide)
            resize = None if values.get("resize") is None else _side(values["resize"])
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as problem:
            raise ShapeError(f"The preprocessing is incomplete or malformed ({problem!r}).") from problem
        if any(abs(value) > _LARGEST_SHIFT for value in mean) or any(
            not 1 / _LARGEST_SHIFT <= value <= _LARGEST_SHIFT for value in std
        ):
            raise ShapeError("Means and standard deviations are far from those of any pictures.")
        return cls(height, width, channels, mean, std, source, resize, values.get("order", "RGB"))

    @classmethod
    def measure(cls, images: Images) -> Preprocessing:
        """Measure mean and standard deviation of (N, H, W, C) uint8 pictures exactly.

        The 256 possible values are counted and summed as whole numbers, so the result depends neither
        on the order of the pictures nor on the machine. Raises DataError where there are no pictures.
        """
        n, h, w, c = images.shape
        if images.size == 0:
            raise DataError("There are no training pictures to measure the mean and deviation of.")
        counts = np.sum(each_own(images, _value_counts), axis=0)[0]
        pixels = n * h * w
        means, deviations = [], []
        for channel in range(c):
            column = [int(count) for count in counts[channel]]  # exact: Python's integers do not overflow
            total = sum(value * count for value, count in enumerate(column))
            squares = sum(value * value * count for value, count in enumerate(column))
            means.append(total / pixels / 255)
            variance = (squares * pixels - total * total) / (pixels * pixels) / 255**2
            deviations.append(max(math.sqrt(variance), _LEAST_STD))
        return cls(h, w, c, tuple(means), tuple(deviations))

    @cached_property
    def _rows(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Scale and shift repeated along a row: NumPy's inner loop runs over W*C values, not over C."""
        scale, shift = self.scale_and_shift
        w = self.stored[1]
        return np.tile(scale, w), np.tile(shift, w)
