"""The pipeline that varies training pictures: moved, coloured, cropped, mirrored, blanked out in part.

Every choice is a hash of (seed, epoch, index), so a picture's variation does not depend on threads, on
the batch that it is in, or on where an epoch was taken up again.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config import DataOptions
from residua.config.limits import LIMITS
from residua.data.augmentation.color import ColorJitter, measure_components
from residua.data.augmentation.geometric import Geometry
from residua.data.augmentation.randaugment import randaugment
from residua.data.pictures.selection import Images, Selection
from residua.data.preprocessing import Preprocessing
from residua.data.random_numbers import (
    CROP_X,
    CROP_Y,
    CUTOUT_X,
    CUTOUT_Y,
    FLIP,
    Floats,
    Indices,
    RandomNumbers,
)
from residua.data.resampling import resize
from residua.engines.vocabulary.batches import windows
from residua.engines.vocabulary.core import Engine
from residua.errors import ConfigError

_GEOMETRY = tuple(entry.name for entry in fields(Geometry))
_COLOR = tuple(entry.name for entry in fields(ColorJitter))
_RANGED = (*_GEOMETRY, *_COLOR[:-1], "randaugment", "magnitude")
_FOR_COLOR_PICTURES = ("saturation", "hue", "tint", "pca_noise")


@dataclass(frozen=True)
class Augment:
    """How training pictures are varied; 0 is not at all.

    crop: pictures are padded by this many pixels on each side and cut back to their size at a random
    place (each of the (2 crop + 1)^2 places equally likely). The padding has the value that becomes
    zero after normalisation, the mean colour, as in He et al. 2015, 1512.03385, section 4.2 (4 pixels).
    border "reflect": the picture mirrored at its edge instead. flip: mirror half of the pictures left to
    right. alternate_flip: half of them, at random, in the first epoch, and after that each in every other
    one, so that two epochs show every picture both ways (Jordan 2024, 2404.00498, section 3.6). cutout:
    side in pixels of a square, centred anywhere in the picture and cut at its border, that is set to the
    mean colour (DeVries, Taylor 2017, 1708.04552).

    resized_crop: cut out a box of this share of the area or more, of 3:4 to 4:3 in shape, and bring it to
    size (Szegedy et al. 2015, 1409.4842, section 6: 0.08). rotate, shear: up to so many degrees, shear
    along both axes. zoom: by factors from 1 / (1 + zoom) to 1 + zoom. elastic, elastic_smooth: see
    `geometric.elastic_displacements`. What moves in from outside has the mean colour.

    brightness, contrast, saturation: multiplied by factors from 1 - share to 1 + share. hue: turned by up
    to so many degrees. tint: each channel by its own factor, as brightness. pca_noise: standard deviation
    of the multiples in `color.pca_noise`, whose `components` are measured on the training split. noise:
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
    alternate_flip: bool = False
    border: str = "mean"

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
    def of(cls, options: DataOptions, images: Images | None = None) -> Augment:
        """What the options ask for; images: the training pictures, measured where their colours matter."""
        open_ = {"crop", "flip", "alternate_flip", "border"}
        names = {entry.name for entry in fields(cls)} - {"components"} - open_
        chosen = {name: getattr(options, name) for name in names}
        components: tuple[tuple[float, ...], ...] = ()
        if options.pca_noise and images is not None and images.shape[-1] == 3:
            components = tuple(map(tuple, measure_components(images).tolist()))
        return cls(
            crop=options.crop or 0,
            flip=bool(options.flip),
            alternate_flip=bool(options.alternate_flip),
            border=options.border or "mean",
            components=components,
            **chosen,
        )

    @property
    def geometry(self) -> Geometry:
        """The part that moves pictures."""
        return Geometry(**{name: getattr(self, name) for name in _GEOMETRY})

    @property
    def color(self) -> ColorJitter:
        """The part that colours them."""
        return ColorJitter(**{name: getattr(self, name) for name in _COLOR})

    def __bool__(self) -> bool:
        return any((self.crop, self.flip, self.alternate_flip, self.cutout, self._changes_values))

    @property
    def _changes_values(self) -> bool:
        """Whether more than cutting and mirroring happens."""
        return any((self.geometry, self.color, self.randaugment))

    def check(self, channels: int) -> None:
        """Raise ConfigError where pictures of so many channels cannot be varied so."""
        chosen = [name for name in _FOR_COLOR_PICTURES if getattr(self, name)]
        if chosen and channels != 3:
            raise ConfigError(f"--{chosen[0].replace('_', '-')} is for colour pictures; these are grey")
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

        images: (N, H, W, C) uint8, as stored. indices: (N,) each picture's index in its split, which
        decides, with seed and epoch, how it is varied. Returns (N, height, width, C) float32, of the
        preprocessing's size: larger pictures are cut at a random place, smaller ones enlarged. What moves
        in from outside of a picture is zero, the mean colour.
        """
        preprocessing.check(images)
        random = RandomNumbers(seed, epoch, indices)
        size = preprocessing.height, preprocessing.width
        if self._changes_values:
            normal = self._vary(images, preprocessing, random)
        else:
            normal = preprocessing.normalize_stored(images)
        if normal.shape[1] < size[0] or normal.shape[2] < size[1]:
            normal = resize(normal, *size)
        shape = normal.shape[1], normal.shape[2]
        if self.crop or self.flip or self.alternate_flip or shape != size:
            down, right, mirrored = self._windows(shape, size, random)
            border = self._border
            normal = windows(reflected(normal, border), down + border, right + border, mirrored, size)
        return self._cut_out(normal, random)

    def take(
        self,
        pictures: Images,
        preprocessing: Preprocessing,
        seed: int,
        epoch: int,
        indices: Indices,
        engine: Engine | None = None,
    ) -> Floats:
        """`apply` to the pictures at `indices` of a split, by the engine where all is cutting and
        mirroring.

        pictures: (M, H, W, C) uint8, the whole split. The result does not depend on the engine.
        """
        stored, size = preprocessing.stored, (preprocessing.height, preprocessing.width)
        if engine is None or self._changes_values or stored[0] < size[0] or stored[1] < size[1]:
            return self.apply(pictures[indices], preprocessing, seed, epoch, indices)
        preprocessing.check(pictures)
        random = RandomNumbers(seed, epoch, indices)
        offsets = self._windows(stored, size, random)
        places = indices
        if isinstance(pictures, Selection):
            if isinstance(pictures.base, np.ndarray):
                places, pictures = pictures.rows[indices], pictures.base
            else:
                places, pictures = np.arange(len(indices)), pictures[indices]
        pixels = preprocessing.reorder_channels(pictures)
        if border := self._border:
            pixels, places = reflected(pixels[places], border), np.arange(len(places))
            offsets = offsets[0] + border, offsets[1] + border, offsets[2]
        normal = engine.crop_and_flip(pixels, places, *offsets, size, *preprocessing.scale_and_shift)
        return self._cut_out(normal, random)

    @property
    def _border(self) -> int:
        """Pixels around a picture that are not the mean colour."""
        return self.crop if self.border == "reflect" else 0

    def _vary(self, images: NDArray[np.uint8], preprocessing: Preprocessing, random: RandomNumbers) -> Floats:
        """All that is done to values from 0 to 1; normalised at the end."""
        geometry, color = self.geometry, self.color
        light = images.astype(np.float32) / np.float32(255)
        fill = np.array(preprocessing.mean, np.float32)
        if geometry:
            light = geometry.apply(light, (preprocessing.height, preprocessing.width), fill, random)
        if self.randaugment:
            light = randaugment(light, self.randaugment, self.magnitude, fill, random)
        if color:
            light = color.apply(light, random).clip(0, 1)
        # Along whole rows: NumPy is slow where its inner loop runs over three channels.
        n, h, w, c = light.shape
        scale = np.tile(np.array([1 / std for std in preprocessing.std], np.float32), w)
        normal: Floats = (light.reshape(n, h, w * c) - np.tile(fill, w)) * scale
        return normal.reshape(n, h, w, c)

    def _windows(
        self, stored: tuple[int, int], size: tuple[int, int], random: RandomNumbers
    ) -> tuple[Indices, Indices, NDArray[np.bool_]]:
        """Where each window begins, (N,) down and right, and whether it is mirrored."""
        down, right = (
            random.integers(stream, have - want + 2 * self.crop + 1) - self.crop
            for have, want, stream in zip(stored, size, (CROP_Y, CROP_X), strict=True)
        )
        if self.alternate_flip:
            at_first = RandomNumbers(random.seed, 0, random.indices).coins(FLIP)
            return down, right, at_first ^ bool(random.epoch % 2)
        mirrored = random.coins(FLIP)
        return down, right, mirrored if self.flip else np.zeros(len(random.indices), np.bool_)

    def _cut_out(self, normal: Floats, random: RandomNumbers) -> Floats:
        """A square of zeros at a random place."""
        if self.cutout:
            rows = random.integers(CUTOUT_Y, normal.shape[1]) - self.cutout // 2
            columns = random.integers(CUTOUT_X, normal.shape[2]) - self.cutout // 2
            # An engine may have cut them out elsewhere than in our memory.
            normal = np.require(normal, requirements="W")
            for image, top, left in zip(normal, rows.tolist(), columns.tolist(), strict=True):
                image[max(top, 0) : top + self.cutout, max(left, 0) : left + self.cutout] = 0
        return normal


def reflected(pictures: NDArray[Any], border: int) -> NDArray[Any]:
    """(N, H, W, C) pictures with so many pixels around each: its own, mirrored at its edge."""
    return (
        np.pad(pictures, ((0, 0), (border, border), (border, border), (0, 0)), "reflect")
        if border
        else pictures
    )
