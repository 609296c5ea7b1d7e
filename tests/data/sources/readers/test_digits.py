"""scikit-learn's digits, as bytes."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from residua.data.sources.readers.digits import read_digits


def test_the_digits_are_scikit_learn_s_by_another_scale():
    pictures, origin = read_digits(), load_digits()
    assert (pictures.images.shape, pictures.images.dtype) == ((1797, 8, 8, 1), np.uint8)
    assert np.array_equal(np.rint(pictures.images[..., 0] / 255 * 16), origin.images)
    assert np.array_equal(pictures.labels, origin.target)
    assert (pictures.names[0], pictures.names[-1]) == ("digits[0]", "digits[1796]")
