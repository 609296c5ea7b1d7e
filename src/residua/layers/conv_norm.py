"""A convolution with batch normalisation and ReLU, as one operation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from residua.engines.vocabulary.core import Array, Engine
from residua.engines.vocabulary.together import pooled
from residua.layers.base import Layer, added_later, sparse
from residua.layers.batch_norm import initial_variables, running_statistics, scale_and_shift
from residua.layers.convolution import Conv2d
from residua.layers.parameters import weight_and_bias_grads
from residua.layers.shapes import Shape
from residua.variables import Tree


@dataclass(frozen=True)
class ConvNorm(Layer):
    """Convolution, batch normalisation and, by option, ReLU as one operation.

    Variables: conv (see Conv2d; it has no bias, which the normalisation would take away again) and norm
    (see BatchNorm, also for `scale` and `shift`). Frozen, all of it is one convolution with a bias.
    """

    conv: Conv2d
    relu: bool = True
    momentum: float = 0.1
    eps: float = 1e-5
    scale: bool = added_later(True)
    shift: bool = added_later(True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.conv.bias or self.conv.relu or self.conv.fixed:
            raise ValueError(
                "ConvNorm takes a Conv2d without bias and relu, its weight not fixed; its own relu comes last"
            )

    def init(self, rng: np.random.Generator) -> Tree:
        """The convolution's weights and an untrained normalisation."""
        return {
            "conv": self.conv.init(rng),
            "norm": initial_variables(self.conv.out_channels, self.scale, self.shift),
        }

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y: (N, H', W', out_channels), and the new running statistics."""
        norm = v["norm"]
        y, mean, var, saved = engine.conv_norm(
            x,
            v["conv"]["weight"],
            norm.get("weight"),
            norm.get("bias"),
            stride=self.conv.stride,
            padding=self.conv.padding,
            eps=self.eps,
            relu=self.relu,
        )
        count = pooled(engine, engine.size(y) // self.conv.out_channels)
        return y, saved, {"norm": running_statistics(engine, norm, mean, var, count, self.momentum)}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dx, and the gradients by the convolution's and the normalisation's variables."""
        dx, dweight, dscale, dshift = engine.conv_norm_backward(
            dy,
            v["conv"]["weight"],
            v["norm"].get("weight"),
            saved,
            stride=self.conv.stride,
            padding=self.conv.padding,
            relu=self.relu,
        )
        grads = {"conv": {"weight": dweight}, "norm": weight_and_bias_grads(v["norm"], dscale, dshift)}
        return dx, sparse(grads)

    def freeze(self, v: Tree) -> tuple[Layer, Tree]:
        """One convolution: the normalisation's scale goes into the weight, its shift becomes the bias."""
        scale, shift = scale_and_shift(v["norm"], self.eps)
        conv = replace(self.conv, bias=True, relu=self.relu)
        return conv, {"weight": v["conv"]["weight"] * scale, "bias": shift}

    def output_shape(self, shape: Shape) -> Shape:
        """As the convolution's."""
        return self.conv.output_shape(shape)

    def multiply_adds(self, shape: Shape) -> int:
        """The convolution's; the normalisation is folded into it where it counts."""
        return self.conv.multiply_adds(shape)
