"""A TIFF with an orientation is turned once, like any other picture: Pillow does it while loading."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from strange_pictures import saved, scene, tagged, turned, write_twins
from tiny import answered

from residua.api import check_data
from residua.data.pictures.decoding import read_picture

MODES = ("RGB", "L", "1", "P", "RGBA", "CMYK", "I;16")
KINDS = {
    "JPEG": (("RGB", "L", "CMYK"), {"quality": 95}),
    "PNG": (("RGB", "L", "1", "P", "RGBA", "I;16"), {}),
    "WEBP": (("RGB", "RGBA"), {"lossless": True}),
    "AVIF": (("RGB", "RGBA", "L"), {"quality": 100}),
    "TIFF": (MODES, {}),
    "LZW": (MODES, {"compression": "tiff_lzw"}),
    "TIFF of JPEG": (("RGB", "L"), {"compression": "jpeg"}),
}


def upright_in(mode):
    if mode == "I;16":
        return Image.fromarray(np.asarray(scene().convert("L")).astype(np.uint16) * 257)
    return scene().convert(mode)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("tag", range(2, 9))
def test_upright_whatever_the_file(name, tag):
    modes, options = KINDS[name]
    kind = "TIFF" if name.startswith(("TIFF", "LZW")) else name
    for mode in modes:
        upright = upright_in(mode)
        whole = saved(upright, kind, **options)
        data = tagged(upright, kind, tag, **options)
        for size in ((16, 24), (12, 20), (8, 8)):
            difference = read_picture(data, *size, 3).astype(int) - read_picture(whole, *size, 3)
            assert abs(difference).mean() < 4, (name, mode, size)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("tag", range(1, 9))
def test_a_region_is_that_of_the_stored_pixels(kind, tag):
    stored = turned(scene(), tag)
    box = (stored.width // 4, 1, stored.width - 2, stored.height // 2 + 2)
    part = stored.crop(box)
    exif = Image.Exif()
    exif[0x0112] = tag
    want = read_picture(saved(part, "PNG", exif=exif), 8, 8, 3)
    assert np.array_equal(read_picture(tagged(scene(), kind, tag), 8, 8, 3, box=box), want)


def test_predict_sees_what_training_saw_and_check_tells_sizes_as_displayed(
    tmp_path, capsys, trained, quiet_cache, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    folder = write_twins(tmp_path / "pics", count=4)
    for tag in (1, 3, 6, 8):
        for suffix, kind in (("tif", "TIFF"), ("png", "PNG")):
            (folder / "cat" / f"o{tag}.{suffix}").write_bytes(tagged(scene(), kind, tag))
    findings, _ = check_data(folder, say=lambda line: None, size=8, near=False)
    assert findings.sizes == {(8, 8): 8, (24, 16): 8}
    assert findings.exact.pictures >= 8  # the same scene, however it is stored
    files = sorted(folder.glob("cat/o*"))
    answers = json.loads(answered(capsys, "predict", trained / "run", *files, "--json"))
    assert len({answer["probability"] for answer in answers}) == 1
