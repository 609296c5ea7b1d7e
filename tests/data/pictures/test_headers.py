"""A picture's size is told as it is displayed."""

from __future__ import annotations

import pytest
from strange_pictures import BROKEN_EXIF, saved, scene, tagged, with_segment

from residua.data.pictures.headers import read_header
from residua.errors import PictureError


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
@pytest.mark.parametrize("tag", [1, 3, 5, 6, 8])
def test_size_as_displayed(tmp_path, kind, tag):
    path = tmp_path / "x"
    path.write_bytes(tagged(scene(), kind, tag))
    assert read_header(path) == ((24, 16), "RGB")


def test_metadata_do_not_stand_in_the_way(tmp_path):
    path = tmp_path / "x.jpg"
    path.write_bytes(with_segment(saved(scene(), "JPEG"), 0xE2, b"ICC_PROFILE\0"))
    assert read_header(path) == ((24, 16), "RGB")
    path.write_bytes(with_segment(saved(scene(), "JPEG"), 0xE1, BROKEN_EXIF))
    assert read_header(path) == ((24, 16), "RGB")
    path.write_bytes(b"text")
    with pytest.raises(PictureError, match="a text file"):
        read_header(path)
