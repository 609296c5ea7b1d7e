"""Descriptions of pictures, held to a plain way of computing them."""

from __future__ import annotations

import numpy as np
import pytest
from pixels import scenes

from residua.data.quality.descriptors import describe

pytestmark = pytest.mark.usefixtures("quiet_cache")


def plain_description(image, side):
    """`describe` for one picture, pixel by pixel."""
    h, w, _ = image.shape
    grey = [[float(image[y, x] @ np.array([0.299, 0.587, 0.114])) for x in range(w)] for y in range(h)]
    small = np.zeros((side, side))
    for i in range(side):
        for j in range(side):
            total = weight = 0.0
            for y in range(h):
                for x in range(w):
                    high = min((i + 1) * h / side, y + 1) - max(i * h / side, y)
                    wide = min((j + 1) * w / side, x + 1) - max(j * w / side, x)
                    if high > 0 and wide > 0:
                        total += grey[y][x] * high * wide
                        weight += high * wide
            small[i, j] = total / weight
    right = [small[i, j + 1] - small[i, j] for i in range(side) for j in range(side - 1)]
    below = [small[i + 1, j] - small[i, j] for i in range(side - 1) for j in range(side)]
    both = np.array(right + below)
    return both / np.linalg.norm(both)


@pytest.mark.parametrize("size", [8, 11, 20])
def test_a_description_is_what_it_says(size):
    images = scenes(3, size)
    got = describe(images, 8)
    assert got.dtype == np.float32
    for image, row in zip(images, got, strict=True):
        assert np.allclose(row, plain_description(image, 8), atol=1e-5)


def test_brightness_and_contrast_have_no_part_in_a_description():
    images = scenes(5)
    dim = (images * 0.5 + 40).astype(np.uint8)
    assert (np.einsum("nd,nd->n", describe(images), describe(dim)) > 0.999).all()
    grey = describe(np.full((2, 32, 32, 3), 77, np.uint8))
    assert not grey.any()
    assert describe(np.zeros((0, 32, 32, 3), np.uint8)).shape[0] == 0
    assert describe(scenes(2, 3)).shape == (2, 12)
