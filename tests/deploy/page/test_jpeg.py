"""JPEG files in a page's scripts are Pillow's pixels, bit for bit, whole and at a part of their size."""

from __future__ import annotations

import io

import numpy as np
from page_scripts import read_in_node
from PIL import Image

from residua.data.pictures.decoding import read_picture


def photograph(rng, height, width):
    """Waves and noise, beyond white and black too."""
    y, x = np.mgrid[:height, :width]
    waves = [128 + 100 * np.sin(x / 9 + y / 17), 128 + 150 * np.cos(x / 13), y * 255 / height]
    noisy = np.stack(waves, axis=-1) + rng.normal(0, 25, (height, width, 3))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def coded(picture, **options):
    stream = io.BytesIO()
    picture.save(stream, "jpeg", **options)
    return stream.getvalue()


def tall_sampling(content):
    """A file of 4:2:2 as one of 4:4:0: as many blocks in the same order, which show something else."""
    at = content.index(b"\xff\xc0") + 5
    height, width = (int.from_bytes(content[at + i : at + i + 2], "big") for i in (0, 2))
    changed = bytearray(content)
    changed[at : at + 4] = (2 * height).to_bytes(2, "big") + (width // 2).to_bytes(2, "big")
    assert changed[at + 6] == 0x21
    changed[at + 6] = 0x12
    return bytes(changed)


def test_jpeg_is_decoded_as_pillow_does(rng):
    files = []
    for sampling in ("4:4:4", "4:2:2", "4:2:0", "4:1:1"):
        for size in ((1, 1), (2, 5), (17, 33), (64, 48), (90, 131)):
            for progressive in (False, True):
                more = {"quality": int(rng.integers(5, 100)), "optimize": bool(rng.integers(2))}
                more |= {"restart_marker_blocks": 3} if rng.integers(2) else {}
                content = coded(photograph(rng, *size), subsampling=sampling, progressive=progressive, **more)
                # A side of 4 has the largest decoded at an eighth, 8 at a quarter, 16 at a half of its size.
                sides = ((4, 3), (8, 3), (16, 3), (60, 1))
                files += [(content, side, side, channels) for side, channels in sides]
    for found, given in zip(read_in_node(files), files, strict=True):
        assert np.array_equal(found, read_picture(*given)), given[1:]


def test_rarer_kinds_of_jpeg(rng):
    picture = photograph(rng, 48, 64)
    grey, colours = coded(picture.convert("L")), coded(picture, keep_rgb=True)
    tall = tall_sampling(coded(picture, subsampling="4:2:2"))
    files = [(content, side, side, 3) for content in (grey, colours, tall) for side in (3, 6, 12, 30)]
    for found, given in zip(read_in_node(files), files, strict=True):
        assert np.array_equal(found, read_picture(*given)), given[1:]


def test_what_is_no_usual_jpeg_is_left_to_the_browser(rng):
    picture = photograph(rng, 40, 40)
    whole, progressive = coded(picture), coded(picture, progressive=True)
    files = [coded(picture.convert("CMYK"))]
    for content in (whole, progressive):
        files += [content[: len(content) * share // 20] for share in range(1, 20)]
    cut = len(files)
    for _ in range(20):
        broken = bytearray(whole)
        broken[int(rng.integers(2, len(whole)))] ^= 1 << int(rng.integers(8))
        files.append(bytes(broken))
    # Where there is no browser, that is a damaged picture; what can be decoded all the same is a picture.
    answers = read_in_node([(content, 6, 6, 3) for content in files])
    assert answers[:cut] == ["damaged"] * cut
    assert {answer for answer in answers if isinstance(answer, str)} <= {"damaged", "tooLarge", "noPicture"}
