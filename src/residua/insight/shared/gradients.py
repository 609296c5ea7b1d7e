"""A trained network's class scores and their gradients by the picture: what saliency methods are made of.

The network is the frozen one, as `predict` runs it: normalisation by running statistics, no dropout. Its own
layers are run forward and backward; the gradient by the outputs is one at the class that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.engines import Engine
from residua.engines.guided import guided
from residua.errors import ConfigError
from residua.layers import Ensemble, Layer
from residua.layers.hooks import with_hooks
from residua.models.model_file import Model
from residua.training.inference import make_infer
from residua.variables import Tree

Floats = NDArray[Any]
Places = NDArray[np.int64]
PIXELS = 1 << 19  # of a batch: what is kept for the way back has to fit into memory
MOST = 64  # pictures of a batch

# What a class score is called, by the kind of a network's outputs.
SCORES = {"logits": "logit", "lengths": "length of the capsule", "probabilities": "probability"}


def explained_network(model: Model) -> tuple[Layer, Tree]:
    """The inference network whose scores are explained, and its variables: without a temperature.

    Logits before they are divided say the same. A vote, which has no gradient, is explained by the mean of
    the members' probabilities.
    """
    network, variables = replace(model, calibration=None).frozen()
    if isinstance(network, Ensemble) and network.method == "vote":
        network = replace(network, method="mean")
    return network, variables


@dataclass(frozen=True, eq=False)
class Scorer:
    """Scores of classes and their gradients, computed by a network's layers on an engine.

    Pictures x are (N, H, W, C), normalised, float32 (or float64, with variables to match, on the reference
    engine); classes are (N,) places in the network's outputs. batch: pictures at a time.
    """

    engine: Engine
    network: Layer
    variables: Tree
    batch: int

    @classmethod
    def of(cls, model: Model, engine: Engine, batch: int | None = None) -> Scorer:
        """The scores of a trained model, so many pictures at a time, or as memory suggests."""
        shape = model.preprocessing
        few = max(1, min(MOST, PIXELS // (shape.height * shape.width)))
        return cls(engine, *explained_network(model), batch or few)

    @property
    def unit(self) -> str:
        """What a score is called."""
        return SCORES[self.network.outputs]

    def outputs(self, x: Floats) -> Floats:
        """(N, classes): logits, lengths or probabilities."""
        outputs: Floats = self._joined(self._infer, x)[0]
        return outputs

    def scores(self, x: Floats, classes: Places) -> Floats:
        """(N,) the scores of these classes."""
        return self.outputs(x)[np.arange(len(x)), classes]

    def gradient(self, x: Floats, classes: Places, guide: bool = False) -> tuple[Floats, Floats]:
        """(N,) scores and their gradients (N, H, W, C) by x; guide: by guided backpropagation."""
        step = self._guided_step if guide else self._gradient_step
        y, dx = self._joined(step, x, classes)
        return y[np.arange(len(x)), classes], dx

    def maps(self, x: Floats, classes: Places, layer: str) -> tuple[Floats, Floats]:
        """What the layer of that name gives, (N, h, w, C), and the gradient of the score by it."""
        return self._joined(self._maps_step(layer), x, classes)

    # ------------------------------------------------------------------ steps, made ready once
    @cached_property
    def _infer(self) -> Callable[..., Any]:
        network, engine = self.network, self.engine
        step = engine.compile(lambda v, x: network.infer(engine, v, x))
        return lambda v, x, selected: (step(v, x),)

    @cached_property
    def _gradient_step(self) -> Callable[..., Any]:
        return self._make_step(self.engine)

    @cached_property
    def _guided_step(self) -> Callable[..., Any]:
        return self._make_step(guided(self.engine))

    def _make_step(self, engine: Engine) -> Callable[..., Any]:
        network = self.network

        def step(v: Tree, x: Floats, selected: Floats) -> Any:
            y, saved, _ = network.forward(engine, v, x)
            dx, _ = network.backward(engine, v, saved, selected)
            return y, dx

        return self.engine.compile(step)

    def _maps_step(self, layer: str) -> Callable[..., Any]:
        if layer in self._map_steps:
            return self._map_steps[layer]
        engine = self.engine
        heard: dict[str, Any] = {}

        def hear(kind: str) -> Callable[[str, Layer, Any], None]:
            return lambda name, layer, value: heard.__setitem__(kind, value)

        tapped = with_hooks(self.network, hear("y"), lambda name, _: name == layer, backward_hook=hear("dy"))

        def step(v: Tree, x: Floats, selected: Floats) -> Any:
            heard.clear()
            _, saved, _ = tapped.forward(engine, v, x)
            tapped.backward(engine, v, saved, selected)
            return heard["y"], heard["dy"]

        return self._map_steps.setdefault(layer, engine.compile(step))

    @cached_property
    def _map_steps(self) -> dict[str, Callable[..., Any]]:
        return {}

    def _joined(self, step: Callable[..., Any], x: Floats, classes: Places | None = None) -> tuple[Any, ...]:
        """The step's results for all pictures, batch by batch."""
        count = self.network.output_shape(x.shape[1:])[0]
        found: list[tuple[Floats, ...]] = []
        for start in range(0, len(x), self.batch):
            part = x[start : start + self.batch]
            selected = np.zeros((len(part), count), x.dtype)
            if classes is not None:
                selected[np.arange(len(part)), classes[start : start + self.batch]] = 1
            results = step(self.variables, part, selected)
            found.append(tuple(np.array(self.engine.plain(result)) for result in results))
        return tuple(map(np.concatenate, zip(*found, strict=True)))


