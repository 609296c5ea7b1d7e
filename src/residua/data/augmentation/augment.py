"""Varying training pictures: moved, coloured, blanked out in part.

Every choice is a hash of (seed, epoch, index), so a picture's variation does not depend on threads, on
the batch that it is in, or on where an epoch was taken up again.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from residua.config import DataOptions
from residua.config.options import LIMITS
from residua.data.augmentation import chance, colour, warp
from residua.data.augmentation.chance import (
    CROP_X,
    CROP_Y,
    CUTOUT_X,
    CUTOUT_Y,
    FLIP,
    ORDER,
    Floats,
    Indices,
    hash_below,
    hash_integers,
    hash_normal,
    hash_uniform,
)
from residua.data.augmentation.randaugment import randaugment
from residua.data.preprocessing import Preprocessing
from residua.engines.vocabulary.batches import windows
from residua.engines.vocabulary.core import Engine
from residua.errors import ConfigError

__all__ = ["ORDER", "Augment", "hash_below", "hash_integers"]

_WARPING = ("resized_crop", "rotate", "shear", "zoom", "elastic")
_COLOURING = ("brightness", "contrast", "saturation", "hue", "tint", "pca_noise", "noise")
_RANGED = (*_WARPING, *_COLOURING, "elastic_smooth", "randaugment", "magnitude")
_COLOURFUL = ("saturation", "hue", "tint", "pca_noise")


@dataclass(frozen=True)
class Augment:
    """How training pictures are varied; 0 is not at all.

    crop: pictures are padded by this many pixels on each side and cut back to their size at a random
    place (each of the (2 crop + 1)^2 places equally likely). The padding has the value that becomes
    zero after normalisation, the mean colour, as in He et al. 2015, 1512.03385, section 4.2 (4 pixels).
    flip: mirror half of the pictures left to right. cutout: side in pixels of a square, centred anywhere
    in the picture and cut at its border, that is set to the mean colour (DeVries, Taylor 2017, 1708.04552).

    resized_crop: cut out a box of this share of the area or more, of 3:4 to 4:3 in shape, and bring it to
    size (Szegedy et al. 2015, 1409.4842, section 6: 0.08). rotate, shear: up to so many degrees, shear
    along both axes. zoom: by factors from 1 / (1 + zoom) to 1 + zoom. elastic, elastic_smooth: see
    `warp.elastic`. What moves in from outside has the mean colour.

    brightness, contrast, saturation: multiplied by factors from 1 - share to 1 + share. hue: turned by up
    to so many degrees. tint: each channel by its own factor, as brightness. pca_noise: standard deviation
    of the multiples in `colour.pca_noise`, whose `components` are measured on the training split. noise:
    standard deviation of noise on every value, which range from 0 to 1. randaugment, magnitude: how many
    operations of `randaugment`, how strong.

    Moved first, then RandAugment, then coloured in the order above, then cropped, mirrored and cut out.
    """

    crop: int = 0
    flip: bool = False
    cutout: int = 0
    resized_crop: float = 0.0
    rotate: float = 0.0
    shear: float = 0.0
    zoom: float = 0.0
    elastic: float = 0.0
    elastic_smooth: float = 4.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    tint: float = 0.0
    pca_noise: float = 0.0
    noise: float = 0.0
    randaugment: int = 0
    magnitude: float = 9.0
    components: tuple[tuple[float, ...], ...] = ()

    def __post_init__(self) -> None:
        for name in ("crop", "cutout"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise ConfigError(f"{name} must be a number of pixels, 0 or more, not {value!r}.")
        for name in _RANGED:
            words, fits = LIMITS[name]
            if not fits(getattr(self, name)):
                raise ConfigError(f"{name} takes {words}, not {getattr(self, name)!r}.")

    @classmethod
    def of(cls, options: DataOptions, images: NDArray[np.uint8] | None = None) -> Augment:
        """What the options ask for; images: the training pictures, measured where their colours matter."""
        names = {entry.name for entry in fields(cls)} - {"components", "crop", "flip"}
        chosen = {name: getattr(options, name) for name in names}
        components: tuple[tuple[float, ...], ...] = ()
        if options.pca_noise and images is not None and images.shape[-1] == 3:
            components = tuple(map(tuple, colour.measure_components(images).tolist()))
        return cls(crop=options.crop or 0, flip=bool(options.flip), components=components, **chosen)

    def __bool__(self) -> bool:
        return any((self.crop, self.flip, self.cutout, self._warps, self._colours, self.randaugment))

    @property
    def _warps(self) -> bool:
        return any(getattr(self, name) for name in _WARPING)

    @property
    def _colours(self) -> bool:
        return any(getattr(self, name) for name in _COLOURING)

    def check(self, channels: int) -> None:
        """Raise ConfigError where pictures of so many channels cannot be varied so."""
        asked = [name for name in _COLOURFUL if getattr(self, name)]
        if asked and channels != 3:
            raise ConfigError(f"--{asked[0].replace('_', '-')} is for colour pictures; these are grey")
        if self.pca_noise and not self.components:
            raise ConfigError("--pca-noise needs the components of the training colours; measure them first")

    def apply(
        self,
        images: NDArray[np.uint8],
        preprocessing: Preprocessing,
        seed: int,
        epoch: int,
        indices: Indices,
    ) -> Floats:
        """Normalise and vary a batch.

        images: (N, H, W, C) uint8, as stored. indices: (N,) each picture's place in its split, which
        decides, with seed and epoch, how it is varied. Returns (N, height, width, C) float32, of the
        preprocessing's size: larger pictures are cut at a random place, smaller ones enlarged. What moves in
        from outside of a picture is zero, the mean colour.
        """
        preprocessing.check(images)
        size = preprocessing.height, preprocessing.width
        if self._warps or self._colours or self.randaugment:
            normal = self._vary(images, preprocessing, seed, epoch, indices)
        else:
            normal = preprocessing.normalize_stored(images)
        if normal.shape[1] < size[0] or normal.shape[2] < size[1]:
            normal = warp.resize(normal, *size)
        shape = normal.shape[1], normal.shape[2]
        if self.crop or self.flip or shape != size:
            normal = windows(normal, *self._windows(shape, size, seed, epoch, indices), size)
        return self._cut_out(normal, seed, epoch, indices)

    def take(
        self,
        pictures: NDArray[np.uint8],
        preprocessing: Preprocessing,
        seed: int,
        epoch: int,
        indices: Indices,
        engine: Engine | None = None,
    ) -> Floats:
        """`apply` to the pictures at `indices` of a split, by the engine where all is cutting and mirroring.

        pictures: (M, H, W, C) uint8, the whole split. The result does not depend on the engine.
        """
        stored, size = preprocessing.stored, (preprocessing.height, preprocessing.width)
        changed = self._warps or self._colours or self.randaugment
        if engine is None or changed or stored[0] < size[0] or stored[1] < size[1]:
            return self.apply(pictures[indices], preprocessing, seed, epoch, indices)
        preprocessing.check(pictures)
        where = self._windows(stored, size, seed, epoch, indices)
        pixels = preprocessing.ordered(pictures)
        normal = engine.crop_and_flip(pixels, indices, *where, size, *preprocessing.line)
        return self._cut_out(normal, seed, epoch, indices)

    def _cut_out(self, normal: Floats, seed: int, epoch: int, indices: Indices) -> Floats:
        """A square of zeros at a random place."""
        size = normal.shape[1], normal.shape[2]
        if self.cutout:
            rows = hash_below(size[0], seed, epoch, CUTOUT_Y, indices) - self.cutout // 2
            columns = hash_below(size[1], seed, epoch, CUTOUT_X, indices) - self.cutout // 2
            for image, top, left in zip(normal, rows.tolist(), columns.tolist(), strict=True):
                image[max(top, 0) : top + self.cutout, max(left, 0) : left + self.cutout] = 0
        return normal

    def _vary(
        self,
        images: NDArray[np.uint8],
        preprocessing: Preprocessing,
        seed: int,
        epoch: int,
        indices: Indices,
    ) -> Floats:
        """All that is done to values from 0 to 1; normalised at the end."""
        light = images.astype(np.float32) / np.float32(255)
        fill = np.array(preprocessing.mean, np.float32)
        if self._warps:
            light = self._warp(light, preprocessing, fill, seed, epoch, indices)
        if self.randaugment:
            light = randaugment(light, self.randaugment, self.magnitude, fill, seed, epoch, indices)
        if self._colours:
            light = self._colour(light, seed, epoch, indices).clip(0, 1)
        # Along whole rows: NumPy is slow where its inner loop runs over three channels.
        n, h, w, c = light.shape
        scale = np.tile(np.array([1 / std for std in preprocessing.std], np.float32), w)
        normal: Floats = (light.reshape(n, h, w * c) - np.tile(fill, w)) * scale
        return normal.reshape(n, h, w, c)

    def _warp(
        self,
        light: Floats,
        preprocessing: Preprocessing,
        fill: Floats,
        seed: int,
        epoch: int,
        indices: Indices,
    ) -> Floats:
        n, h, w, _ = light.shape

        def draw(stream: int) -> Floats:
            return hash_uniform(seed, epoch, stream, indices)[:, 0]

        def evenly(stream: int, most: float) -> Floats:
            return (2 * draw(stream) - 1) * np.float32(most)

        if self.resized_crop:
            height, width = preprocessing.height, preprocessing.width
            share = np.float32(self.resized_crop)
            middle, box = warp.resized_crop_boxes(
                share + (1 - share) * draw(chance.AREA),
                np.exp(evenly(chance.ASPECT, np.log(4 / 3))),
                draw(chance.BOX_Y),
                draw(chance.BOX_X),
                h,
                w,
            )
        else:
            height, width = max(h, preprocessing.height), max(w, preprocessing.width)
            box = np.tile(np.array([h, w], np.float32), (n, 1))
            middle = box / np.float32(2)
        matrix = warp.affine(
            n,
            rotate=evenly(chance.ROTATE, np.deg2rad(self.rotate)) if self.rotate else None,
            shear_x=np.tan(evenly(chance.SHEAR_X, np.deg2rad(self.shear))) if self.shear else None,
            shear_y=np.tan(evenly(chance.SHEAR_Y, np.deg2rad(self.shear))) if self.shear else None,
            zoom=np.exp(evenly(chance.ZOOM, np.log1p(self.zoom))) if self.zoom else None,
        )
        new = np.array([height, width], np.float32)
        where = warp.places(matrix, middle, box / new, height, width)
        if self.elastic:
            down, right = (
                2 * hash_uniform(seed, epoch, stream, indices, height * width).reshape(n, height, width) - 1
                for stream in (chance.ELASTIC_Y, chance.ELASTIC_X)
            )
            where = where + warp.elastic(down, right, self.elastic, self.elastic_smooth)
        return warp.sample(light, where, fill)

    def _colour(self, light: Floats, seed: int, epoch: int, indices: Indices) -> Floats:
        def evenly(stream: int, most: float, count: int = 1) -> Floats:
            return (2 * hash_uniform(seed, epoch, stream, indices, count) - 1) * np.float32(most)

        for name, change, stream in (
            ("brightness", colour.brightness, chance.BRIGHTNESS),
            ("contrast", colour.contrast, chance.CONTRAST),
            ("saturation", colour.saturation, chance.SATURATION),
        ):
            if most := getattr(self, name):
                light = change(light, 1 + evenly(stream, most)[:, 0])
        if self.hue:
            light = colour.hue(light, evenly(chance.HUE, np.deg2rad(self.hue))[:, 0])
        if self.tint:
            light = colour.tint(light, 1 + evenly(chance.TINT, self.tint, 3))
        if self.pca_noise:
            multiples = hash_normal(seed, epoch, chance.PCA, indices, 3) * np.float32(self.pca_noise)
            light = colour.pca_noise(light, np.array(self.components, np.float32), multiples)
        if self.noise:
            normal = hash_normal(seed, epoch, chance.NOISE, indices, light[0].size)
            light = colour.noise(light, normal, self.noise)
        return light

    def _windows(
        self, stored: tuple[int, int], size: tuple[int, int], seed: int, epoch: int, indices: Indices
    ) -> tuple[Indices, Indices, NDArray[np.bool_]]:
        """Where each window begins, (N,) down and right, and whether it is mirrored."""
        down, right = (
            hash_below(have - want + 2 * self.crop + 1, seed, epoch, stream, indices) - self.crop
            for have, want, stream in zip(stored, size, (CROP_Y, CROP_X), strict=True)
        )
        mirrored = hash_below(2, seed, epoch, FLIP, indices) == 1
        return down, right, mirrored if self.flip else np.zeros(len(indices), np.bool_)
