"""Newer kinds of pictures are read, or named with their count; nothing is passed over in silence."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image
from strange_pictures import HEIC, saved, write_twins
from tiny import OPTIONS, answered, call, refused

from residua.api import check_data
from residua.data.pictures import kinds
from residua.data.pictures.decoding import read_picture


@pytest.fixture
def pets(tmp_path, quiet_cache, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("residua.data.pictures.files.heic_is_read", lambda: False)
    monkeypatch.setattr(kinds, "heic_is_read", lambda: False)
    folder = write_twins(tmp_path / "pets", count=6)
    for number in range(3):
        Image.new("RGB", (8, 8), (200, 80, 60 + number)).save(folder / "cat" / f"web-{number}.avif")
        (folder / "dog" / f"IMG_{number:04d}.HEIC").write_bytes(HEIC)
    return folder


def test_check_and_train_name_what_they_pass_over(pets, capsys):
    (pets / "cat" / "drawing.svg").write_text("<svg/>")
    (pets / "cat" / "notes.txt").write_text("nothing")
    (pets / "dog" / "photo.jpg_large").write_bytes((pets / "dog" / "0.jpg").read_bytes())
    Image.new("RGB", (8, 8), (1, 2, 3)).save(pets / "dog" / "photo", "PNG")
    said: list[str] = []
    findings, _ = check_data(pets, say=said.append, size=8, near=False)
    assert sum(map(sum, findings.counts.values())) == 17
    assert {kind.many: len(files) for kind, files in findings.others.items()} == {
        "HEIC pictures": 3,
        "SVG drawings": 1,
        "text files": 1,
    }
    assert findings.to_dict()["not_read"]["HEIC pictures"] == [
        str(pets / "dog" / f"IMG_000{n}.HEIC") for n in range(3)
    ]
    out = answered(capsys, "check", "pets", "--size", "8")
    assert "Not read: 5 files" in out
    assert "3 HEIC pictures such as dog/IMG_0000.HEIC (pip install 'residua[heic]' reads them" in out
    assert "an SVG drawing, cat/drawing.svg (save it as PNG)" in out
    assert "Nothing stands against training on it" not in out
    code, out, err = call(capsys, "train", "pets", *OPTIONS, "--engine", "numpy")
    assert code == 0
    (line,) = {line for line in (out + err).splitlines() if "not read" in line}
    assert line.startswith("pets: 4 files are not read: 3 HEIC pictures")
    assert "text" not in line


def test_a_class_of_nothing_else_says_so(pets, capsys):
    for file in (pets / "dog").glob("*.jpg"):
        file.unlink()
    line = refused(capsys, "train", "pets", *OPTIONS)
    assert "dog holds no pictures, but 3 HEIC pictures such as dog/IMG_0000.HEIC" in line
    assert "residua[heic]" in line


def test_predict_reads_avif_and_names_the_rest(pets, capsys, trained):
    disguised = pets / "photo.jpg"
    disguised.write_bytes(HEIC)
    pointer = pets / "pointer.jpg"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    code, out, err = call(
        capsys, "predict", trained / "run", pets / "cat" / "web-0.avif", disguised, pointer, "--json"
    )
    assert code == 1
    assert [("error" in answer) for answer in json.loads(out)] == [False, True, True]
    assert f"Cannot read {disguised}: it is a HEIC picture; pip install 'residua[heic]' reads it" in err
    assert "it is a Git LFS pointer; fetch the pictures themselves with: git lfs pull" in err
    assert "damaged" not in err
    _, _, err = call(capsys, "predict", trained / "run", pets / "dog")
    assert err.count("3 files are not read: 3 HEIC pictures") == 1


def test_a_folder_of_nothing_else_says_so(pets, capsys, trained, tmp_path):
    (tmp_path / "phone").mkdir()
    (tmp_path / "phone" / "a.heic").write_bytes(HEIC)
    assert "phone holds no pictures that can be read, but a HEIC picture" in refused(
        capsys, "predict", trained / "run", tmp_path / "phone"
    )


def test_heic_is_read_where_the_extra_is_installed():
    pillow_heif = pytest.importorskip("pillow_heif", reason="needs the extra heic")
    pillow_heif.register_heif_opener()
    image = Image.fromarray(
        np.kron(np.random.default_rng(0).integers(0, 256, (4, 4, 3)), np.ones((20, 20, 1))).astype(np.uint8)
    )
    stream = io.BytesIO()
    image.save(stream, "HEIF", quality=95)
    want = read_picture(saved(image, "PNG"), 8, 8, 3).astype(int)
    assert abs(read_picture(stream.getvalue(), 8, 8, 3) - want).mean() < 6
