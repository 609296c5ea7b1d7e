"""Shapes that layers can take, and how many windows lie in one."""

from __future__ import annotations

import pytest

from residua.errors import ShapeError
from residua.layers import Conv2d, MaxPool2d
from residua.layers.shapes import need_pictures, window_counts, within


@pytest.mark.parametrize(
    ("layer", "size", "counts"),
    [
        (Conv2d(3, 4), (5, 7), (5, 7)),
        (Conv2d(3, 4, 3, 2, 1), (5, 7), (3, 4)),
        (MaxPool2d(3, 2, 0), (6, 9), (2, 4)),
    ],
)
def test_windows_that_lie_whole_are_counted(layer, size, counts):
    assert window_counts(layer, (*size, 3)) == counts


def test_what_does_not_fit_is_named_with_its_path():
    with pytest.raises(ShapeError, match=r"Conv2d needs pictures of at least 5 pixels"):
        window_counts(Conv2d(3, 4, 5, 1, 0), (4, 9, 3))
    with pytest.raises(ShapeError, match=r"Conv2d needs pictures \(H, W, 3\); it was given \(4, 4, 1\)"):
        need_pictures(Conv2d(3, 4), (4, 4, 1), 3)
    with (
        pytest.raises(ShapeError, match=r"stage1\.conv: Conv2d needs pictures \(H, W, C\)"),
        within("stage1"),
        within("conv"),
    ):
        need_pictures(Conv2d(3, 4), (4,))
