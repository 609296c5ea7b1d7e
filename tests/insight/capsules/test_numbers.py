"""What a trained capsule network knows: it draws digits, its probabilities are lengths, numbers vary."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tiny import answered, refused

from residua.classifier import Classifier
from residua.config import ReconstructConfig
from residua.insight.capsules.numbers import STEPS, sample_capsules, vary_dimensions
from residua.models.model_file import load_model, save_model
from residua.variables import flatten


# ---------------------------------------------------------------- trained on real digits
@pytest.fixture(scope="module")
def digits(data_dir):
    """Some hundred of MNIST's training pictures, and others to test on."""
    from residua.config import DataOptions
    from residua.data import open_dataset

    if not (data_dir / "mnist").is_dir():
        pytest.skip("MNIST is not in RESIDUA_DATA")
    part = open_dataset(DataOptions(data="mnist", data_dir=str(data_dir)), 0).read("train")
    return np.asarray(part.images[:900]), np.asarray(part.labels[:900])


@pytest.fixture(scope="module")
def trained_capsules(digits, tmp_path_factory):
    images, labels = digits
    classifier = Classifier(
        "capsnet", 8, epochs=9, batch=25, optimizer="adam", rate=0.003, validation=0, engine="numpy"
    )
    classifier.fit(images[:600], labels[:600])
    path = tmp_path_factory.mktemp("capsules") / "model.safetensors"
    classifier.save(path)
    return classifier, path


def test_a_small_capsnet_learns_digits_and_to_draw_them(trained_capsules, digits, data_dir):
    classifier, path = trained_capsules
    images, labels = digits
    assert classifier.score(images[600:], labels[600:]) > 0.7
    model = load_model(path)
    assert model.preprocessing.mean == (0.0,)
    assert model.preprocessing.std == (1.0,)
    seen = sample_capsules(
        model, "it", ReconstructConfig(data="mnist", data_dir=str(data_dir)), lambda line: None
    )
    assert len(seen.images) == 20
    assert seen.images.min() == 0
    assert seen.images.max() == 1
    # Drawn from its own capsule a picture comes out nearer to itself than the mean of all.
    drawn = seen.draw(seen.capsules, seen.labels)
    mean = images[:600].mean(axis=0) / 255
    assert ((drawn - seen.images) ** 2).mean() < ((mean - seen.images) ** 2).mean()


def test_probabilities_are_shares_of_the_lengths(trained_capsules, digits, engine):
    classifier, _ = trained_capsules
    model, images = classifier.model_, digits[0][600:610]
    probabilities = classifier.predict_proba(images)
    capsules = model.network.capsules(engine, model.variables, model.preprocessing.normalize(images))
    lengths = np.linalg.norm(capsules, axis=2)
    np.testing.assert_allclose(probabilities, lengths / lengths.sum(axis=1, keepdims=True), atol=1e-6)


def test_the_pictures_of_reconstructions(trained_capsules, data_dir, capsys, tmp_path):
    _, path = trained_capsules
    options = ["--data", "mnist", "--data-dir", data_dir, "--output", tmp_path / "seen"]
    out = answered(capsys, "reconstruct", path, *options)
    for name in ("reconstructions.png", "dimensions.png"):
        assert str(tmp_path / "seen" / name) in out
        with Image.open(tmp_path / "seen" / name) as picture:
            assert min(picture.size) > 500
            assert np.asarray(picture.convert("L")).std() > 20


def test_one_number_of_one_capsule_is_varied(rng):
    capsules = rng.normal(size=(3, 4)).astype(np.float32)
    every = vary_dimensions(capsules, 1).reshape(4, len(STEPS), 3, 4)
    for number in range(4):
        for place, step in enumerate(STEPS):
            expected = capsules.copy()
            expected[1, number] += step
            assert np.array_equal(every[number, place], expected)
    assert (STEPS[0], STEPS[5], STEPS[-1]) == (np.float32(-0.25), 0, np.float32(0.25))


# ---------------------------------------------------------------- what cannot be
def test_a_network_without_a_decoder_draws_nothing(trained, capsys, tmp_path):
    line = refused(capsys, "reconstruct", trained / "run")
    assert "resnet8, which has no decoder that draws pictures" in line
    assert "--model capsnet" in line


def test_a_capsule_network_comes_back_from_its_file(tmp_path, trained_capsules):
    classifier, _ = trained_capsules
    save_model(tmp_path / "m", replace(classifier.model_, training={}))
    loaded = load_model(tmp_path / "m")
    assert loaded.network == classifier.model_.network
    for path, array in flatten(classifier.model_.variables).items():
        assert flatten(loaded.variables)[path].tobytes() == array.tobytes()
