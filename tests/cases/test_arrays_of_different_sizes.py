"""Pictures in a list that differ in size are brought to one, as files are."""

from __future__ import annotations

import numpy as np
from PIL import Image
from tiny import refused

import residua

SIZES = [(20, 24), (30, 18), (24, 24), (16, 40), (33, 21), (18, 18)]


def test_a_list_of_pictures_of_several_sizes():
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 255, (*size, 3)).astype(np.uint8) for size in SIZES]
    y = [0, 1] * 3
    one = residua.Classifier(width=4, epochs=1, size=8, validation=0, engine="numpy")
    expected = one.fit(pictures, y).predict_proba(pictures)
    assert expected.shape == (6, 2)
    assert (one.predict_proba(list(map(Image.fromarray, pictures))) == expected).all()


def test_check_of_their_folder(tmp_path, capsys):
    Image.new("RGB", SIZES[0]).save(tmp_path / "0.png")
    assert "holds pictures but no folders" in refused(capsys, "check", tmp_path)
    line = refused(capsys, "check", tmp_path / "0.png")
    assert "is a file: a PNG picture (residua predict names its class)" in line
