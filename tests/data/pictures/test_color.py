"""Any mode becomes 8 bits of sRGB: by the range of its values, by its profile, on white."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from strange_pictures import P3_PRIMARIES, SRGB_PRIMARIES, profile, saved, scene, with_tag

from residua.data.pictures.color import flatten
from residua.data.pictures.decoding import read_picture
from residua.data.pictures.notes import DARK, METADATA, STRETCHED
from residua.errors import PictureError

PAIR = Image.frombytes("RGB", (2, 1), bytes([200, 100, 50, 20, 130, 220])).resize((8, 8), 0)


def row(values, dtype, kind="TIFF"):
    """One row of grey numbers, read as 8 bits, and what is said of it."""
    notes: list[str] = []
    image = Image.fromarray(np.array([values], dtype))
    got = read_picture(saved(image, kind), 1, len(values), 1, notes=notes)
    return got[0, :, 0].tolist(), notes


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_picture_in_the_mode_that_is_wanted_is_not_copied(mode):
    picture = PAIR.convert(mode)
    flat, transform = flatten(picture, mode, [])
    assert flat is picture
    assert transform is None


@pytest.mark.parametrize("kind", ["TIFF", "PNG"])
def test_sixteen_bits_run_to_65535(kind):
    assert row([0, 21845, 65535], np.uint16, kind) == ([0, 85, 255], [])
    assert row([0, 4095], np.uint16, kind) == ([0, 16], [DARK])
    assert row([0, 4096], np.uint16, kind)[1] == []


def test_floating_point_runs_to_1_or_255_or_65535():
    assert row([0, 0.5, 1], np.float32) == ([0, 128, 255], [])
    assert row([0, 10, 200], np.float32) == ([0, 10, 200], [])
    assert row([0, 257, 25700], np.float32) == ([0, 1, 100], [])


def test_what_has_no_agreed_white_is_stretched_and_said():
    assert row([-1024, 0, 3072], np.int32) == ([0, 64, 255], [STRETCHED])
    assert row([-1, 0, 1], np.float32) == ([0, 128, 255], [STRETCHED])
    assert row([0, 1000, 1_000_000], np.int32) == ([0, 0, 255], [STRETCHED])
    assert row([np.nan, 0, 1, np.inf], np.float32) == ([0, 0, 255, 0], [STRETCHED])
    with pytest.raises(PictureError, match="none of its values is a number"):
        row([np.nan, np.nan], np.float32)


def test_values_of_8_bits_with_a_sign_are_no_others():
    signed = with_tag(saved(Image.new("L", (4, 4), 0), "TIFF"), 339, 3, 1, 2)
    assert read_picture(signed, 4, 4, 1).max() == 0
    image = Image.fromarray(np.array([[0, 255, 127]], np.uint8))  # 0, -1, 127
    got = read_picture(with_tag(saved(image, "TIFF"), 339, 3, 1, 2), 1, 3, 1)
    assert got[0, :, 0].tolist() == [2, 0, 255]


def test_white_may_be_zero_and_clear_a_value():
    image = Image.fromarray(np.array([[0, 65535]], np.uint16))
    inverted = with_tag(saved(image, "TIFF"), 262, 3, 1, 0)
    assert read_picture(inverted, 1, 2, 1)[0, :, 0].tolist() == [255, 0]
    clear = saved(Image.fromarray(np.array([[7, 65535, 0]], np.uint16)), "PNG", transparency=7)
    assert read_picture(clear, 1, 3, 1)[0, :, 0].tolist() == [255, 255, 0]


# What Chromium shows of the same pixels, to one grey level.
@pytest.mark.parametrize(
    ("icc", "left", "right"),
    [
        (profile(P3_PRIMARIES), (216, 93, 24), (0, 134, 228)),
        (profile(SRGB_PRIMARIES[::-1]), (46, 100, 201), (221, 131, 12)),
        (profile(gamma=1.0), (229, 168, 122), (79, 189, 239)),
    ],
    ids=["Display P3", "red and blue exchanged", "linear"],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
def test_profiles_are_applied(kind, icc, left, right):
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    if kind == "AVIF":
        options = {"quality": 100, "subsampling": "4:4:4"}
    got = read_picture(saved(PAIR, kind, icc_profile=icc, **options), 8, 8, 3)[4].astype(int)
    assert abs(got[1] - left).max() <= (4 if kind == "AVIF" else 3)
    assert abs(got[6] - right).max() <= (4 if kind == "AVIF" else 3)


def test_srgb_changes_nothing_and_a_profile_that_does_not_fit_neither():
    from PIL import ImageCms

    notes: list[str] = []
    plain = read_picture(saved(PAIR, "PNG"), 8, 8, 3)
    same = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.array_equal(read_picture(saved(PAIR, "PNG", icc_profile=same), 8, 8, 3, notes=notes), plain)
    grey = saved(PAIR.convert("L"), "PNG", icc_profile=profile(P3_PRIMARIES))
    bare = read_picture(saved(PAIR.convert("L"), "PNG"), 8, 8, 1)
    assert np.array_equal(read_picture(grey, 8, 8, 1, notes=notes), bare)
    assert notes == []
    broken = saved(PAIR, "PNG", icc_profile=profile(P3_PRIMARIES)[:200])
    assert np.array_equal(read_picture(broken, 8, 8, 3, notes=notes), plain)
    assert notes == [METADATA]


def test_transparency_and_palettes_have_profiles_too():
    icc = profile(SRGB_PRIMARIES[::-1])
    clear = PAIR.convert("RGBA")
    clear.paste((0, 0, 0, 0), (0, 0, 8, 4))
    got = read_picture(saved(clear, "PNG", icc_profile=icc), 8, 8, 3).astype(int)
    assert got[:3].min() >= 253
    assert abs(got[6, 1] - (46, 100, 201)).max() <= 2
    palette = saved(PAIR.convert("P", palette=Image.Palette.ADAPTIVE), "PNG", icc_profile=icc)
    assert abs(read_picture(palette, 8, 8, 3)[4, 1].astype(int) - (46, 100, 201)).max() <= 4


def test_cmyk_as_adobe_writes_it_and_lab():
    ink = Image.frombytes("CMYK", (2, 1), bytes([200, 60, 10, 40, 20, 130, 220, 90])).resize((16, 16), 0)
    for kind, options in (("JPEG", {"quality": 100}), ("TIFF", {})):
        got = read_picture(saved(ink, kind, **options), 16, 16, 3).astype(int)
        assert abs(got[8, 2] - (46, 164, 206)).max() <= 2  # as Chromium shows the JPEG
        assert abs(got[8, 13] - (152, 80, 22)).max() <= 2
    colours = {(138, 209, 198): (255, 0, 0), (255, 128, 128): (255, 255, 255), (0, 128, 128): (0, 0, 0)}
    for lab, colour in colours.items():
        got = read_picture(saved(Image.new("LAB", (4, 4), lab), "TIFF"), 4, 4, 3).astype(int)
        assert abs(got - colour).max() <= 6


def test_premultiplied_transparency_is_undone():
    image = Image.new("RGBA", (4, 4), (200, 100, 50, 128))
    straight = read_picture(saved(image, "TIFF"), 4, 4, 3).astype(int)
    multiplied = Image.frombytes("RGBA", (4, 4), image.convert("RGBa").tobytes())
    associated = with_tag(saved(multiplied, "TIFF"), 338, 3, 1, 1)
    assert abs(read_picture(associated, 4, 4, 3).astype(int) - straight).max() <= 2


def test_a_scene_keeps_its_bits_without_profile():
    assert np.array_equal(read_picture(saved(scene(), "PNG"), 16, 24, 3), np.asarray(scene()))
