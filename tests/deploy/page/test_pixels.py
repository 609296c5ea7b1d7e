"""A picture's way to numbers in a page's scripts is residua's own, to the byte."""

from __future__ import annotations

import numpy as np
import pytest
from page_scripts import read_in_node, run_in_node
from png_files import KINDS, exif_block, write_png

from residua.data.pictures.decoding import read_picture
from residua.data.preprocessing import Preprocessing
from residua.deploy.page.preprocessing import describe_preprocessing
from residua.deploy.page.sources import pixels_script

SEE = """
console.log(JSON.stringify(input.payload.map(({ bytes, shape }) => Array.from(normalise(bytes, shape)))));
"""


def _compare(files):
    for found, given in zip(read_in_node(files), files, strict=True):
        assert not isinstance(found, str), found
        assert np.array_equal(found, read_picture(*given)), given[1:]


def test_png_of_every_kind(rng):
    files = []
    for colour, bits in KINDS:
        for interlaced in (False, True):
            for clear in (False, True) if colour not in (4, 6) else (False,):
                size = rng.integers(1, 24, 2).tolist()
                content = write_png(rng, colour, bits, size, interlaced=interlaced, clear=clear)
                files += [(content, *size, channels) for channels in (1, 3)]
                files.append((content, 5, 7, 3))
    _compare(files)


def test_pictures_of_any_size_at_any_size(rng):
    files = []
    for _ in range(40):
        height, width, tall, wide = (int(side) for side in rng.integers(1, 60, 4))
        content = write_png(rng, int(rng.choice([0, 2, 6])), 8, (height, width))
        files.append((content, tall, wide, 3))
    files.append((write_png(rng, 2, 8, (700, 300)), 32, 32, 3))
    _compare(files)


def test_pictures_that_lie_on_their_side(rng):
    files = []
    for orientation in range(1, 9):
        for order in "<>":
            chunk = (b"eXIf", exif_block(orientation, order))
            files.append((write_png(rng, 2, 8, (9, 14), more=[chunk]), 6, 4, 3))
        text = b'XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation="%d"/>' % orientation
        files.append((write_png(rng, 2, 8, (9, 14), more=[(b"iTXt", text)]), 4, 6, 3))
    _compare(files)


def test_what_cannot_be_read_is_told(rng):
    good = write_png(rng, 2, 8, (9, 9))
    huge = bytearray(good)
    huge[16:24] = (20000).to_bytes(4, "big") * 2
    files = [b"", good[:-60], good[:30], bytes(huge), b"II*\0" + bytes(40), b"\0\0\0\x18ftypheic" + bytes(9)]
    reasons = ["empty", "damaged", "damaged", "tooLarge", "unreadable", "unreadable"]
    assert read_in_node([(content, 4, 4, 3) for content in files]) == reasons


@pytest.mark.parametrize(
    "shape",
    [
        Preprocessing(6, 5, 3, (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)),
        Preprocessing(6, 5, 3, (0.4, 0.5, 0.6), (0.2, 0.3, 0.25), order="BGR"),
        Preprocessing(9, 12, 1, (0.1,), (0.3,), source=(6, 5)),
        Preprocessing(4, 9, 3, (0.4, 0.5, 0.6), (0.2, 0.3, 0.25), source=(7, 6)),
    ],
)
def test_what_a_network_sees(rng, shape):
    images = rng.integers(0, 256, (2, *shape.stored, shape.channels), np.uint8)
    given = describe_preprocessing(shape)
    payload = [{"bytes": image.ravel().tolist(), "shape": given} for image in images]
    found = np.array(run_in_node(f"{pixels_script()}\n{SEE}", payload), np.float32)
    expected = shape.normalize(images)
    if shape.source is None:
        assert np.array_equal(found.reshape(expected.shape), expected)
    assert np.abs(found.reshape(expected.shape) - expected).max() < 1e-5
