"""Pixels of every type as 8 bits, and what is no picture told with what to do."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from residua.classifier.pixels import check_finite, list_pixels, to_bytes, to_pictures
from residua.data.pictures.decoding import read_picture
from residua.errors import DataError, PictureError, ShapeError

RAMP = np.arange(64, dtype=np.uint8).reshape(1, 8, 8) * 4
TYPES = {
    "uint8": RAMP,
    "int64": RAMP.astype(np.int64),
    "int16": RAMP.astype(np.int16),
    "float32": (RAMP / 255).astype(np.float32),
    "float64": RAMP / 255,
    "float16": (RAMP / 255).astype(np.float16),
    "uint16": RAMP.astype(np.uint16) * 257,
    "objects": RAMP.astype(object) / 255,
}


@pytest.mark.parametrize("array", TYPES.values(), ids=TYPES.keys())
def test_every_type_gives_the_same_bytes(array):
    got = to_pictures(array)
    assert got.dtype == np.uint8
    assert (got[..., 0] == RAMP).all()


def test_truth_values_are_black_and_white():
    assert to_bytes(RAMP > 100).max() == 255
    assert set(np.unique(to_bytes(RAMP > 100))) == {0, 255}


REFUSED = {
    "0 to 255": (RAMP.astype(np.float32), ShapeError, r"float32 from 0 to 252; divide .*, such as X / 255"),
    "0 to 16": (RAMP / 16, ShapeError, r"from 0 to 15.75; divide .*X / 15.75"),
    "-1 to 1": (RAMP / 127.5 - 1, ShapeError, r"give \(X \+ 1\) / 2"),
    "standardised": (RAMP / 20 - 3.0, ShapeError, "shift and divide them"),
    "signed": (RAMP.astype(np.int64) - 5, ShapeError, "int64 from -5 to 247"),
    "16 of 8 bits": (RAMP.astype(np.uint16), ShapeError, r"X\.astype\(np\.uint8\)"),
    "complex": (RAMP.astype(complex), ShapeError, "complex128"),
    "text": (RAMP.astype(str), ShapeError, "pixels are numbers"),
    "things": (np.full((1, 8, 8), {}, object), ShapeError, "no numbers"),
    "channels first": (np.zeros((2, 3, 8, 8)), ShapeError, r"give X\.transpose\(0, 2, 3, 1\)"),
    "transparency": (np.zeros((2, 8, 8, 4)), ShapeError, r"transparency; give X\[\.\.\., :3\]"),
    "grey and transparency": (np.zeros((2, 8, 8, 2)), ShapeError, r"X\[\.\.\., :1\]"),
    "video": (np.zeros((2, 4, 8, 8, 3)), ShapeError, r"X has the shape \(2, 4, 8, 8, 3\)"),
}  # fmt: skip


@pytest.mark.parametrize(("array", "error", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_picture_is_told(array, error, said):
    with pytest.raises(error, match=said) as caught:
        to_pictures(array)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("value", "name"), [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")])
def test_pictures_with_holes_are_named(value, name):
    array = np.zeros((5, 8, 8))
    array[2, 0, 0] = array[4, 1, 1] = value
    with pytest.raises(DataError, match=rf"2 of 5 pictures in X hold {name} \(numbers 2, 4\)"):
        to_pictures(array)
    check_finite(np.zeros((2, 2)), "X")


def test_a_dark_picture_of_16_bits_beside_a_bright_one():
    dark, bright = np.full((8, 8), 200, np.uint16), np.full((8, 8), 60000, np.uint16)
    assert [picture.max() for picture in list_pixels([dark, bright])] == [1, 233]
    assert to_bytes(np.zeros((1, 2, 2), np.uint16)).max() == 0


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P", "1", "CMYK", "I;16", "YCbCr"])
def test_pillows_pictures_are_as_their_files(mode):
    image = Image.fromarray(RAMP[0]).convert(mode)
    (pixels,) = list_pixels([image])
    stream = io.BytesIO()
    image.save(stream, "PNG" if mode in ("L", "RGB", "RGBA", "LA", "P", "1", "I;16") else "TIFF")
    assert (pixels == read_picture(stream.getvalue(), 8, 8, pixels.shape[-1])).all()


def test_pillows_pictures_are_turned_upright():
    image = Image.fromarray(RAMP[0][:4])
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(stream, "JPEG", exif=exif)
    (pixels,) = list_pixels([Image.open(stream)])
    assert pixels.shape == (8, 4, 1)
    assert (pixels == read_picture(stream.getvalue(), 8, 4, 1)).all()


@pytest.mark.parametrize(
    ("item", "error", "said"),
    [
        (np.zeros((3, 8, 8)), ShapeError, r"picture 1 of X .*\(3, 8, 8\).*picture\.transpose\(1, 2, 0\)"),
        (np.zeros((8, 8, 4)), ShapeError, "picture 1 of X .*transparency"),
        (np.full((8, 8), 9.0), ShapeError, "picture 1 of X is float64 from 9 to 9"),
        (Image.new("L", (0, 0)), PictureError, "picture 1 of X"),
    ],
)
def test_the_picture_of_a_list_that_is_none_is_named(item, error, said):
    with pytest.raises(error, match=said):
        list_pixels([RAMP[0], item])
