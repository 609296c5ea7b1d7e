from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score

import residua
from residua.errors import ConfigError, DataError, ShapeError

SMALL = {"width": 4, "epochs": 3, "rate": 0.05}


@pytest.fixture(scope="module")
def digits():
    found = load_digits()
    names = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
    return (found.images[:700] / 16).astype(np.float32), names[found.target[:700]]


@pytest.fixture(scope="module")
def fitted(digits):
    return residua.Classifier(width=8, epochs=8, rate=0.05).fit(*digits)


def test_it_learns_and_speaks_the_labels_it_was_given(fitted, digits):
    images, labels = digits
    assert fitted.score(images, labels) > 0.8
    assert set(fitted.predict(images[:50])) <= set(labels)
    assert list(fitted.classes_) == sorted(set(labels))
    probabilities = fitted.predict_proba(images[:50])
    assert probabilities.shape == (50, 10)
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert len(fitted.history_) == 8


def test_scikit_learns_tools_accept_it(digits):
    images, labels = digits
    classifier = residua.Classifier(**SMALL)
    assert clone(classifier).get_params() == classifier.get_params()
    scores = cross_val_score(clone(classifier), images, labels, cv=2)
    assert scores.shape == (2,)
    assert np.isfinite(scores).all()
    search = GridSearchCV(residua.Classifier(width=4, epochs=1), {"rate": [0.02, 0.1]}, cv=2)
    search.fit(images[:200], labels[:200])
    assert search.best_params_["rate"] in (0.02, 0.1)


def test_parameters_are_read_and_set():
    classifier = residua.Classifier()
    assert classifier.set_params(epochs=7, model="plain20") is classifier
    assert (classifier.get_params()["epochs"], classifier.model) == (7, "plain20")
    with pytest.raises(ValueError, match="epohcs"):
        classifier.set_params(epohcs=3)


def test_saved_and_loaded_answers_the_same(fitted, digits, tmp_path):
    path = tmp_path / "digits.safetensors"
    fitted.save(path)
    loaded = residua.Classifier.load(path)
    assert (loaded.predict_proba(digits[0]) == fitted.predict_proba(digits[0])).all()
    assert (loaded.predict(digits[0]) == fitted.predict(digits[0])).all()
    assert loaded.get_params() == fitted.get_params()
    assert residua.load_model(path).classes == tuple(map(str, fitted.classes_))


def test_integer_labels_stay_integers(digits, tmp_path):
    images, labels = digits
    numbers = np.unique(labels, return_inverse=True)[1] * 10
    classifier = residua.Classifier(**SMALL).fit(images, numbers)
    assert classifier.predict(images[:20]).dtype == numbers.dtype
    classifier.save(tmp_path / "m.safetensors")
    assert residua.Classifier.load(tmp_path / "m.safetensors").classes_.tolist() == sorted(set(numbers))


def test_picture_files_are_taken_as_they_are(tmp_path):
    from PIL import Image

    rng = np.random.default_rng(0)
    files, labels = [], []
    for number in range(24):
        bright = number % 2
        pixels = rng.integers(0, 60, (20, 24, 3)) + 180 * bright
        path = tmp_path / f"{number}.png"
        Image.fromarray(pixels.astype(np.uint8)).save(path)
        files.append(path)
        labels.append("bright" if bright else "dark")
    classifier = residua.Classifier(width=4, epochs=12, batch=8, size=16, rate=0.05, validation=0)
    assert classifier.fit(files, labels).score(files, labels) > 0.9


@pytest.mark.parametrize(
    ("images", "labels", "error"),
    [
        (np.zeros((10, 8, 8)), np.arange(9) % 2, ShapeError),
        (np.full((10, 8, 8), 16.0), np.arange(10) % 2, ShapeError),
        (np.zeros((10, 65)), np.arange(10) % 2, ShapeError),
        (np.zeros((10, 8, 8, 4)), np.arange(10) % 2, ShapeError),
        (np.zeros((10, 8, 8)), np.zeros(10), DataError),
    ],
)
def test_what_does_not_fit_is_said(images, labels, error):
    with pytest.raises(error):
        residua.Classifier(**SMALL).fit(images, labels)


def test_bad_parameters_are_said_at_fit(digits):
    with pytest.raises(ConfigError, match="resnet20"):
        residua.Classifier(model="resnet21").fit(*digits)
    with pytest.raises(ConfigError, match="--rate"):
        residua.Classifier(rate=-1.0).fit(*digits)
    with pytest.raises(ConfigError, match="momentum"):
        residua.Classifier(options={"momentun": 0.5}).fit(*digits)


def test_predicting_before_fitting_is_said(digits):
    with pytest.raises(NotFittedError):
        residua.Classifier().predict(digits[0])


def test_the_same_seed_gives_the_same_classifier(digits):
    one = residua.Classifier(**SMALL, seed=3).fit(*digits).predict_proba(digits[0])
    two = residua.Classifier(**SMALL, seed=3).fit(*digits).predict_proba(digits[0])
    assert (one == two).all()
