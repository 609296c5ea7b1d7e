"""Geometric augmentation: boxes cut out, turned, sheared, zoomed and bent, all in one resampling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from residua.data import random_numbers as streams
from residua.data.random_numbers import Floats, RandomNumbers
from residua.data.resampling import sample, sampling_grid


@dataclass(frozen=True)
class Geometry:
    """How training pictures are moved; 0 is not at all. See `Augment` for what the numbers mean."""

    resized_crop: float = 0.0
    rotate: float = 0.0
    shear: float = 0.0
    zoom: float = 0.0
    elastic: float = 0.0
    elastic_smooth: float = 4.0

    def __bool__(self) -> bool:
        return any((self.resized_crop, self.rotate, self.shear, self.zoom, self.elastic))

    def apply(self, images: Floats, size: tuple[int, int], fill: Floats, random: RandomNumbers) -> Floats:
        """Move pictures, each in a way of its own.

        images: (N, H, W, C) float32. size: height and width that boxes are brought to; without boxes the
        result is of that size or the pictures' own, whichever is larger. fill: (C,) the colour that comes in
        from outside.
        """
        n, h, w, _ = images.shape
        height, width = size if self.resized_crop else (max(h, size[0]), max(w, size[1]))
        middle, box = self._boxes(n, h, w, random)
        matrix = self._matrices(n, random)
        new = np.array([height, width], np.float32)
        grid = sampling_grid(matrix, middle, box / new, height, width)
        if self.elastic:
            down, right = (
                random.symmetric(stream, 1, height * width).reshape(n, height, width)
                for stream in (streams.ELASTIC_Y, streams.ELASTIC_X)
            )
            grid = grid + elastic_displacements(down, right, self.elastic, self.elastic_smooth)
        return sample(images, grid, fill)

    def _boxes(self, n: int, h: int, w: int, random: RandomNumbers) -> tuple[Floats, Floats]:
        """(N, 2) middles and sizes of the boxes that the new pictures are taken from, y then x."""
        if not self.resized_crop:
            box = np.tile(np.array([h, w], np.float32), (n, 1))
            return box / np.float32(2), box
        least = np.float32(self.resized_crop)
        return resized_crop_boxes(
            least + (1 - least) * random.uniform(streams.AREA)[:, 0],
            np.exp(random.symmetric(streams.ASPECT, np.log(4 / 3))[:, 0]),
            random.uniform(streams.BOX_Y)[:, 0],
            random.uniform(streams.BOX_X)[:, 0],
            h,
            w,
        )

    def _matrices(self, n: int, random: RandomNumbers) -> Floats:
        def draw(stream: int, most: float) -> Floats:
            return random.symmetric(stream, most)[:, 0]

        return affine(
            n,
            rotate=draw(streams.ROTATE, np.deg2rad(self.rotate)) if self.rotate else None,
            shear_x=np.tan(draw(streams.SHEAR_X, np.deg2rad(self.shear))) if self.shear else None,
            shear_y=np.tan(draw(streams.SHEAR_Y, np.deg2rad(self.shear))) if self.shear else None,
            zoom=np.exp(draw(streams.ZOOM, np.log1p(self.zoom))) if self.zoom else None,
        )


def affine(
    count: int,
    *,
    rotate: Floats | None = None,
    shear_x: Floats | None = None,
    shear_y: Floats | None = None,
    zoom: Floats | None = None,
) -> Floats:
    """(N, 2, 2) float32 matrices that take a place in the new picture to one in the old, from the middles.

    rotate: (N,) radians, anticlockwise as seen. shear_x, shear_y: (N,) tangents: how far a row moves to
    the right per pixel downwards, and a column downwards per pixel to the right. zoom: (N,) factors by
    which content grows. Rows and columns of the matrices are (y, x). Content is zoomed first, sheared and
    rotated last.
    """
    matrix = np.zeros((count, 2, 2), np.float32)
    matrix[:, 0, 0] = matrix[:, 1, 1] = 1
    if rotate is not None:
        sine, cosine = np.sin(rotate), np.cos(rotate)
        turn = np.empty((count, 2, 2), np.float32)
        turn[:, 0, 0], turn[:, 0, 1], turn[:, 1, 0], turn[:, 1, 1] = cosine, sine, -sine, cosine
        matrix = turn
    if shear_x is not None:
        shear = np.zeros((count, 2, 2), np.float32)
        shear[:, 0, 0], shear[:, 1, 1], shear[:, 1, 0] = 1, 1, -shear_x
        matrix = shear @ matrix
    if shear_y is not None:
        shear = np.zeros((count, 2, 2), np.float32)
        shear[:, 0, 0], shear[:, 1, 1], shear[:, 0, 1] = 1, 1, -shear_y
        matrix = shear @ matrix
    if zoom is not None:
        matrix = matrix / zoom[:, None, None]
    return matrix


def elastic_displacements(noise_y: Floats, noise_x: Floats, strength: float, smooth: float) -> Floats:
    """(N, 2, H, W) displacements in pixels of an elastic deformation.

    noise_y, noise_x: (N, H, W) even random numbers from -1 to 1. They are smoothed by a Gaussian of
    standard deviation `smooth` pixels and multiplied by `strength`: sigma and alpha of Simard, Steinkraus,
    Platt 2003, Best Practices for Convolutional Neural Networks, section 2.
    """
    _, h, w = noise_y.shape
    down, across = _gaussian(h, smooth), _gaussian(w, smooth)
    return np.stack([strength * (down @ noise @ across.T) for noise in (noise_y, noise_x)], axis=1)


def _gaussian(length: int, deviation: float) -> Floats:
    """(length, length): rows smooth a line; beyond its ends lies nothing, as zeros."""
    position = np.arange(length)
    reach = position[-1] + np.ceil(4 * deviation)
    total = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2).sum()
    weights = np.exp(-0.5 * ((position[:, None] - position) / deviation) ** 2) / total
    rows: Floats = weights.astype(np.float32)
    return rows


def resized_crop_boxes(
    area: Floats, aspect: Floats, down: Floats, right: Floats, height: int, width: int
) -> tuple[Floats, Floats]:
    """Middles (N, 2) and sizes (N, 2) in pixels of boxes inside a picture, y then x.

    area: (N,) shares of the picture's area. aspect: (N,) width to height of a box. down, right: (N,) from
    0 to 1, where the box lies in the room that it leaves. A box too long for the picture is cut to it, as
    in the last resort of Szegedy et al. 2015, 1409.4842, section 6.
    """
    whole = area * np.float32(height * width)
    tall = np.clip(np.sqrt(whole / aspect), 1, height)
    wide = np.clip(np.sqrt(whole * aspect), 1, width)
    size: NDArray[np.float32] = np.stack([tall, wide], axis=1)
    room = np.array([height, width], np.float32) - size
    middle = size / 2 + room * np.stack([down, right], axis=1)
    return middle.astype(np.float32), size.astype(np.float32)
