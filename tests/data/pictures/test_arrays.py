"""Pictures as arrays."""

from __future__ import annotations

import numpy as np
import pytest

from residua.data.pictures.arrays import Pictures
from residua.errors import ShapeError


def test_pictures_take_and_lengths():
    pictures = Pictures(np.zeros((3, 2, 2, 1), np.uint8), np.arange(3), ["a", "b", "c"])
    taken = pictures.take([2, 0])
    assert (len(taken), taken.names, taken.labels.tolist()) == (2, ("c", "a"), [2, 0])
    with pytest.raises(ShapeError):
        Pictures(np.zeros((3, 2, 2, 1), np.uint8), np.arange(2), ["a", "b", "c"])
