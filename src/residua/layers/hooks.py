"""Looking at what passes between the layers of a network while it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from residua.engines.vocabulary.core import Array, Engine
from residua.layers.activation import ReLU
from residua.layers.base import Layer
from residua.layers.containers import Residual
from residua.variables import Tree

Hear = Callable[[str, Layer, Array], None]


@dataclass(frozen=True)
class Tap(Layer):
    """A layer whose results somebody hears of: hear(name, layer, y), with y a plain array of the engine.

    On the way back hear_back(name, layer, dy) is told of the gradient by y, shaped like y.
    """

    inner: Layer
    name: str
    hear: Hear
    hear_back: Hear | None = None

    @property
    def outputs(self) -> Literal["logits", "lengths", "probabilities"]:  # type: ignore[override]
        """The inner layer's."""
        return self.inner.outputs

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """The inner layer's y, as an ordinary array: its gradient then comes back as it is."""
        y, saved, stats = self.inner.forward(engine, v, x)
        y = engine.plain(y)
        self.hear(self.name, self.inner, y)
        return y, saved, stats

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """The inner layer's; dy is told before."""
        if self.hear_back is not None:
            dy = engine.plain(dy)
            self.hear_back(self.name, self.inner, dy)
        return self.inner.backward(engine, v, saved, dy)

    def infer(self, engine: Engine, v: Tree, x: Array) -> Array:
        """The inner layer's y."""
        y = engine.share(self.inner.infer(engine, v, x))
        self.hear(self.name, self.inner, engine.plain(y))
        return y

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The inner layer's."""
        return self.inner.output_shape(shape)


def tap(
    layer: Layer,
    hear: Hear,
    wanted: Callable[[str, Layer], bool],
    name: str = "",
    hear_back: Hear | None = None,
) -> Layer:
    """The network with a `Tap` around each layer that is wanted, at any depth.

    wanted(name, layer): dotted names as in files. The variables stay the network's own.
    """
    inside: dict[str, Any] = {}
    for entry in fields(layer):
        value = getattr(layer, entry.name)
        below = {"layers": "", "branches": "", "members": ""}.get(entry.name, entry.name)
        if isinstance(value, Layer):
            inside[entry.name] = tap(value, hear, wanted, _join(name, entry.name), hear_back)
        elif isinstance(value, Mapping) and value and all(isinstance(part, Layer) for part in value.values()):
            inside[entry.name] = {
                key: tap(part, hear, wanted, _join(name, below, key), hear_back)
                for key, part in value.items()
            }
    if inside:
        layer = replace(layer, **inside)
    return Tap(layer, name, hear, hear_back) if name and wanted(name, layer) else layer


def _join(*parts: str) -> str:
    return ".".join(part for part in parts if part)


def rectifies(layer: Layer) -> bool:
    """Whether the layer's results have passed a ReLU, so that a channel of them can be off."""
    if isinstance(layer, Residual | ReLU):
        return True
    return bool(getattr(layer, "relu", False))
