"""Pictures whose EXIF block is garbage are used as they are stored, counted, and refused by no verb."""

from __future__ import annotations

import json

import pytest
from PIL import Image
from strange_pictures import BROKEN_EXIF, saved, with_chunk, with_segment, write_twins
from tiny import OPTIONS, answered, call

from residua.api import check_data


@pytest.fixture
def birds(tmp_path, quiet_cache, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = write_twins(tmp_path / "birds", ("finch", "heron"), count=5)
    for kind, colour in (("finch", (200, 80, 60)), ("heron", (60, 90, 200))):
        data = saved(Image.new("RGB", (8, 8), colour), "JPEG", dpi=(72, 72))
        (folder / kind / "old-camera.jpg").write_bytes(with_segment(data, 0xE1, BROKEN_EXIF))
    png = saved(Image.new("RGB", (8, 8), (50, 90, 210)), "PNG")
    (folder / "heron" / "old-editor.png").write_bytes(with_chunk(png, b"eXIf", BROKEN_EXIF[6:]))
    return folder


def test_train_uses_them_and_counts_them(birds, capsys):
    code, out, err = call(capsys, "train", "birds", *OPTIONS, "--engine", "numpy")
    assert code == 0, err
    assert "Skipped" not in out + err
    assert "3 pictures have broken metadata (EXIF, colour profile or text)" in out + err


def test_check_says_so(birds):
    findings, _ = check_data(birds, say=lambda line: None, size=8)
    assert findings.bad == ()
    assert len(findings.notes) == 1
    assert findings.notes[0].startswith("3 pictures have broken metadata")


def test_predict_answers_and_says_so_once(birds, capsys, trained):
    code, out, err = call(capsys, "predict", trained / "run", *sorted(birds.glob("*/old-*")), "--json")
    assert code == 0
    assert len(json.loads(out)) == 3
    assert err.count("broken metadata") == 1
    assert answered(capsys, "predict", trained / "run", birds / "finch" / "0.jpg")


def test_pillow_s_pictures_with_such_a_block_are_taken_by_the_classifier(birds):
    from residua.classifier.pixels import list_pixels

    with (
        Image.open(birds / "finch" / "old-camera.jpg") as jpeg,
        Image.open(birds / "heron" / "old-editor.png") as png,
    ):
        assert [picture.shape for picture in list_pixels([jpeg, png])] == [(8, 8, 3), (8, 8, 3)]
