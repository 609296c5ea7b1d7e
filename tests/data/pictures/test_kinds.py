"""A file is known by its content, whatever it is called."""

from __future__ import annotations

import pytest
from PIL import Image
from strange_pictures import HEIC, box_file, saved, scene

from residua.data.pictures.kinds import is_read, recognise

DNG = b"II*\0\x08\0\0\0\x01\0" + b"\x12\xc6\x01\0\x04\0\0\0\x01\x04\0\0" + bytes(4)


@pytest.mark.parametrize(
    "kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "AVIF", "JPEG2000", "ICO", "TGA"]
)
def test_what_is_read_is_recognised_by_content(kind):
    found = recognise(saved(scene(), kind))
    assert found is not None
    assert found.pillow == kind
    assert is_read(found) or kind == "AVIF"


@pytest.mark.parametrize(
    ("start", "suffix", "one"),
    [
        (HEIC, ".jpg", "a HEIC picture"),
        (box_file(b"mif1", b"heic"), "", "a HEIC picture"),
        (box_file(b"mif1", b"avif"), "", "an AVIF picture"),
        (box_file(b"isom", b"mp42"), "", "a video"),
        (box_file(b"crx "), "", "a camera's raw file"),
        (DNG, "", "a camera's raw file"),
        (b"II*\0\x08\0\0\0\0\0", ".nef", "a camera's raw file"),
        (b"\xff\x0a" + bytes(9), "", "a JPEG XL picture"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "", "a JPEG XL picture"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "", "an SVG drawing"),
        (b"\xef\xbb\xbf<svg/>", ".png", "an SVG drawing"),
        (b"8BPS\0\1", "", "a Photoshop document"),
        (b"gimp xcf v011", "", "a GIMP document"),
        (b"%PDF-1.7\n%\xe2\xe3", ".jpg", "a PDF document"),
        (b"PK\3\4" + bytes(30), ".png", "a ZIP archive"),
        (b"\x1f\x8b\x08\0", "", "a gzip archive"),
        (b'{"label": 3}', "", "a JSON file"),
        (b"[1, 2]", "", "a JSON file"),
        (b"\n<!DOCTYPE html><p>404", "", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", ".jpg", "a Git LFS pointer"),
        (bytes(128) + b"DICM", "", "a DICOM picture"),
        (b"\x93NUMPY\x01\0", "", "a NumPy array"),
        (b"RIFF\0\0\0\0AVI LIST", "", "a video"),
        (b"BMW and other cars", "", "a text file"),
        ("Zürich, naïve".encode(), "", "a text file"),
        (b"\xff\xfea\0b\0", "", "a text file"),
        (b"\0\5\x16\7\0\2", "", "macOS's notes on a file"),
        (bytes(100), "", "a file of nothing but zeros"),
    ],
)
def test_other_kinds_are_named(start, suffix, one):
    found = recognise(start, suffix)
    assert found is not None
    assert found.one == one


def test_what_nobody_knows_has_no_kind():
    assert recognise(bytes(range(128, 256))) is None
    assert not is_read(None)


def test_a_text_that_is_cut_within_a_letter_is_a_text():
    found = recognise("ä".encode() * 100 + b"\xc3")
    assert found is not None
    assert found.one == "a text file"


def test_a_tga_picture_without_a_mark_is_known_by_its_suffix_alone():
    data = saved(Image.new("RGB", (3, 3)), "TGA")[:-26]  # without the footer, as older programs write it
    assert recognise(data, ".tga") is recognise(saved(scene(), "TGA"))
    found = recognise(saved(scene(), "JPEG"), ".tga")
    assert found is not None
    assert found.pillow == "JPEG"
