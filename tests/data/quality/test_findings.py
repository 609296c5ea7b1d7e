"""What a check found, counted."""

from __future__ import annotations

import shutil

import pytest
from PIL import Image
from pixels import scenes

from residua.api import check_data
from residua.insight.data_quality.text import findings_text

pytestmark = pytest.mark.usefixtures("quiet_cache")


def test_leaks_are_counted_by_test_picture(tmp_path):
    images = scenes(60)
    for number, image in enumerate(images):
        part = "train" if number < 40 else "val" if number < 50 else "test"
        folder = tmp_path / "d" / part / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{number}.png")
    for number in (0, 2):
        shutil.copy(tmp_path / f"d/train/a/{number}.png", tmp_path / f"d/test/a/copy{number}.png")
    shutil.copy(tmp_path / "d/train/a/0.png", tmp_path / "d/val/a/again.png")
    Image.open(tmp_path / "d/val/a/42.png").save(tmp_path / "d/test/a/near.jpg", quality=80)
    found, _ = check_data(tmp_path / "d", say=print, size=32, output=str(tmp_path / "x.png"))
    assert found.leaks == 3
    assert found.exact.across["train", "test"] == 2
    assert found.exact.across["train", "validation"] == 1
    assert found.near.across["validation", "test"] == 1
    text = findings_text(found)
    assert "Leak: of 13 test pictures 3 (23.08 %) are copies" in text
    told = found.to_dict()
    assert told["test_pictures_with_a_copy"] == 3
    assert ["validation/val/a/42.png", "test/test/a/near.jpg"] in [
        pair[:2] for pair in told["near_copies"]["pairs"]
    ]
    bare, _ = check_data(tmp_path / "d", say=print, size=32, near=False, output=str(tmp_path / "x.png"))
    assert bare.near is None
    assert bare.leaks == 2
    assert "Near copies" not in findings_text(bare)