def layer_shapes(scorer: Scorer, x: Floats) -> dict[str, tuple[int, ...]]:
    """{name: shape of its result for one picture} of every layer at any depth, in the order of computing."""
    found: dict[str, tuple[int, ...]] = {}

    def hear(name: str, layer: Layer, y: Any) -> None:
        found[name] = tuple(y.shape[1:])

    tapped = with_hooks(scorer.network, hear, lambda name, layer: True)
    tapped.infer(scorer.engine, scorer.variables, x[:1])
    return found


def probabilities(model: Model, engine: Engine, x: Floats, batch: int) -> NDArray[np.float32]:
    """(N, classes), as `residua predict` gives them."""
    network, variables = model.frozen()
    infer = make_infer(engine, network)
    parts = [infer(variables, x[start : start + batch]) for start in range(0, len(x), batch)]
    return np.concatenate([np.array(engine.plain(part), np.float32) for part in parts])


def variants(count: int, each: int, batch: int) -> Iterator[tuple[Places, Places]]:
    """Pictures and their variants, batch by batch: places (n,) below count, numbers (n,) below each."""
    for start in range(0, count * each, batch):
        flat = np.arange(start, min(start + batch, count * each))
        yield flat // each, flat % each


def add_at(total: Floats, places: Places, values: Floats) -> None:
    """total[place] += value for each, whatever places come twice."""
    for place in np.unique(places).tolist():
        total[place] += values[places == place].sum(axis=0)


def class_number(target: str, classes: tuple[str, ...]) -> int:
    """The place of a class: by its name, or one of its names between commas, in any case.

    Raises ConfigError that names the nearest.
    """
    if target in classes:
        return classes.index(target)
    wanted = target.strip().lower()
    known: dict[str, set[int]] = {}
    for place, name in enumerate(classes):
        for part in {name, *name.split(",")}:
            known.setdefault(part.strip().lower(), set()).add(place)
    if len(known.get(wanted, ())) == 1:
        return known[wanted].pop()
    if wanted in known:
        both = " or ".join(repr(classes[place]) for place in sorted(known[wanted])[:3])
        raise ConfigError(f"--target {target!r} may mean several classes: write {both}")
    import difflib

    close = difflib.get_close_matches(wanted, known, n=3, cutoff=0)
    nearest = dict.fromkeys(classes[min(known[name])] for name in close)
    raise ConfigError(
        f"the model has no class {target!r}; the nearest of its {len(classes):,} "
        f"{'name' if len(classes) == 1 else 'names'}: {'; '.join(nearest)}"
    )
