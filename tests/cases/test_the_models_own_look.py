"""Ensembles and imported models look at pictures as their file says: size, colours, mean and deviation.

Whatever reads pictures for them (Classifier.load, residua.predict on arrays and on files, insight) agrees.
"""

from __future__ import annotations

import numpy as np
import pytest
from foreign_files import foreign_weights, safetensors_bytes
from PIL import Image
from strange_pictures import saved

import residua
from residua.api import explain
from residua.models.model_file import load_model

pytestmark = pytest.mark.usefixtures("quiet_cache", "stub_figures")
quiet = {"say": lambda line: None}
LOOK = {"size": 12, "mean": (0.3, 0.4, 0.5), "std": (0.2, 0.3, 0.1)}


@pytest.fixture(params=["imported", "ensemble", "grey ensemble"])
def model(request, tmp_path, trained, members):
    """The path of such a model."""
    path = tmp_path / "m.safetensors"
    if request.param == "imported":
        (tmp_path / "w.safetensors").write_bytes(safetensors_bytes(foreign_weights()))
        residua.import_weights(tmp_path / "w.safetensors", output=path, **LOOK)
    elif request.param == "ensemble":
        residua.ensemble(path, [trained / "run", trained / "run" / "last.safetensors"], **quiet)
    else:
        residua.ensemble(path, [members / "one", members / "two"], **quiet)
    return path


def test_every_reader_looks_alike(model, tmp_path):
    look = load_model(model).preprocessing
    rng = np.random.default_rng(1)
    small = rng.integers(0, 256, (3, 5, 4, 3), np.uint8)
    pictures = [Image.fromarray(pixels).resize((40 - 6 * place, 31)) for place, pixels in enumerate(small)]
    files = [tmp_path / f"{place}.png" for place in range(3)]
    for file, picture in zip(files, pictures, strict=True):
        file.write_bytes(saved(picture, "PNG"))
    expected = np.stack([look.read(file) for file in files])
    assert expected.shape[1:] == (look.height, look.width, look.channels)

    classifier = residua.Classifier.load(model)
    named = classifier.predict_proba([str(file) for file in files])
    classes = load_model(model).classes
    answers = residua.predict(model, files, top=len(classes), engine="numpy")
    for row, answer in zip(named, answers, strict=True):
        assert dict(answer.top) == pytest.approx(dict(zip(classes, row.tolist(), strict=True)), abs=1e-5)
    assert len({answer.top for answer in answers}) == 3  # or nothing would be shown

    arrays = [np.asarray(picture) for picture in pictures]
    for given in (pictures, arrays, expected):
        assert np.allclose(classifier.predict_proba(given), named, atol=1e-6)
    explained = explain(model, files, methods=("gradient",), engine="numpy", output=tmp_path / "e", **quiet)
    assert np.array_equal(explained.explained.images, np.stack([look.cut(image) for image in expected]))
    assert np.allclose(explained.explained.probabilities, named, atol=1e-5)


def test_an_imported_model_says_how_it_looks(tmp_path):
    (tmp_path / "w.safetensors").write_bytes(safetensors_bytes(foreign_weights()))
    residua.import_weights(tmp_path / "w.safetensors", output=tmp_path / "m", **LOOK)
    look = load_model(tmp_path / "m").preprocessing
    assert (look.height, look.width, look.channels) == (12, 12, 3)
    assert look.mean == pytest.approx(LOOK["mean"])
    assert look.std == pytest.approx(LOOK["std"])
    white, black = ([np.full((30, 20, 3), value, np.uint8)] for value in (255, 0))
    one, other = (residua.Classifier.load(tmp_path / "m").predict_proba(p) for p in (white, black))
    assert not np.allclose(one, other)
