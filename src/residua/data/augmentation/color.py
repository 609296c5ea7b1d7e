"""Augmentation of colour: brighter, flatter, greyer, of another hue, and with noise.

All functions take and give (N, H, W, C) float32 from 0 to 1, take a number per picture, and may leave that
range; the caller clips once at the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from residua.data import random_numbers as streams
from residua.data.pictures.selection import Images
from residua.data.random_numbers import Floats, RandomNumbers
from residua.errors import DataError

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, which Pillow uses as well


@dataclass(frozen=True)
class ColorJitter:
    """How the colours of training pictures vary; 0 is not at all. See `Augment` for what the numbers mean."""

    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    tint: float = 0.0
    pca_noise: float = 0.0
    noise: float = 0.0
    components: tuple[tuple[float, ...], ...] = ()

    def __bool__(self) -> bool:
        return any(
            (
                self.brightness,
                self.contrast,
                self.saturation,
                self.hue,
                self.tint,
                self.pca_noise,
                self.noise,
            )
        )

    def apply(self, images: Floats, random: RandomNumbers) -> Floats:
        """Vary the colours of (N, H, W, C) pictures, of each in a way of its own; not clipped."""
        for most, change, stream in (
            (self.brightness, brightness, streams.BRIGHTNESS),
            (self.contrast, contrast, streams.CONTRAST),
            (self.saturation, saturation, streams.SATURATION),
        ):
            if most:
                images = change(images, 1 + random.symmetric(stream, most)[:, 0])
        if self.hue:
            images = hue(images, random.symmetric(streams.HUE, np.deg2rad(self.hue))[:, 0])
        if self.tint:
            images = tint(images, 1 + random.symmetric(streams.TINT, self.tint, 3))
        if self.pca_noise:
            multiples = random.normal(streams.PCA, 3) * np.float32(self.pca_noise)
            images = pca_noise(images, np.array(self.components, np.float32), multiples)
        if self.noise:
            images = noise(images, random.normal(streams.NOISE, images[0].size), self.noise)
        return images


def _per_picture(factors: Floats) -> Floats:
    return factors[:, None, None, None]


def to_grey(images: Floats) -> Floats:
    """(N, H, W, 1) brightness as seen."""
    return (images @ _LUMA)[..., None] if images.shape[-1] == 3 else images


def brightness(images: Floats, factors: Floats) -> Floats:
    """Multiply by (N,) factors: 0 gives black."""
    return images * _per_picture(factors)


def contrast(images: Floats, factors: Floats) -> Floats:
    """Move away from each picture's own mean brightness by (N,) factors: 0 gives one grey."""
    mean = to_grey(images).mean(axis=(1, 2, 3), keepdims=True)
    result: Floats = mean + (images - mean) * _per_picture(factors)
    return result


def saturation(images: Floats, factors: Floats) -> Floats:
    """Move away from grey by (N,) factors: 0 gives a grey picture."""
    grey = to_grey(images)
    result: Floats = grey + (images - grey) * _per_picture(factors)
    return result


def hue(images: Floats, angles: Floats) -> Floats:
    """Turn the colours about the axis of the greys by (N,) radians: a third of a turn makes red green.

    A rotation in the cube of colours, which unlike a change of hue in HSV is smooth and keeps r + g + b.
    """
    cosine, sine = np.cos(angles), np.sin(angles) / np.float32(np.sqrt(3))
    third = (1 - cosine) / 3
    matrix = np.empty((len(images), 3, 3), np.float32)
    for row in range(3):
        matrix[:, row, row] = third + cosine
        matrix[:, (row + 1) % 3, row] = third + sine
        matrix[:, (row + 2) % 3, row] = third - sine
    n, h, w, _ = images.shape
    turned: Floats = images.reshape(n, h * w, 3) @ matrix.transpose(0, 2, 1)
    return turned.reshape(images.shape)


def tint(images: Floats, factors: Floats) -> Floats:
    """Multiply each channel by its own factor, (N, C): as under coloured light."""
    return images * factors[:, None, None, :]


def pca_noise(images: Floats, components: Floats, multiples: Floats) -> Floats:
    """Add to each picture one colour along the training colours' principal components.

    components: (3, 3), of `measure_components`. multiples: (N, 3), of standard deviation 0.1 in Krizhevsky,
    Sutskever, Hinton 2012, ImageNet Classification with Deep CNNs, section 4.1, which also gives the
    method; there one draw stands until a picture is used again, here too.
    """
    return images + (multiples @ components)[:, None, None, :]


def measure_components(images: Images) -> Floats:
    """(3, 3) principal components of the colours of (N, H, W, 3) uint8 pictures, by their eigenvalues.

    Row k is eigenvalue k times eigenvector k of the covariance of r, g and b in 0..1, as the source above
    scales them. Sums are exact, so the order of the pictures has no part in it. Raises DataError where the
    pictures are not in colour.
    """
    if images.shape[-1] != 3:
        raise DataError(f"Noise along the principal colours needs 3 channels, not {images.shape[-1]}.")
    total, products, count = np.zeros(3), np.zeros((3, 3)), 0
    step = max(1, (1 << 22) // max(images[:1].size, 1))
    for start in range(0, len(images), step):
        # Whole numbers below 2**53 in float64: no sum here is rounded.
        pixels = images[start : start + step].reshape(-1, 3).astype(np.float64)
        total += pixels.sum(axis=0)
        products += pixels.T @ pixels
        count += len(pixels)
    mean = total / count
    covariance = (products / count - np.outer(mean, mean)) / 255**2
    values, vectors = np.linalg.eigh(covariance)
    # An eigenvector's sign is arbitrary: the largest entry is made positive.
    largest = np.abs(vectors).argmax(axis=0)
    vectors = vectors * np.sign(vectors[largest, np.arange(3)])
    components: Floats = (np.maximum(values, 0)[:, None] * vectors.T).astype(np.float32)
    return components


def noise(images: Floats, normal: Floats, deviation: float) -> Floats:
    """Add (N, H * W * C) normally distributed numbers times `deviation` (1 is the whole range)."""
    return images + normal.reshape(images.shape) * np.float32(deviation)
