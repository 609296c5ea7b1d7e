"""RandAugment's operations, held to Pillow's, and how they are drawn."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps
from pixels import light, smooth

from residua.data import random_numbers as streams
from residua.data.augmentation.randaugment import (
    OPERATIONS,
    auto_contrast,
    equalize,
    posterize,
    randaugment,
    sharpness,
    solarize,
)
from residua.data.random_numbers import RandomNumbers


def test_smoothing_equals_pillow_s_filter():
    image = smooth(1)
    wanted = np.asarray(Image.fromarray(image[0]).filter(ImageFilter.SMOOTH))
    got = sharpness(light(image), np.zeros(1, np.float32))[0] * 255
    assert abs(got - wanted).max() <= 1


def test_its_operations_equal_pillow_s():
    images = smooth(4, 200, 300, seed=3)  # on few pixels Pillow's equalize rounds its steps coarsely
    images[0] //= 3
    pairs = [
        (auto_contrast(light(images)), ImageOps.autocontrast, 1.1),
        (equalize(light(images)), ImageOps.equalize, 8),  # where the darkest counts half a step more
        (posterize(light(images), 3), lambda image: ImageOps.posterize(image, 3), 0.1),
        (solarize(light(images), 100 / 255), lambda image: ImageOps.solarize(image, 100), 0.1),
    ]
    for got, wanted, tolerance in pairs:
        for image, result in zip(images, got, strict=True):
            assert abs(result * 255 - np.asarray(wanted(Image.fromarray(image)))).max() < tolerance


def test_equalize_and_auto_contrast_of_one_value():
    flat = np.full((1, 5, 5, 3), 0.4, np.float32)
    assert np.allclose(auto_contrast(flat), flat)
    assert np.allclose(equalize(flat), np.rint(flat * 255) / 255)


def test_randaugment_uses_each_operation_equally_often():
    images = np.zeros((14_000, 3, 3, 1), np.float32)
    images[:] = np.linspace(0.1, 0.6, 9).reshape(3, 3, 1)
    chosen = RandomNumbers(5, 0, np.arange(14_000)).integers(streams.RANDAUGMENT, 14)
    assert len(OPERATIONS) == 14
    assert np.bincount(chosen).min() > 850
    got = randaugment(images, 1, 9.0, np.zeros(1, np.float32), RandomNumbers(5, 0, np.arange(14_000)))
    alike = (got == images).all(axis=(1, 2, 3))
    assert alike[chosen == list(OPERATIONS).index("identity")].all()
    for number, name in enumerate(OPERATIONS):
        if name not in ("identity", "colour", "sharpness", "posterize", "translate-x", "translate-y"):
            assert not alike[chosen == number].any(), name


@pytest.mark.parametrize("channels", [1, 3])
def test_randaugment_stays_in_range_and_follows_its_key(channels):
    images = light(smooth(40, c=channels))
    fill = np.full(channels, 0.5, np.float32)
    indices = np.arange(40)
    one = randaugment(images, 3, 9.0, fill, RandomNumbers(1, 2, indices))
    assert one.dtype == np.float32
    assert one.min() >= 0
    assert one.max() <= 1
    parts = [
        randaugment(images[k : k + 7], 3, 9.0, fill, RandomNumbers(1, 2, indices[k : k + 7]))
        for k in range(0, 40, 7)
    ]
    assert np.allclose(np.concatenate(parts), one, atol=1e-6)
    assert np.array_equal(randaugment(images, 0, 9.0, fill, RandomNumbers(1, 2, indices)), images)
