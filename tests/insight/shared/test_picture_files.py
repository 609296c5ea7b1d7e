"""Pictures as files: without loss, and under names that every file system takes."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from residua.insight.shared.picture_files import encode_png, file_name


def test_a_png_holds_every_pixel(rng):
    for channels in (1, 3):
        picture = rng.integers(0, 256, (5, 7, channels), np.uint8)
        read = np.asarray(Image.open(io.BytesIO(encode_png(picture))))
        np.testing.assert_array_equal(read.reshape(picture.shape), picture)


def test_names_of_classes_make_names_of_files():
    assert file_name(["cat.1", "as", "Egyptian cat, puss/cat"]) == "cat.1-as-Egyptian-cat--puss-cat"
    assert file_name(["..", "as", "../../x"]) == "as-x"
    assert len(file_name(["long" * 100])) == 60
