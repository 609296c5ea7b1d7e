"""A missing end marker is mended, missing pixels are not."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from strange_pictures import saved

from residua.data.pictures.decoding import read_picture
from residua.data.pictures.jpeg_end import with_end
from residua.data.pictures.notes import NO_END
from residua.errors import PictureError


def picture(width=50, height=37, mode="RGB"):
    pixels = np.random.default_rng(width).integers(0, 256, (height // 4 + 1, width // 4 + 1, 3), np.uint8)
    return Image.fromarray(pixels).resize((width, height)).convert(mode)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"quality": 30}, {"subsampling": 0}])
def test_without_its_end_marker_it_is_used_and_said(mode, options):
    whole = saved(picture(mode=mode), "JPEG", **options)
    assert whole.endswith(b"\xff\xd9")
    for lacking in (whole[:-2], whole[:-1]):
        notes = []
        pixels = read_picture(lacking, 16, 16, 3, notes=notes)
        assert np.array_equal(pixels, read_picture(whole, 16, 16, 3))
        assert notes == [NO_END]


@pytest.mark.parametrize("options", [{}, {"restart_marker_blocks": 1}, {"progressive": True}])
def test_cut_in_its_pixels_it_is_refused(options):
    """At any place: also where a row of blocks or a pass ends."""
    whole = saved(picture(), "JPEG", **options)
    for missing in [3, 4, 5, 7, 10, *range(12, len(whole) - 700, 23)]:
        with pytest.raises(PictureError):
            read_picture(whole[:-missing], 16, 16, 3)


@pytest.mark.parametrize("options", [{"restart_marker_blocks": 1}, {"progressive": True}])
def test_what_comes_in_passes_or_sections_is_never_taken_for_whole(options):
    assert with_end(saved(picture(), "JPEG", **options)[:-2]) is None


def test_other_files_are_left_alone():
    assert with_end(saved(picture(), "PNG")[:-2]) is None
    assert with_end(saved(picture(), "JPEG")) is None
