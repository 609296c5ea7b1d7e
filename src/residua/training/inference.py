"""What a frozen network says of pictures: the one way in which residua evaluates and predicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.data.batches import Batch
from residua.engines import Engine
from residua.layers import PROBABILITIES, Layer
from residua.layers.cost import pictures_at_once
from residua.training.full_batches import divisible, fill_pictures
from residua.variables import Tree


@dataclass(frozen=True)
class LabelledProbabilities:
    """Probabilities (N, classes) float32 and labels (N,) int64 of a split, in its order."""

    probabilities: NDArray[np.float32]
    labels: NDArray[np.int64]

    @property
    def accuracy(self) -> float:
        """Share of pictures whose most probable class is the right one."""
        return float((self.probabilities.argmax(axis=1) == self.labels).mean())

    @property
    def loss(self) -> float:
        """Mean negative log-likelihood, in nats."""
        return float(self.losses().mean())

    def weighted(self, weights: NDArray[np.float32]) -> tuple[float, float]:
        """Accuracy and loss where every picture counts as much as its weight, (N,), says."""
        right = self.probabilities.argmax(axis=1) == self.labels
        shares = weights.astype(np.float64) / weights.sum(dtype=np.float64)
        return float(shares @ right), float(shares @ self.losses())

    def losses(self) -> NDArray[np.float64]:
        """(N,) negative log-likelihoods of the true classes, in nats."""
        of_labels = self.probabilities[np.arange(len(self.labels)), self.labels].astype(np.float64)
        # Probabilities are float32: below the smallest of them nothing is known.
        return np.asarray(-np.log(np.maximum(of_labels, np.finfo(np.float32).tiny)))


def make_infer(engine: Engine, network: Layer) -> Callable[[Tree, NDArray[np.float32]], Any]:
    """(variables, images) -> probabilities: evaluation and prediction both compute by this."""
    to_probabilities = PROBABILITIES[network.outputs]

    def infer(v: Tree, images: NDArray[np.float32]) -> Any:
        y = network.infer(engine, v, images)
        # The same numbers as the layer's; engines have softmax of logits as a fast operation.
        return engine.softmax(y) if network.outputs == "logits" else to_probabilities.infer(engine, {}, y)

    return engine.compile(infer)


def predict_probabilities(
    engine: Engine,
    network: Layer,
    variables: Tree,
    batches: Iterable[Batch],
    watch: Callable[[int], Any] = lambda count: None,
) -> LabelledProbabilities:
    """What a frozen network says of all batches; `watch` is called with the number of pictures of each."""
    infer = make_infer(engine, network)
    probabilities, labels, largest = [], [], 0
    for batch in batches:
        images, at_once = batch.images, pictures_at_once(network, batch.images.shape[1:])
        for start in range(0, len(images), at_once):
            part = images[start : start + at_once]
            if engine.fixed_batches:
                largest = max(largest, divisible(engine.divides, len(part)))
            answers = engine.plain(infer(variables, fill_pictures(engine, part, largest)))
            probabilities.append(np.asarray(answers, np.float32)[: len(part)])
        labels.append(batch.labels)
        watch(len(batch.labels))
    return LabelledProbabilities(np.concatenate(probabilities), np.concatenate(labels))
