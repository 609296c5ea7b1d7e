"""Pictures coloured, held to Pillow's."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageEnhance
from pixels import light, smooth

from residua.data.augmentation import color
from residua.data.augmentation.randaugment import (
    sharpness,
)
from residua.errors import DataError

FACTORS = np.array([0.0, 0.4, 1.0, 1.7], np.float32)


@pytest.mark.parametrize(
    ("change", "enhance"),
    [
        (color.brightness, ImageEnhance.Brightness),
        (color.contrast, ImageEnhance.Contrast),
        (color.saturation, ImageEnhance.Color),
        (sharpness, ImageEnhance.Sharpness),
    ],
)
def test_enhancements_equal_pillow_s(change, enhance):
    images = smooth()
    got = np.clip(change(light(images), FACTORS), 0, 1)
    for image, factor, result in zip(images, FACTORS, got, strict=True):
        wanted = np.asarray(enhance(Image.fromarray(image)).enhance(float(factor)))
        assert abs(result * 255 - wanted).max() < 2.1, (enhance, factor)


def test_a_third_of_a_turn_of_the_hue_moves_the_channels():
    images = light(smooth(2))
    third = np.full(2, 2 * np.pi / 3, np.float32)
    assert np.allclose(color.hue(images, third), images[..., [2, 0, 1]], atol=1e-5)  # red becomes green
    angles = np.array([0.7, -2.0], np.float32)
    turned = color.hue(images, angles)
    assert np.allclose(turned.sum(-1), images.sum(-1), atol=1e-5)
    assert np.allclose(color.hue(turned, -angles), images, atol=1e-5)
    grey = images[..., :1].repeat(3, -1)
    assert np.allclose(color.hue(grey, angles), grey, atol=1e-5)


def test_tint_multiplies_channels():
    images = light(smooth(2))
    factors = np.array([[1, 0.5, 0], [2, 1, 1]], np.float32)
    assert np.allclose(color.tint(images, factors), images * factors[:, None, None])


def test_principal_components_of_the_colours():
    images = smooth(30)
    components = color.measure_components(images)
    pixels = images.reshape(-1, 3) / 255
    values, vectors = np.linalg.eigh(np.cov(pixels.T, bias=True))
    for row, value, vector in zip(components, values, vectors.T, strict=True):
        assert np.linalg.norm(row) == pytest.approx(value, rel=1e-4)
        assert abs(row @ vector) == pytest.approx(value, rel=1e-4)
    assert np.array_equal(color.measure_components(images[::-1]), components)
    multiples = np.array([[0.1, -0.2, 0.3]], np.float32)
    shift = color.pca_noise(light(images[:1]), components, multiples) - light(images[:1])
    wanted = sum(m * row for m, row in zip(multiples[0], components, strict=True))
    assert np.allclose(shift, wanted, atol=1e-6)
    with pytest.raises(DataError, match="3 channels"):
        color.measure_components(images[..., :1])
