"""Picture files become pixels, whatever their format; what is no picture is named with its reason."""

from __future__ import annotations

import io
import struct
import threading
import warnings
import zlib

import numpy as np
import published
import pytest
from PIL import Image
from strange_pictures import saved, scene

from residua.data.pictures.decoding import MOST_PIXELS, read_picture
from residua.errors import ConfigError, PictureError


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("GIF", {}, 2),
        ("JPEG", {"quality": 95, "subsampling": 0}, 12),
    ],
)
def test_formats(kind, options, tolerance):
    image = scene()
    got = read_picture(saved(image, kind, **options), 16, 24, 3)
    assert got.dtype == np.uint8
    assert got.flags.c_contiguous
    inside = abs(got.astype(int) - np.asarray(image)) <= tolerance
    assert inside.mean() > 0.9 if kind == "JPEG" else inside.all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(16, 16), (12, 20)])
def test_orientation_is_honoured(orientation, size):
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(scene(), "PNG", exif=exif)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    expected = read_picture(saved(upright.convert("RGB"), "PNG"), *size, 3)
    got = read_picture(data, *size, 3)
    assert abs(got.astype(int) - expected).max() <= 1


def test_shorter_side_and_middle():
    pixels = np.zeros((10, 30, 3), np.uint8)
    pixels[:, 10:20] = (10, 20, 30)
    assert (read_picture(saved(Image.fromarray(pixels), "PNG"), 10, 10, 3) == (10, 20, 30)).all()
    assert (
        read_picture(saved(Image.fromarray(pixels).rotate(90, expand=True), "PNG"), 10, 10, 3) == (10, 20, 30)
    ).all()


def test_one_pixel_is_enlarged():
    got = read_picture(saved(Image.new("RGB", (1, 1), (1, 2, 3)), "PNG"), 5, 7, 3)
    assert got.shape == (5, 7, 3)
    assert (got == (1, 2, 3)).all()


def test_alpha_is_laid_on_white():
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    clear.paste((0, 0, 0, 255), (0, 0, 2, 4))
    got = read_picture(saved(clear, "PNG"), 4, 4, 3)
    assert (got[:, :2] == 0).all()
    assert (got[:, 2:] == 255).all()
    grey = read_picture(saved(Image.new("LA", (4, 4), (0, 128)), "PNG"), 4, 4, 1)
    assert (abs(grey.astype(int) - 127) <= 1).all()


def test_palettes_with_transparency():
    image = Image.new("P", (4, 4), 0)
    image.putpalette([10, 20, 30, 40, 50, 60] + [0] * 762)
    image.paste(1, (0, 0, 2, 4))
    for transparency in (0, b"\x00\xff"):
        got = read_picture(saved(image, "PNG", transparency=transparency), 4, 4, 3)
        assert (got[:, :2] == (40, 50, 60)).all()
        assert (got[:, 2:] == 255).all()


def test_colour_key_transparency():
    image = Image.new("RGB", (4, 4), (9, 9, 9))
    got = read_picture(saved(image, "PNG", transparency=(9, 9, 9)), 4, 4, 3)
    assert (got == 255).all()


def test_first_frame_of_an_animation():
    frames = [Image.new("RGB", (4, 4), colour) for colour in ((255, 0, 0), (0, 255, 0))]
    for kind in ("GIF", "WEBP", "TIFF", "PNG"):
        options = {"lossless": True} if kind == "WEBP" else {}
        data = saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        assert (read_picture(data, 4, 4, 3) == (255, 0, 0)).all()


