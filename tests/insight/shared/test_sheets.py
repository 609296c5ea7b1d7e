"""Sheets of small pictures: cells beside each other, captions above them, nothing squeezed."""

from __future__ import annotations

import numpy as np
import pytest

from residua.insight.shared.sheets import Margins, Tiles, aspect, picture_sheet, shades, without_grey_axis


def test_cells_lie_beside_and_below_each_other():
    tiles = Tiles(2, 3, 1.0, 0.5, "A title", Margins(above=0.2, left=0.3, below=0.4))
    (left, top), (right, same), (below_left, below) = (
        tiles.corner(*cell) for cell in ((0, 0), (0, 1), (1, 0))
    )
    assert (same, below_left) == (top, left)
    assert right - left == pytest.approx(1.08)
    assert top - below == pytest.approx(0.5 + 0.2 + 0.08)
    assert tiles.foot(0) == pytest.approx((left, below - 0.5))
    assert below - 0.5 >= 0.4  # room for what is said of the columns
    assert tiles.inches[0] >= 6.2


def test_a_sheet_has_every_picture_with_its_lines(rng):
    images = rng.integers(0, 256, (10, 4, 4, 3), np.uint8)
    captions = [[(f"first {n}", "black"), (f"second {n}", "red")] for n in range(10)]
    figure = picture_sheet(images, captions, "Ten", columns=4)
    (axes,) = figure.axes
    assert len(axes.images) == 10
    assert {text.get_text() for text in axes.texts} == {line for pair in captions for line, _ in pair}
    heights = {text.get_text(): text.get_position()[1] for text in axes.texts}
    assert heights["first 0"] > heights["second 0"]  # in the order of reading
    np.testing.assert_array_equal(axes.images[3].get_array(), images[3])


def test_grey_and_colour_are_read_as_they_are():
    grey, colour = np.zeros((4, 5, 1), np.uint8), np.zeros((4, 5, 3), np.float32)
    assert without_grey_axis(grey).shape == (4, 5)
    assert without_grey_axis(colour) is colour
    assert shades(grey) == {"cmap": "gray", "vmin": 0, "vmax": 255}
    assert shades(colour) == {"cmap": None, "vmin": 0, "vmax": 1}


def test_no_picture_becomes_a_stripe():
    assert aspect(np.zeros((30, 20, 3)), 0.5, 2.0) == 1.5
    assert aspect(np.zeros((300, 20, 3)), 0.5, 2.0) == 2.0
    assert aspect(np.zeros((2, 20, 3)), 0.5, 2.0) == 0.5
