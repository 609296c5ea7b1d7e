"""Pixels around a picture, and larger pictures: padding and up-sampling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from residua.engines.vocabulary.core import Array, Engine
from residua.layers.base import Layer
from residua.layers.shapes import Shape, need_pictures, need_shape
from residua.variables import Tree


@dataclass(frozen=True)
class _Pad(Layer):
    """What all paddings share: so many pixels above, below, left and right of pictures (N, H, W, C)."""

    above: int = 1
    below: int = 1
    left: int = 1
    right: int = 1
    border: ClassVar[Literal["zero", "reflect", "edge"]]

    @property
    def _sides(self) -> tuple[int, int, int, int]:
        return self.above, self.below, self.left, self.right

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y: (N, H + above + below, W + left + right, C)."""
        y, saved = engine.pad(x, sides=self._sides, border=self.border)
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dy gathered where each pixel came from."""
        return engine.pad_backward(dy, saved, sides=self._sides, border=self.border), {}

    def output_shape(self, shape: Shape) -> Shape:
        """(H, W, C) -> (H + above + below, W + left + right, C)."""
        need_pictures(self, shape)
        if self.border == "reflect":
            rows, columns = max(self.above, self.below), max(self.left, self.right)
            wanted = f"more than {rows} rows and {columns} columns, as many as it mirrors"
            need_shape(self, shape, wanted, shape[0] > rows and shape[1] > columns)
        return (shape[0] + self.above + self.below, shape[1] + self.left + self.right, shape[2])


@dataclass(frozen=True)
class ZeroPad2d(_Pad):
    """Zeros around the picture."""

    border: ClassVar[Literal["zero", "reflect", "edge"]] = "zero"


@dataclass(frozen=True)
class ReflectionPad2d(_Pad):
    """The picture mirrored at its outermost pixels, which are not repeated themselves."""

    border: ClassVar[Literal["zero", "reflect", "edge"]] = "reflect"


@dataclass(frozen=True)
class ReplicationPad2d(_Pad):
    """The outermost pixels repeated."""

    border: ClassVar[Literal["zero", "reflect", "edge"]] = "edge"
