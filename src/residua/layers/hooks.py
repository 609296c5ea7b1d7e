"""Hooks: functions called with what passes between the layers of a network, forward and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from residua.engines.vocabulary.core import Array, Engine
from residua.layers.activation import ReLU
from residua.layers.base import Layer
from residua.layers.residual import Residual
from residua.variables import Tree

Hook = Callable[[str, Layer, Array], None]

# Fields whose layers stand under their own names in paths, without the field's name before them.
CONTAINER_FIELDS = frozenset({"layers", "branches", "members"})


@dataclass(frozen=True)
class Hooked(Layer):
    """A layer with a hook: forward_hook(name, layer, y) is called with y, a plain array of the engine.

    On the way back backward_hook(name, layer, dy) is called with the gradient by y, shaped like y.
    """

    inner: Layer
    name: str
    forward_hook: Hook
    backward_hook: Hook | None = None

    @property
    def outputs(self) -> Literal["logits", "lengths", "probabilities"]:  # type: ignore[override]
        """The inner layer's."""
        return self.inner.outputs

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """The inner layer's y, as an ordinary array: its gradient then comes back as it is."""
        y, saved, stats = self.inner.forward(engine, v, x)
        y = engine.plain(y)
        self.forward_hook(self.name, self.inner, y)
        return y, saved, stats

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """The inner layer's dx and gradients; the hook is called with dy before."""
        if self.backward_hook is not None:
            dy = engine.plain(dy)
            self.backward_hook(self.name, self.inner, dy)
        return self.inner.backward(engine, v, saved, dy)

    def infer(self, engine: Engine, v: Tree, x: Array) -> Array:
        """The inner layer's y."""
        y = engine.share(self.inner.infer(engine, v, x))
        self.forward_hook(self.name, self.inner, engine.plain(y))
        return y

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The inner layer's."""
        return self.inner.output_shape(shape)


def with_hooks(
    layer: Layer,
    forward_hook: Hook,
    selects: Callable[[str, Layer], bool],
    name: str = "",
    backward_hook: Hook | None = None,
) -> Layer:
    """The network with hooks on each layer that `selects(name, layer)` takes, at any depth.

    Names are dotted as in files. The variables stay the network's own.
    """
    inner: dict[str, Any] = {}
    for entry in fields(layer):
        value = getattr(layer, entry.name)
        field = "" if entry.name in CONTAINER_FIELDS else entry.name
        if isinstance(value, Layer):
            inner[entry.name] = with_hooks(
                value, forward_hook, selects, _join(name, entry.name), backward_hook
            )
        elif isinstance(value, Mapping) and value and all(isinstance(part, Layer) for part in value.values()):
            inner[entry.name] = {
                key: with_hooks(part, forward_hook, selects, _join(name, field, key), backward_hook)
                for key, part in value.items()
            }
    if inner:
        layer = replace(layer, **inner)
    return Hooked(layer, name, forward_hook, backward_hook) if name and selects(name, layer) else layer


def _join(*parts: str) -> str:
    return ".".join(part for part in parts if part)


def ends_in_relu(layer: Layer) -> bool:
    """Whether the layer's results have passed a ReLU, so that a channel of them can be off."""
    if isinstance(layer, Residual | ReLU):
        return True
    return bool(getattr(layer, "relu", False))
