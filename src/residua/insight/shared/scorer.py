"""A trained network's class scores and their gradients by the input: what saliency and attacks are made of.

The network is the frozen one, as `predict` runs it: normalisation by running statistics, no dropout. Its own
layers are run forward and backward; an objective says what the gradient is of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from residua.data.views import CENTER, center_view_backward, extract_view
from residua.engines import Engine
from residua.engines.estimate import BACK
from residua.engines.guided import guided
from residua.insight.shared.objectives import Objective, class_score
from residua.layers import PROBABILITIES, Ensemble, Layer, Logarithm, Sequential
from residua.layers.hooks import with_hooks
from residua.models.model_file import Model
from residua.progress import advance
from residua.training.inference import make_infer
from residua.variables import Tree

Floats = NDArray[Any]
Labels = NDArray[np.int64]
Step = Callable[..., Any]
MAX_PIXELS = 1 << 19  # of a batch: what is kept for the way back has to fit into memory
MAX_BATCH = 64  # pictures

# What a class score is called, by the kind of a network's outputs.
UNITS = {"logits": "logit", "lengths": "length of the capsule", "probabilities": "probability"}


def explained_network(model: Model) -> tuple[Layer, Tree]:
    """The inference network whose scores are explained, and its variables: without a temperature.

    Logits before they are divided say the same. A vote, which has no gradient, is explained by the mean of
    the members' probabilities.
    """
    network, variables = replace(model, calibration=None).frozen()
    if isinstance(network, Ensemble) and network.method == "vote":
        network = replace(network, method="mean")
    return network, variables


def attacked_network(model: Model) -> tuple[Layer, Tree]:
    """The inference network with logits for outputs, and its variables: as `residua predict` runs it.

    Networks that give probabilities have their logarithms for logits.
    """
    network, variables = model.frozen()
    if network.outputs == "logits":
        return network, variables
    layers = {
        "network": network,
        "probabilities": PROBABILITIES[network.outputs],
        "logarithm": Logarithm(),
    }
    return Sequential(layers), {name: variables if name == "network" else {} for name in layers}


@dataclass(frozen=True, eq=False)
class Scorer:
    """Scores of classes and their gradients, computed by a network's layers on an engine.

    Inputs x are (N, H, W, C), normalised, float32 (or float64, with variables to match, on the reference
    engine); labels are (N,) indices of the network's outputs. What begins with `pixel` takes and gives
    pixels instead: (N, H, W, C) from 0 to 255 in the model's stored size, RGB, which need not be whole
    numbers; the chain rule then goes back through normalisation, order of colours, cut and enlargement.
    batch: pictures at a time.
    """

    model: Model
    engine: Engine
    network: Layer
    variables: Tree
    batch: int

    @classmethod
    def of_scores(cls, model: Model, engine: Engine, batch: int | None = None) -> Self:
        """The scores that are explained, so many pictures at a time, or as memory suggests."""
        shape = model.preprocessing
        fitting = max(1, min(MAX_BATCH, MAX_PIXELS // (shape.height * shape.width)))
        return cls(model, engine, *explained_network(model), batch or fitting)

    @classmethod
    def of_logits(cls, model: Model, engine: Engine, batch: int = MAX_BATCH) -> Self:
        """The logits that are attacked."""
        return cls(model, engine, *attacked_network(model), batch)

    @property
    def unit(self) -> str:
        """What a score is called."""
        return UNITS[self.network.outputs]

    # ------------------------------------------------------------------ normalised inputs
    def outputs(self, x: Floats) -> Floats:
        """(N, classes): logits, lengths or probabilities."""
        (outputs,) = self._concatenated(lambda part: (self._infer(self.variables, x[part]),), len(x), 1)
        return outputs

    def scores(self, x: Floats, labels: Labels) -> Floats:
        """(N,) the scores of these classes."""
        return self.outputs(x)[np.arange(len(x)), labels]

    def probabilities(self, x: Floats) -> NDArray[np.float32]:
        """(N, classes), as `residua predict` gives them."""
        (probabilities,) = self._concatenated(lambda part: (self._predict(x[part]),), len(x), 1)
        return probabilities

    def gradient(self, x: Floats, labels: Labels, guide: bool = False) -> tuple[Floats, Floats]:
        """(N,) scores and their gradients (N, H, W, C) by x; guide: by guided backpropagation."""
        step = self._gradient_step(class_score, guide)
        y, dx = self._concatenated(lambda part: step(self.variables, x[part], labels[part]), len(x))
        return y[np.arange(len(x)), labels], dx

    def maps(self, x: Floats, labels: Labels, layer: str) -> tuple[Floats, Floats]:
        """What the layer of that name gives, (N, h, w, C), and the gradient of the score by it."""
        step = self._maps_step(layer)
        maps, dmaps = self._concatenated(lambda part: step(self.variables, x[part], labels[part]), len(x))
        return maps, dmaps

    # ------------------------------------------------------------------ pixels
    def pixel_probabilities(self, pixels: NDArray[Any]) -> NDArray[np.float32]:
        """(N, classes), as `residua predict` gives them."""
        (probabilities,) = self._concatenated(
            lambda part: (self._predict(self._normalize(pixels[part])),), len(pixels), 1
        )
        return probabilities

    def pixel_logits(self, pixels: NDArray[Any]) -> NDArray[np.float32]:
        """(N, classes) outputs; not compiled, as attacks ask for another number of pictures every time."""
        network, engine, v = self.network, self.engine, self.variables
        (outputs,) = self._concatenated(
            lambda part: (network.infer(engine, v, self._normalize(pixels[part])),), len(pixels), 1
        )
        return outputs

    def pixel_gradient(
        self, pixels: NDArray[Any], labels: Labels, objective: Objective
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Outputs (N, classes) and the gradient (N, H, W, C) by the pixels of what `objective` says.

        labels: (N,). Each picture's gradient is its own: nothing is divided by N.
        """
        step, shape = self._gradient_step(objective, False), self.model.preprocessing

        def compute(part: slice) -> tuple[Floats, Floats]:
            x = self._normalize(pixels[part])
            # Attacks lose pictures as they go, and engines keep a recording for each size of batch: a few
            # sizes have to do. The last picture fills up; the pictures of a batch know nothing of others.
            rows = np.minimum(np.arange(_padded_size(len(x))), len(x) - 1)
            y, dx = step(self.variables, x[rows], labels[part][rows])
            dnormal = center_view_backward(np.asarray(dx, np.float32)[: len(x)], shape.stored)
            return np.asarray(y, np.float32)[: len(x)], shape.scale_backward(dnormal)

        outputs, gradient = self._concatenated(compute, len(pixels))
        return outputs, gradient

    def _normalize(self, pixels: NDArray[Any]) -> NDArray[np.float32]:
        """Pixels as the network sees them."""
        shape = self.model.preprocessing
        return extract_view(shape.scale(pixels), (shape.height, shape.width), CENTER)

    # ------------------------------------------------------------------ steps, made ready once
    def _concatenated(
        self, compute: Callable[[slice], tuple[Any, ...]], count: int, passes: float = 1 + BACK
    ) -> tuple[NDArray[Any], ...]:
        """What `compute` gives for the pictures of a slice, batch by batch, for all of them.

        passes: that each picture goes through the network, for who watches.
        """
        parts = []
        for part in _slices(count, self.batch):
            # Copied at once: what an engine lends, its next step may overwrite.
            parts.append(tuple(np.array(self.engine.plain(result)) for result in compute(part)))
            advance((part.stop - part.start) * passes)
        return tuple(map(np.concatenate, zip(*parts, strict=True)))

    @cached_property
    def _infer(self) -> Step:
        network, engine = self.network, self.engine
        return engine.compile(lambda v, x: network.infer(engine, v, x))

    @cached_property
    def _predictor(self) -> tuple[Step, Tree]:
        network, variables = self.model.frozen()
        return make_infer(self.engine, network), variables

    def _predict(self, x: Floats) -> NDArray[np.float32]:
        infer, variables = self._predictor
        return np.asarray(self.engine.plain(infer(variables, x)), np.float32)

    @cached_property
    def _steps(self) -> dict[tuple[Any, ...], Step]:
        return {}

    def _gradient_step(self, objective: Objective, guide: bool) -> Step:
        """(variables, x, labels) -> outputs, and the objective's gradient by x."""
        if (objective, guide) not in self._steps:
            network, engine = self.network, guided(self.engine) if guide else self.engine

            def step(v: Tree, x: Any, labels: Any) -> tuple[Any, Any]:
                y, saved, _ = network.forward(engine, v, x)
                y = engine.plain(y)
                dy = engine.apply(objective, y, labels)
                return y, engine.input_gradient(
                    lambda: engine.plain(network.backward(engine, v, saved, dy)[0])
                )

            self._steps[objective, guide] = self.engine.compile(step)
        return self._steps[objective, guide]

    def _maps_step(self, layer: str) -> Step:
        """(variables, x, labels) -> what the layer gives, and the gradient of the labels' scores by it."""
        if (layer,) not in self._steps:
            engine = self.engine
            results: dict[str, Any] = {}

            def store(kind: str) -> Callable[[str, Layer, Any], None]:
                return lambda name, layer, value: results.__setitem__(kind, value)

            hooked = with_hooks(
                self.network, store("y"), lambda name, _: name == layer, backward_hook=store("dy")
            )

            def step(v: Tree, x: Any, labels: Any) -> tuple[Any, Any]:
                results.clear()
                y, saved, _ = hooked.forward(engine, v, x)
                dy = engine.apply(class_score, engine.plain(y), labels)
                engine.input_gradient(lambda: hooked.backward(engine, v, saved, dy)[0])
                return results["y"], results["dy"]

            self._steps[layer,] = engine.compile(step)
        return self._steps[layer,]


def layer_shapes(engine: Engine, network: Layer, variables: Tree, x: Floats) -> dict[str, tuple[int, ...]]:
    """{name: shape of its result for one picture} of every layer at any depth, in the order of computing."""
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str, layer: Layer, y: Any) -> None:
        shapes[name] = tuple(y.shape[1:])

    with_hooks(network, note, lambda name, layer: True).infer(engine, variables, x[:1])
    return shapes


def _slices(count: int, batch: int) -> Iterator[slice]:
    return (slice(start, min(start + batch, count)) for start in range(0, count, batch))


def _padded_size(count: int) -> int:
    """The next of the sizes 1, 2, 4, 8, 16, 32, 48 and so on."""
    return 1 << (count - 1).bit_length() if count <= 16 else -(-count // 16) * 16