def test_grey_cmyk_bilevel_and_sixteen_bits():
    assert (read_picture(saved(Image.new("L", (4, 4), 77), "PNG"), 4, 4, 3) == 77).all()
    assert (read_picture(saved(Image.new("1", (4, 4), 1), "PNG"), 4, 4, 1) == 255).all()
    cmyk = read_picture(saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"), 8, 8, 3)
    assert (abs(cmyk.astype(int) - (255, 0, 0)) <= 3).all()
    assert read_picture(saved(Image.new("CMYK", (8, 8)), "TIFF"), 8, 8, 1).min() == 255
    for dtype, high in ((np.uint16, 65535), (">u2", 65535), (np.int32, 65535), (np.float32, 1.0)):
        ramp = np.array([[0, high / 3, high]]).repeat(3, 0).astype(dtype)
        image = Image.fromarray(ramp.astype(dtype))
        kind = "TIFF" if np.dtype(dtype).kind != "u" else "PNG"
        assert read_picture(saved(image, kind), 3, 3, 1)[0, :, 0].tolist() == [0, 85, 255]


def test_large_jpegs_are_decoded_small_yet_alike():
    image = scene(640, 480)
    data = saved(image, "JPEG", quality=95)
    got = read_picture(data, 32, 32, 3).astype(int)
    assert abs(got - read_picture(saved(image, "PNG"), 32, 32, 3)).mean() < 4


def png_of_size(width, height):
    def chunk(name, content):
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "size", [(30_000, 30_000), (2**31 - 1, 2**31 - 1), (10_001, 10_000), (1, MOST_PIXELS + 1)]
)
def test_bombs_are_refused_before_decoding(size, tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(png_of_size(*size))
    with pytest.raises(PictureError, match="pixels, more than 100 million") as caught:
        read_picture(path, 8, 8, 3)
    assert str(path) in str(caught.value)
    assert f"{size[0]}x{size[1]}" in str(caught.value)


def test_pillow_s_size_warning_is_not_ours():
    # Pillow warns above 89 million pixels; we allow 100 million. The header alone is damaged, though.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(PictureError) as caught:
            read_picture(png_of_size(9_500, 9_900), 8, 8, 3)
    assert "bomb" not in str(caught.value).lower()
    assert "100 million" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", r"empty \(0 bytes\)"),
        (b"<!DOCTYPE html><title>404</title>", "web page"),
        (b"\n\n  <HTML><body>", "web page"),
        (b"just text", "it is a text file, not a picture"),
        (b"\xff\xd8\xff\xe0", "Cannot read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n", "a PostScript drawing; save it as PNG"),
    ],
)
def test_what_is_no_picture_is_named_with_its_reason(content, reason, tmp_path):
    path = tmp_path / "Käse bild.JPG"
    path.write_bytes(content)
    with pytest.raises(PictureError, match=reason) as caught:
        read_picture(path, 8, 8, 3)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "BMP", "WEBP"])
def test_truncated_pictures_never_become_half_pictures(kind):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8))
    data = saved(noise, kind)
    for share in (0.1, 0.5, 0.9):
        with pytest.raises(PictureError):
            read_picture(data[: int(len(data) * share)], 8, 8, 3)


def complaint(content):
    """What is said against a picture; nothing where it is read."""
    try:
        assert read_picture(content, 8, 8, 3).shape == (8, 8, 3)
    except PictureError as problem:
        return str(problem)
    return ""


def test_damage_gives_pixels_or_one_line():
    data = (
        bytearray(saved(scene(), "PNG")),
        bytearray(saved(scene(), "JPEG")),
        bytearray(saved(scene(), "TIFF")),
    )
    random = np.random.default_rng(1)
    for content in data:
        for _ in range(60):
            damaged = content.copy()
            for place in random.integers(0, len(damaged), 3):
                damaged[place] = random.integers(256)
            assert "\n" not in complaint(bytes(damaged))


def test_paths_that_are_no_files(tmp_path):
    with pytest.raises(PictureError, match="no such file"):
        read_picture(tmp_path / "absent.png", 8, 8, 3)
    with pytest.raises(PictureError, match="a folder"):
        read_picture(tmp_path, 8, 8, 3)
    with pytest.raises(PictureError):
        read_picture("nul\0byte", 8, 8, 3)
    with pytest.raises(ConfigError, match="1 or 3 channels"):
        read_picture(b"x", 8, 8, 2)


def test_the_same_from_path_text_and_bytes_and_in_threads(tmp_path):
    path = tmp_path / "a.png"
    scene().save(path)
    expected = read_picture(path, 8, 8, 3)
    filters = list(warnings.filters)
    results = []

    def work():
        for _ in range(20):
            results.append(np.array_equal(read_picture(path.read_bytes(), 8, 8, 3), expected))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert np.array_equal(read_picture(str(path), 8, 8, 3), expected)
    assert results == [True] * 80
    assert list(warnings.filters) == filters


pytestmark = pytest.mark.usefixtures("quiet_cache")


def test_a_ppm_is_read_as_pillow_reads_it(tmp_path):
    for mode, suffix in (("RGB", "ppm"), ("L", "pgm")):
        path = published.paint(tmp_path / f"x.{suffix}", 7, (9, 6), mode)
        channels = 3 if mode == "RGB" else 1
        wanted = np.asarray(Image.open(path)).reshape(6, 9, channels)
        assert np.array_equal(read_picture(path, 6, 9, channels), wanted)
        assert np.array_equal(read_picture(path, 3, 4, channels, box=(2, 1, 6, 4)), wanted[1:4, 2:6])
