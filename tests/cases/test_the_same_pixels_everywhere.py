"""Training, evaluation, `predict` and insight see the same pixels of a file, whatever its format and size."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from strange_pictures import P3_PRIMARIES, profile, saved, tagged

from residua.api import explain, predict, train
from residua.config import DataOptions, EvaluateConfig
from residua.data import Preprocessing, open_dataset
from residua.data.pictures.decoding import read_picture
from residua.insight.evaluation.predictions import predict_split
from residua.models.model_file import load_model
from residua.training.progress import Quiet


def noise(width, height, seed=0):
    small = np.random.default_rng(seed).integers(
        0, 256, (max(height // 8, 1), max(width // 8, 1), 3), np.uint8
    )
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture
def folder(tmp_path, quiet_cache, monkeypatch):
    """Two classes of pictures of every kind; some JPEGs are large enough to be decoded at a part of it."""
    monkeypatch.chdir(tmp_path)
    for place, kind in enumerate(("one", "two")):
        (tmp_path / "all" / kind).mkdir(parents=True)
        files = {
            "a.jpg": tagged(noise(97, 131, place), "JPEG", 6),
            "b.jpg": saved(noise(400, 300, place), "JPEG"),
            "c.jpg": tagged(noise(301, 500, place), "JPEG", 8, quality=90),
            "d.jpg": saved(noise(1, 300, place), "JPEG"),
            "e.png": saved(noise(300, 1, place), "PNG"),
            "f.tif": tagged(noise(40, 30, place), "TIFF", 5, compression="tiff_lzw"),
            "g.webp": tagged(noise(40, 30, place), "WEBP", 3),
            "h.avif": tagged(noise(40, 30, place), "AVIF", 7),
            "i.png": saved(noise(40, 30, place), "PNG", icc_profile=profile(P3_PRIMARIES)),
            "j.jpg": saved(noise(200, 200, place).convert("CMYK"), "JPEG"),
            "k.gif": saved(noise(40, 30, place), "GIF"),
            "l.png": saved(noise(40, 30, place).convert("LA"), "PNG"),
        }
        for name, content in files.items():
            (tmp_path / "all" / kind / name).write_bytes(content)
    return tmp_path / "all"


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [8, 33])
def test_training_and_a_model_decode_alike_to_the_bit(folder, size, channels):
    data = open_dataset(DataOptions(data=str(folder), size=size), 0, say=lambda line: None, channels=channels)
    model = Preprocessing(size, size, channels, (0.5,) * channels, (0.2,) * channels)
    for split in ("train", "validation", "test"):
        pictures = data.read(split)
        for image, name in zip(pictures.images, pictures.names, strict=True):
            assert np.array_equal(image, model.read(folder / name)), name
            assert np.array_equal(image, read_picture((folder / name).read_bytes(), size, size, channels))


def test_predict_answers_as_evaluation_does(folder):
    options = {
        "model": "resnet8",
        "width": 4,
        "epochs": 1,
        "size": 8,
        "engine": "numpy",
        "batch": 8,
        "flip": False,
    }
    run = train(folder, run="run", reporter=Quiet(), final_test=False, **options).run
    model = load_model(run)
    answered = predict_split(model, EvaluateConfig(engine="numpy"), lambda line: None)
    files = [folder / name for name in answered.pictures.names]
    for row, prediction in zip(answered.probabilities, predict(run, files, engine="numpy"), strict=True):
        assert dict(prediction.top) == pytest.approx(
            dict(zip(model.classes, row.tolist(), strict=True)), abs=1e-6
        )
    explained = explain(run, files, methods=("gradient",), engine="numpy", say=lambda line: None).explained
    assert np.array_equal(explained.images, np.asarray(answered.pictures.images))
