"""Rows of numbers as pictures: which shape, which range, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from residua.classifier.rows import picture_shape, row_shape, scale_values, value_range
from residua.errors import ConfigError, ShapeError


@pytest.mark.parametrize(
    ("features", "shape"),
    [
        (1, (1, 1, 1)), (2, (1, 2, 1)), (3, (1, 1, 3)), (4, (2, 2, 1)), (10, (1, 10, 1)), (12, (2, 2, 3)),
        (63, (1, 63, 1)), (64, (8, 8, 1)), (784, (28, 28, 1)), (3072, (32, 32, 3)), (12288, (64, 64, 3)),
    ],
)  # fmt: skip
def test_a_square_in_grey_then_in_colour_then_a_strip(features, shape):
    assert row_shape(features, None) == shape


@pytest.mark.parametrize(
    ("features", "chosen", "said"),
    [
        (785, None, "785 features are no square picture.*is a column of labels among them"),
        (80, None, r"image_shape=\(height, width\)"),
        (64, (8, 9, 1), r"image_shape \(8, 9, 1\) has 72 numbers; rows of X have 64 features"),
    ],
)
def test_rows_that_are_no_picture(features, chosen, said):
    with pytest.raises(ShapeError, match=said):
        row_shape(features, chosen)
    assert row_shape(72, (8, 9, 1)) == (8, 9, 1)


def test_the_shape_is_named_in_several_ways():
    for shape in ((4, 6), [4, 6], (4, 6, 1), np.array([4, 6]), (np.int64(4), 6)):
        assert picture_shape(shape) == (4, 6, 1)
    assert picture_shape(np.int64(5)) == (5, 5, 1)
    assert picture_shape(None) is None
    for wrong in ((4,), (4, 6, 2), (4.5, 6), "4x6", (0, 3), (True, 2), {4, 6}, (3, 32, 32)):
        with pytest.raises(ConfigError, match="image_shape takes"):
            picture_shape(wrong)
    with pytest.raises(ConfigError, match="channels come first"):
        picture_shape((3, 32, 32))


def test_numbers_are_spread_over_their_range():
    values = np.array([[-2.0, 0.0], [1.0, 2.0]])
    limits = value_range(values)
    assert limits == (-2.0, 2.0)
    assert scale_values(values, limits).tolist() == [[0, 128], [191, 255]]
    assert scale_values(values * 2, limits).tolist() == [[0, 128], [255, 255]], "the nearest there is"
    assert value_range(np.zeros((2, 2))) == (0.0, 1.0)


def test_pixels_stay_what_they_are():
    pixels = np.array([[3, 200]], np.uint8)
    assert (
        scale_values(pixels, value_range(pixels)) is pixels
        or (scale_values(pixels, (0, 255)) == pixels).all()
    )
    assert scale_values(pixels.astype(float), value_range(pixels)).tolist() == [[3, 200]]


def test_numbers_of_another_scale_are_told():
    with pytest.raises(ShapeError, match="X runs from 0 to 255, far outside of 0 to 1, which fit saw"):
        scale_values(np.array([[0.0, 255.0]]), (0.0, 1.0))
