"""A trained model as a function of pixels, with its gradient: through the layers' own backward steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.data.views import CENTER, center_view_backward, extract_view
from residua.engines import Engine
from residua.layers import PROBABILITIES, Layer, Logarithm, Sequential
from residua.models.model_file import Model
from residua.training.inference import make_infer
from residua.variables import Tree

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]
# (xp, logits, labels) -> the gradient by the logits of what is to grow.
Goal = Callable[[Any, Any, Any], Any]


def cross_entropy(xp: Any, logits: Any, labels: Any) -> Any:
    """The direction of the gradient of -log p(label), one label a picture.

    The gradient itself is softmax - one-hot. Divided by 1 - p(label), which leaves its direction, it is the
    softmax of the other classes - one-hot: it does not vanish in float32 where the network is all but sure.
    """
    hit = labels[:, None] == xp.arange(logits.shape[1])
    others = xp.where(hit, logits.dtype.type(-np.inf), logits)
    powers = xp.exp(others - others.max(axis=1, keepdims=True))
    return xp.where(hit, logits.dtype.type(-1), powers / powers.sum(axis=1, keepdims=True))


def score(xp: Any, logits: Any, labels: Any) -> Any:
    """The gradient of the label's own logit."""
    return (labels[:, None] == xp.arange(logits.shape[1])).astype(logits.dtype)


def _filled(count: int) -> int:
    """The next of the sizes 1, 2, 4, 8, 16, 32, 48 and so on."""
    return 1 << (count - 1).bit_length() if count <= 16 else -(-count // 16) * 16


def ahead(xp: Any, logits: Any, labels: Any) -> Any:
    """The gradient of the label's own logit plus its log odds, log p / (1 - p)."""
    if logits.shape[1] == 1:  # a lone class leads nobody
        return score(xp, logits, labels)
    return score(xp, logits, labels) - cross_entropy(xp, logits, labels)


@dataclass(frozen=True, eq=False)
class PixelModel:
    """A model in evaluation mode on an engine, as a function of pixels.

    Pixels are (N, H, W, C) from 0 to 255 in the model's stored size, RGB, and need not be whole numbers:
    the chain rule goes back through normalisation, order of colours, cut and enlargement. Networks that
    give probabilities have their logarithms for logits.
    """

    model: Model
    engine: Engine
    batch: int = 64

    def probabilities(self, pixels: NDArray[Any]) -> Floats:
        """(N, classes), as `residua predict` gives them."""
        infer, (_, v) = self._infer, self.model.frozen()
        parts = [np.asarray(self.engine.plain(infer(v, x)), np.float32) for x in self._batches(pixels)]
        return np.concatenate(parts)

    def logits(self, pixels: NDArray[Any]) -> Floats:
        """(N, classes)."""
        (network, v), engine = self._logits, self.engine
        parts = [
            np.array(engine.plain(network.infer(engine, v, x)), np.float32) for x in self._batches(pixels)
        ]
        return np.concatenate(parts)

    def gradient(self, pixels: NDArray[Any], labels: Labels, goal: Goal) -> tuple[Floats, Floats]:
        """Logits (N, classes) and the gradient (N, H, W, C) by the pixels of what `goal` says.

        labels: (N,). Each picture's gradient is its own: nothing is divided by N.
        """
        if goal not in self._steps:
            self._steps[goal] = self._make_step(goal)
        shape, (_, v) = self.model.preprocessing, self._logits
        logits, gradients = [], []
        for start, x in zip(range(0, len(pixels), self.batch), self._batches(pixels), strict=True):
            wanted = labels[start : start + self.batch]
            # Attacks lose pictures as they go, and engines keep a recording for each size of batch: a few
            # sizes have to do. The last picture fills up; the pictures of a batch know nothing of others.
            places = np.minimum(np.arange(_filled(len(x))), len(x) - 1)
            found, dx = self._steps[goal](v, x[places], wanted[places])
            logits.append(np.array(found, np.float32)[: len(x)])
            dnormal = center_view_backward(np.asarray(dx, np.float32)[: len(x)], shape.stored)
            gradients.append(shape.scale_backward(dnormal))
        return np.concatenate(logits), np.concatenate(gradients)

    def _batches(self, pixels: NDArray[Any]) -> Any:
        shape = self.model.preprocessing
        size = shape.height, shape.width
        for start in range(0, len(pixels), self.batch):
            yield extract_view(shape.scale(pixels[start : start + self.batch]), size, CENTER)

    @cached_property
    def _infer(self) -> Callable[[Tree, Floats], Any]:
        return make_infer(self.engine, self.model.frozen()[0])

    @cached_property
    def _logits(self) -> tuple[Layer, Tree]:
        network, v = self.model.frozen()
        if network.outputs == "logits":
            return network, v
        layers = {
            "network": network,
            "probabilities": PROBABILITIES[network.outputs],
            "logarithm": Logarithm(),
        }
        return Sequential(layers), {name: v if name == "network" else {} for name in layers}

    @cached_property
    def _steps(self) -> dict[Goal, Callable[..., Any]]:
        return {}

    def _make_step(self, goal: Goal) -> Callable[..., Any]:
        network, engine = self._logits[0], self.engine

        def step(v: Tree, x: Any, labels: Any) -> tuple[Any, Any]:
            logits, saved, _ = network.forward(engine, v, x)
            logits = engine.plain(logits)
            dlogits = engine.apply(goal, logits, labels)
            dx, _ = network.backward(engine, v, saved, dlogits)
            return logits, engine.plain(dx)

        return engine.compile(step)
