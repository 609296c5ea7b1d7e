"""Sheets of small pictures: cells in rows and columns that do not overlap, text inside the figure."""

from __future__ import annotations

import numpy as np
import pytest

from residua.insight.shared.sheets import Margins, Tiles, aspect, picture_sheet, shades, without_grey_axis


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (3, 5)])
def test_cells_lie_side_by_side_inside_the_figure(rows, columns):
    tiles = Tiles(rows, columns, 1.0, 0.5, "a title of some words " * 8, Margins(above=0.2, left=0.3))
    corners = [tiles.corner(row, column) for row in range(rows) for column in range(columns)]
    assert len(set(corners)) == rows * columns
    for left, top in corners:
        assert 0 <= left <= tiles.inches[0] - 1.0
        assert 0.5 <= top <= tiles.inches[1]
    for row in range(rows):
        for column in range(1, columns):
            assert tiles.corner(row, column)[0] >= tiles.corner(row, column - 1)[0] + 1.0
    for row in range(1, rows):
        assert tiles.corner(row, 0)[1] + 0.2 <= tiles.corner(row - 1, 0)[1] - 0.5


def test_pictures_lie_where_their_cells_are(rng):
    tiles = Tiles(1, 2, 1.0, 1.0, "two", Margins(above=0.2))
    tiles.picture(0, 0, rng.integers(0, 256, (4, 4, 1), np.uint8), "grey")
    tiles.picture(0, 1, rng.integers(0, 256, (4, 4, 3), np.uint8))
    tiles.ring(0, 1, 0.5, 0.5)
    for column, image in enumerate(tiles.axes.get_images()):
        left, top = tiles.corner(0, column)
        assert image.get_extent() == pytest.approx([left, left + 1, top - 1, top])
    assert [text.get_text() for text in tiles.axes.texts] == ["grey"]
    assert (tiles.axes.get_xlim(), tiles.axes.get_ylim()) == ((0, tiles.inches[0]), (0, tiles.inches[1]))


def test_shapes_of_pictures():
    assert without_grey_axis(np.zeros((4, 5, 1))).shape == (4, 5)
    assert without_grey_axis(np.zeros((4, 5, 3))).shape == (4, 5, 3)
    assert aspect(np.zeros((10, 5, 3)), 0.5, 1.5) == 1.5
    assert aspect(np.zeros((1, 5, 3)), 0.5, 1.5) == 0.5
    assert aspect(np.zeros((4, 5)), 0.5, 1.5) == 0.8
    assert shades(np.zeros((4, 5, 1), np.uint8)) == {"cmap": "gray", "vmin": 0, "vmax": 255}
    assert shades(np.zeros((4, 5, 3), np.float32)) == {"cmap": None, "vmin": 0, "vmax": 1}


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
