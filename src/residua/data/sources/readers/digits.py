"""scikit-learn's handwritten digits."""

from __future__ import annotations

import numpy as np

from residua.data.pictures.arrays import Pictures


def read_digits() -> Pictures:
    """scikit-learn's digits, whose pixels count 0 to 16, as uint8."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)[..., None]
    names = tuple(f"digits[{index}]" for index in range(len(images)))
    return Pictures(images, digits.target.astype(np.int64), names)
