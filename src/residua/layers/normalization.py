"""Batch normalisation, alone and welded to the convolution before it, and that of neighbouring channels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from residua.engines.vocabulary.core import Array, Engine
from residua.layers.base import Layer, Shape, need_shape
from residua.layers.convolution import Conv2d
from residua.variables import Tree


def _init(channels: int) -> Tree:
    return {
        "weight": np.ones(channels, np.float32),
        "bias": np.zeros(channels, np.float32),
        "running_mean": np.zeros(channels, np.float32),
        "running_var": np.ones(channels, np.float32),
    }


def _stats(engine: Engine, v: Tree, mean: Array, var: Array, count: int, momentum: float) -> Tree:
    # The running variance is the unbiased one (algorithm 2); a single number has none, so it is not scaled.
    (unbiased,) = engine.scale([var], count / max(count - 1, 1))
    mixed = engine.mix([v["running_mean"], v["running_var"]], [mean, unbiased], momentum)
    return {"running_mean": mixed[0], "running_var": mixed[1]}


def _coefficients(v: Tree, eps: float) -> tuple[Array, Array]:
    scale = v["weight"] / (v["running_var"] + eps) ** 0.5
    return scale, v["bias"] - v["running_mean"] * scale


@dataclass(frozen=True)
class ScaleShift(Layer):
    """y = x * weight + bias per channel: what a normalisation becomes when it is frozen."""

    channels: int
    relu: bool = False

    def init(self, rng: np.random.Generator) -> Tree:
        """The identity."""
        return {"weight": np.ones(self.channels, np.float32), "bias": np.zeros(self.channels, np.float32)}

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y, shaped like x."""
        y, saved = engine.scale_shift(x, v["weight"], v["bias"], relu=self.relu)
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dx, and the gradients by weight and bias."""
        dx, dscale, dshift = engine.scale_shift_backward(dy, v["weight"], saved, relu=self.relu)
        return dx, {"weight": dscale, "bias": dshift}

    def output_shape(self, shape: Shape) -> Shape:
        """Unchanged."""
        need_shape(self, shape, f"{self.channels} channels", shape[-1] == self.channels)
        return shape


@dataclass(frozen=True)
class BatchNorm(Layer):
    """Normalise every channel by the batch's mean and variance (Ioffe and Szegedy 2015, algorithm 1).

    Variables: weight and bias (channels,), and the running mean and variance, mixed in with share
    `momentum` a step, which the frozen layer uses. `relu` rectifies the output.
    """

    channels: int
    momentum: float = 0.1
    eps: float = 1e-5
    relu: bool = False
    dimensions: ClassVar[int]

    def init(self, rng: np.random.Generator) -> Tree:
        """Weight and running variance one, bias and running mean zero."""
        return _init(self.channels)

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y, shaped like x, and the new running statistics."""
        y, mean, var, saved = engine.batch_norm(x, v["weight"], v["bias"], eps=self.eps, relu=self.relu)
        count = engine.size(x) // self.channels
        return y, saved, _stats(engine, v, mean, var, count, self.momentum)

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dx, and the gradients by weight and bias."""
        dx, dscale, dshift = engine.batch_norm_backward(dy, v["weight"], saved, relu=self.relu)
        return dx, {"weight": dscale, "bias": dshift}

    def freeze(self, v: Tree) -> tuple[Layer, Tree]:
        """A ScaleShift by the running statistics."""
        scale, shift = _coefficients(v, self.eps)
        return ScaleShift(self.channels, self.relu), {"weight": scale, "bias": shift}

    def output_shape(self, shape: Shape) -> Shape:
        """Unchanged."""
        wanted = "pictures (H, W, {})" if self.dimensions == 2 else "features ({},)"
        fits = len(shape) == self.dimensions * 2 - 1 and shape[-1] == self.channels
        need_shape(self, shape, wanted.format(self.channels), fits)
        return shape


@dataclass(frozen=True)
class BatchNorm1d(BatchNorm):
    """Batch normalisation of features (N, channels)."""

    dimensions: ClassVar[int] = 1


@dataclass(frozen=True)
class BatchNorm2d(BatchNorm):
    """Batch normalisation of pictures (N, H, W, channels): over the batch and all pixels."""

    dimensions: ClassVar[int] = 2


@dataclass(frozen=True)
class ConvNorm(Layer):
    """Convolution, batch normalisation and, by option, ReLU as one operation.

    Variables: conv (see Conv2d; it has no bias, which the normalisation would take away again) and norm
    (see BatchNorm). Frozen, all of it is one convolution with a bias.
    """

    conv: Conv2d
    relu: bool = True
    momentum: float = 0.1
    eps: float = 1e-5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.conv.bias or self.conv.relu:
            raise ValueError("ConvNorm takes a Conv2d without bias and relu; its own relu comes last")

    def init(self, rng: np.random.Generator) -> Tree:
        """The convolution's weights and an untrained normalisation."""
        return {"conv": self.conv.init(rng), "norm": _init(self.conv.out_channels)}

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y: (N, H', W', out_channels), and the new running statistics."""
        norm = v["norm"]
        y, mean, var, saved = engine.conv_norm(
            x,
            v["conv"]["weight"],
            norm["weight"],
            norm["bias"],
            stride=self.conv.stride,
            padding=self.conv.padding,
            eps=self.eps,
            relu=self.relu,
        )
        count = engine.size(y) // self.conv.out_channels
        return y, saved, {"norm": _stats(engine, norm, mean, var, count, self.momentum)}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dx, and the gradients by the convolution's and the normalisation's variables."""
        dx, dweight, dscale, dshift = engine.conv_norm_backward(
            dy,
            v["conv"]["weight"],
            v["norm"]["weight"],
            saved,
            stride=self.conv.stride,
            padding=self.conv.padding,
            relu=self.relu,
        )
        return dx, {"conv": {"weight": dweight}, "norm": {"weight": dscale, "bias": dshift}}

    def freeze(self, v: Tree) -> tuple[Layer, Tree]:
        """One convolution: the normalisation's scale goes into the weight, its shift becomes the bias."""
        scale, shift = _coefficients(v["norm"], self.eps)
        conv = replace(self.conv, bias=True, relu=self.relu)
        return conv, {"weight": v["conv"]["weight"] * scale, "bias": shift}

    def output_shape(self, shape: Shape) -> Shape:
        """As the convolution's."""
        return self.conv.output_shape(shape)

    def multiply_adds(self, shape: Shape) -> int:
        """The convolution's; the normalisation is folded into it where it counts."""
        return self.conv.multiply_adds(shape)


@dataclass(frozen=True)
class LocalResponseNorm(Layer):
    """x / (offset + alpha * sum of x² over neighbouring channels) ** beta.

    Krizhevsky et al. 2012, section 3.3, whose constants are the defaults. `size` channels are summed, the
    own one in their middle; beyond the first and last lies zero. (PyTorch's layer divides alpha by size.)
    """

    size: int = 5
    alpha: float = 1e-4
    beta: float = 0.75
    offset: float = 2.0

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y, shaped like x."""
        y, saved = engine.local_response_norm(
            x, size=self.size, alpha=self.alpha, beta=self.beta, offset=self.offset
        )
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dx."""
        dx = engine.local_response_norm_backward(
            dy, saved, size=self.size, alpha=self.alpha, beta=self.beta, offset=self.offset
        )
        return dx, {}
