"""The sheet of augmentation: a row for each picture, which stands unvaried at its beginning."""

from __future__ import annotations

import numpy as np
from small_predictions import texts

from residua.insight.augmentation.figure import augmentation_figure
from residua.insight.augmentation.numbers import Row


def test_before_stands_apart_from_what_came_after():
    before, after = np.full((8, 8, 3), 10, np.uint8), np.full((8, 8, 3), 200, np.uint8)
    figure = augmentation_figure([Row("--flip", before, (after, after))] * 2, "pics  --flip")
    said = texts(figure)
    assert "pics  --flip" in said
    assert said.count("--flip") == 3
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["before", "epoch 1", "epoch 2"]
    (sheet,) = (image.get_array() for image in figure.axes[0].images)
    line = sheet[10, :, 0]  # enlarged to 64 pixels, so that small pictures can be seen
    assert (line == 10).sum() == 64
    assert (line == 200).sum() == 128
    assert (line[64:70] == 255).all()
