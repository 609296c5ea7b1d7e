"""Metadata never decide whether a picture is good."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from strange_pictures import (
    BROKEN_EXIF,
    saved,
    scene,
    tagged,
    with_chunk,
    with_segment,
    with_tag,
    with_webp_chunk,
)

from residua.data.pictures.decoding import read_picture
from residua.data.pictures.metadata import (
    exif_orientation,
    raw_profile,
    tiff_tags,
    without_metadata,
    xmp_orientation,
)
from residua.data.pictures.notes import METADATA
from residua.errors import PictureError

JPEG = saved(scene(), "JPEG", quality=95)
DENSITY = saved(scene(), "JPEG", quality=95, dpi=(72, 72))  # then Pillow leaves EXIF alone at opening
PNG, WEBP = saved(scene(), "PNG"), saved(scene(), "WEBP", lossless=True)
TIFF, LZW = saved(scene(), "TIFF"), saved(scene(), "TIFF", compression="tiff_lzw")
BOMB = zlib.compress(bytes(80_000_000))
NOISE = np.random.default_rng(0).bytes(300)

SEGMENTS = {
    "exif": (0xE1, BROKEN_EXIF),
    "exif noise": (0xE1, b"Exif\0\0" + NOISE),
    "exif short": (0xE1, b"Exif\0\0II"),
    "exif nowhere": (0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff"),
    "profile short": (0xE2, b"ICC_PROFILE\0"),
    "profile noise": (0xE2, b"ICC_PROFILE\0\1\1" + NOISE),
    "adobe short": (0xEE, b"Adobe"),
    "density short": (0xE0, b"JFIF"),
    "photoshop short": (0xED, b"Photoshop 3.0\x008BIM\x03\xed"),
    "photoshop": (0xED, b"Photoshop 3.0\x008BIM\x03\xed\0\0\0\0\0\4abcd"),
    "several pictures": (0xE2, b"MPF\0" + NOISE),
    "several pictures short": (0xE2, b"MPF\0"),
    "xmp": (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + NOISE),
}
CHUNKS = {
    "exif": (b"eXIf", BROKEN_EXIF[6:]),
    "profile": (b"iCCP", b"x\0\0" + NOISE),
    "profile bomb": (b"iCCP", b"x\0\0" + BOMB),
    "text bomb": (b"zTXt", b"Comment\0\0" + BOMB),
    "international text bomb": (b"iTXt", b"Comment\0\1\0\0\0" + BOMB),
    "raw profile": (b"tEXt", b"Raw profile type exif\0\nexif\n  8\nzzzz"),
    "size": (b"pHYs", b"a"),
    "gamma": (b"gAMA", b""),
    "animation": (b"acTL", b"\0"),
    "transparency": (b"tRNS", b""),
    "private": (b"vpAg", b""),
}
TAGS = {
    "exif nowhere": (0x8769, 4, 1, 0xFFFFFFF0),
    "exif in itself": (0x8769, 4, 1, 8),
    "gps": (0x8825, 2, 4, 3),
    "profile": (34675, 7, 100_000, 5),
    "profile a number": (34675, 4, 1, 7),
    "xmp": (700, 1, 100_000, 5),
    "strange type": (285, 99, 1, 1),
    "resolution": (282, 2, 4, 0),
    "orientation a text": (274, 2, 2, 0x36),
    "endless": (270, 2, 0xFFFFFFFF, 8),
}
FILES = (
    [pytest.param(JPEG, with_segment(JPEG, *part), id=f"JPEG {name}") for name, part in SEGMENTS.items()]
    + [
        pytest.param(DENSITY, with_segment(DENSITY, *part), id=f"JPEG with density {name}")
        for name, part in SEGMENTS.items()
    ]
    + [pytest.param(PNG, with_chunk(PNG, *part), id=f"PNG {name}") for name, part in CHUNKS.items()]
    + [
        pytest.param(PNG, with_chunk(PNG, *part, after=True), id=f"PNG {name} after")
        for name, part in CHUNKS.items()
    ]
    + [
        pytest.param(PNG, with_chunk(PNG, b"tEXt", b"a\0b", checksum=1), id="PNG checksum of a text"),
        pytest.param(WEBP, with_webp_chunk(WEBP, b"EXIF", BROKEN_EXIF, (24, 16)), id="WebP exif"),
        pytest.param(WEBP, with_webp_chunk(WEBP, b"ICCP", NOISE, (24, 16)), id="WebP profile"),
        pytest.param(WEBP, with_webp_chunk(WEBP, b"XMP ", NOISE, (24, 16)), id="WebP XMP"),
    ]
    + [pytest.param(data, data + NOISE, id=f"{data[:4]} trailing") for data in (JPEG, PNG, WEBP, TIFF, LZW)]
)


@pytest.mark.parametrize(("good", "broken"), FILES)
def test_a_picture_whose_pixels_decode_is_read_whatever_its_metadata(good, broken):
    assert np.array_equal(read_picture(broken, 8, 8, 3), read_picture(good, 8, 8, 3))


def test_broken_metadata_are_noted_once():
    for broken in (
        with_segment(DENSITY, 0xE1, BROKEN_EXIF),
        with_segment(JPEG, 0xE2, b"ICC_PROFILE\0"),
        with_segment(JPEG, 0xE2, b"ICC_PROFILE\0\1\1" + NOISE),
        with_chunk(PNG, b"eXIf", BROKEN_EXIF[6:], after=True),
        with_chunk(PNG, b"tEXt", b"Raw profile type exif\0\nexif\n  8\nzzzz"),
        with_webp_chunk(WEBP, b"EXIF", BROKEN_EXIF, (24, 16)),
        with_tag(TIFF, *TAGS["profile a number"]),
    ):
        notes: list[str] = []
        read_picture(broken, 8, 8, 3, notes=notes)
        assert notes == [METADATA]
    notes = []
    read_picture(tagged(scene(), "JPEG", 6), 8, 8, 3, notes=notes)
    assert notes == []


def test_an_avif_with_broken_exif_is_turned_as_its_container_says():
    data = tagged(scene(), "AVIF", 6, quality=100, subsampling="4:4:4")
    upright = read_picture(saved(scene(), "AVIF", quality=100, subsampling="4:4:4"), 16, 24, 3)
    broken = saved(scene().transpose(2), "AVIF", quality=100, subsampling="4:4:4", exif=_exif_with_make())
    place = broken.find(b"MM\0*")
    assert place > 0
    broken = broken[:place] + b"IIU\0" + broken[place + 4 :]
    assert read_picture(broken, 24, 16, 3).shape == (24, 16, 3)
    assert abs(read_picture(data, 16, 24, 3).astype(int) - upright).mean() < 3


def _exif_with_make():
    from PIL import Image

    exif = Image.Exif()
    exif[271] = "a camera"
    return exif.tobytes()


def test_the_orientation_survives_what_is_broken_beside_it():
    want = read_picture(saved(scene(), "PNG"), 16, 24, 3)
    turned = tagged(scene(), "PNG", 6)
    got = read_picture(with_chunk(turned, b"zTXt", b"Comment\0\0" + BOMB), 16, 24, 3)
    assert np.array_equal(got, want)
    jpeg = with_segment(tagged(scene(), "JPEG", 6, quality=95), 0xE2, b"ICC_PROFILE\0")
    assert abs(read_picture(jpeg, 16, 24, 3).astype(int) - want).mean() < 12


def test_pixels_that_end_too_soon_are_refused_as_before():
    for data in (JPEG, PNG, WEBP, TIFF):
        with pytest.raises(PictureError):
            read_picture(data[: len(data) * 2 // 3], 8, 8, 3)
    # A broken tag beside pixels that are cut does not fill what is missing.
    (start,) = struct.unpack_from("<I", TIFF, 4)
    cut = TIFF[:4] + struct.pack("<I", 8) + TIFF[start:] + TIFF[8 : start - 200]
    with pytest.raises(PictureError):
        read_picture(with_tag(cut, *TAGS["profile a number"])[: len(cut) - 300], 8, 8, 3)
    with pytest.raises(PictureError):
        read_picture(with_chunk(PNG, b"zTXt", b"Comment\0\0" + BOMB)[:-30], 8, 8, 3)


def test_a_tiff_that_claims_more_than_it_holds_is_refused_before_it_takes_memory():
    with pytest.raises(PictureError, match="truncated"):
        read_picture(with_tag(TIFF, 257, 4, 1, 1_500_000), 8, 8, 3)


def test_orientation_of_blocks():
    block = b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x0112, 3, 1, 6) + bytes(4)
    big = b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHH", 0x0112, 3, 1, 8, 0) + bytes(4)
    assert exif_orientation(block) == exif_orientation(b"Exif\0\0" + block) == 6
    assert exif_orientation(big) == 8
    assert exif_orientation(b"Exif\0\0") == exif_orientation(b"") == 1
    assert exif_orientation(block.replace(struct.pack("<I", 6), struct.pack("<I", 99))) == 1
    assert exif_orientation(BROKEN_EXIF) is exif_orientation(b"II*\0\xff\xff\xff\xff") is None
    assert xmp_orientation('<x tiff:Orientation="6"/>') == xmp_orientation(b"<tiff:Orientation>6<") == 6
    assert xmp_orientation(b"") == 1
    assert raw_profile("\nexif\n 2\n4a4b\n") == b"JK"
    assert raw_profile("\nexif\n 2\nzz") is None
    long8 = b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x0112, 16, 1, 6)
    assert tiff_tags(long8) == {0x0112: -1}  # eight bytes do not fit
    assert tiff_tags(b"no") == tiff_tags(b"II*\0\xff\xff\xff\x7f") == {}
    assert without_metadata(b"GIF89a", keep_exif=True) is None


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".avif"])
def test_a_file_of_a_few_bytes_that_claims_millions_of_pixels_is_refused(tmp_path, suffix):
    path = tmp_path / f"huge{suffix}"
    Image.new("RGB", (3000, 2000)).save(path, lossless=suffix == ".webp")
    if path.stat().st_size * 2000 >= 6_000_000:
        with path.open("r+b") as file:  # what is left of it does not matter: the claim is in its beginning
            file.truncate(1000)
    with pytest.raises(PictureError, match=r"claims 3000x2000 pixels in [\d,]+ bytes; save it anew, smaller"):
        read_picture(path, 8, 8, 3)
    Image.new("1", (3000, 2000)).save(tmp_path / "page.tif", compression="group4")  # a blank page
    assert read_picture(tmp_path / "page.tif", 8, 8, 1).max() == 0
