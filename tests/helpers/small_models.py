"""Models that nobody trained, and pictures of noise for them."""

from __future__ import annotations

import numpy as np

from residua.config import ModelOptions
from residua.data.preprocessing import Preprocessing
from residua.layers import Flatten, Linear, Sequential
from residua.models import build_model
from residua.models.model_file import Model
from residua.variables import transform


def small_model(name="resnet8", size=12, classes=4, channels=3, seed=0, **options) -> Model:
    """A network with random weights and running statistics that are not those of the start."""
    network = build_model(
        ModelOptions(model=name, **options), channels=channels, classes=classes, size=(size, size)
    )
    rng = np.random.default_rng(seed)
    variables = network.init(rng)
    shape = Preprocessing(size, size, channels, (0.4,) * channels, (0.25,) * channels)

    def moved(array):
        # Scales that are no power of two, means off zero: an inference path that forgot one would show.
        return (array + 0.1 * rng.uniform(0, 1, array.shape)).astype(np.float32) if array.ndim == 1 else array

    names = tuple(f"class {number}" for number in range(classes))
    return Model(name, network, transform(moved, variables), names, shape)


def linear_model(weight: np.ndarray) -> Model:
    """Scores that are a sum of pixels times weights (H, W, C, classes)."""
    height, width, channels, classes = weight.shape
    network = Sequential({"flat": Flatten(), "head": Linear(height * width * channels, classes)})
    head = {"weight": weight.reshape(-1, classes).astype(np.float32), "bias": np.ones(classes, np.float32)}
    shape = Preprocessing(height, width, channels, (0.5,) * channels, (0.25,) * channels)
    names = tuple(f"class {number}" for number in range(classes))
    return Model("linear", network, {"flat": {}, "head": head}, names, shape)


def pictures(rng, count=3, size=12, channels=3):
    return rng.integers(0, 256, (count, size, size, channels), np.uint8)
