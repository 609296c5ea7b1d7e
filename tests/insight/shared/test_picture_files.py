"""Pictures as files: bytes without loss, and names that every system takes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from residua.insight.shared.picture_files import encode_png, file_name
from residua.insight.shared.plotting import new_figure, save_figure, tidy, whole_ticks


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_come_back(rng, channels):
    picture = rng.integers(0, 256, (5, 7, channels), np.uint8)
    with Image.open(io.BytesIO(encode_png(picture))) as image:
        assert image.size == (7, 5)
        assert np.array_equal(np.asarray(image).reshape(picture.shape), picture)


def test_names_keep_letters_digits_and_dots():
    assert file_name(["0", "as", "great white shark"]) == "0-as-great-white-shark"
    assert file_name(["../../etc", "a/b", "", "v1.2"]) == "etc-a-b-v1.2"
    assert len(file_name(["x" * 100])) == 60


def test_a_figure_is_written_as_its_name_says(tmp_path):
    figure = new_figure(2, 1)
    axes = figure.add_subplot()
    axes.plot([0, 1, 2])
    tidy(axes)
    whole_ticks(axes.xaxis)
    assert not axes.spines["top"].get_visible()
    with Image.open(save_figure(figure, tmp_path / "a.png")) as image:
        assert image.size == (240, 120)
    assert all(float(tick).is_integer() for tick in axes.get_xticks())
    assert save_figure(figure, tmp_path / "a.svg").read_text().startswith("<?xml")
    assert save_figure(figure, tmp_path / "a.png").read_bytes() == (tmp_path / "a.png").read_bytes()
