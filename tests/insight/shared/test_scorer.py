"""Scores and gradients by the input: of normalised pictures and of their pixels, on every engine."""

from __future__ import annotations

import numpy as np
import pytest
from small_models import pictures, small_model

from residua.data.preprocessing import Preprocessing
from residua.engines.numpy.engine import NumpyEngine
from residua.insight.shared.objectives import class_score, cross_entropy, score_and_lead
from residua.insight.shared.scorer import Scorer
from residua.layers import Flatten, Linear, Sequential
from residua.models.model_file import Model


def linear(shape: Preprocessing, classes: int, rng) -> Model:
    """A linear model: its scores are straight lines in the pixels."""
    features = shape.height * shape.width * shape.channels
    network = Sequential({"flat": Flatten(), "head": Linear(features, classes)})
    names = tuple(f"class {number}" for number in range(classes))
    return Model("linear", network, network.init(rng), names, shape)


# ---------------------------------------------------------------- gradients
@pytest.mark.parametrize(
    ("source", "order", "resize"),
    [(None, "RGB", None), (None, "BGR", 9), ((9, 11), "RGB", None), ((4, 5), "BGR", None)],
    ids=["plain", "bgr", "cut", "enlarged"],
)
def test_the_chain_rule_goes_back_to_the_stored_pixels(source, order, resize, rng):
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.25, 0.4)
    shape = Preprocessing(7, 6, 3, mean, std, source=source, order=order, resize=resize)
    model = linear(shape, 4, rng)
    scorer = Scorer.of_logits(model, NumpyEngine(1), batch=2)
    one = rng.integers(0, 256, (3, *shape.stored, 3), np.uint8)
    two = rng.integers(0, 256, (3, *shape.stored, 3), np.uint8)
    labels = np.array([0, 1, 3])
    logits, gradient = scorer.pixel_gradient(one, labels, class_score)
    np.testing.assert_allclose(logits, scorer.pixel_logits(one), atol=1e-5)
    change = ((two.astype(np.float32) - one) * gradient).sum(axis=(1, 2, 3))
    rows = np.arange(3)
    wanted = scorer.pixel_logits(two)[rows, labels] - logits[rows, labels]
    np.testing.assert_allclose(change, wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(
        scorer.pixel_probabilities(one.astype(np.float32)), scorer.pixel_probabilities(one)
    )


@pytest.mark.parametrize("name", ["resnet8", "capsnet"])
def test_pixels_and_normalised_pictures_have_the_same_scores(engine, name, rng):
    model = small_model(name) if name == "resnet8" else small_model(name, size=20, channels=1, width=8)
    shape = model.preprocessing
    images = pictures(rng, 5, shape.height, shape.channels)
    scorer = Scorer.of_logits(model, engine, batch=2)
    x, labels = shape.normalize(images), np.array([0, 1, 2, 3, 1])
    np.testing.assert_allclose(scorer.pixel_logits(images), scorer.outputs(x), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(scorer.pixel_probabilities(images), scorer.probabilities(x))
    scores, dx = scorer.gradient(x, labels)
    logits, dpixels = scorer.pixel_gradient(images, labels, class_score)
    np.testing.assert_allclose(logits[np.arange(5), labels], scores, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(dpixels, shape.scale_backward(dx), rtol=1e-4, atol=1e-8)


def test_every_objective_has_its_own_gradient(rng):
    scorer = Scorer.of_logits(small_model(), NumpyEngine(1))
    images, labels = pictures(rng), np.array([0, 1, 2])
    gradients = {
        objective: scorer.pixel_gradient(images, labels, objective)[1]
        for objective in (class_score, cross_entropy, score_and_lead)
    }
    difference = gradients[class_score] - gradients[cross_entropy]
    np.testing.assert_allclose(gradients[score_and_lead], difference, atol=1e-6)
