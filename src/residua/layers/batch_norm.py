"""Batch normalisation of features and of pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from residua.engines.vocabulary.core import Array, Engine
from residua.engines.vocabulary.together import pooled
from residua.layers.base import Layer, added_later
from residua.layers.parameters import weight_and_bias_grads
from residua.layers.scaling import ScaleShift
from residua.layers.shapes import Shape, need_shape
from residua.variables import Tree


def initial_variables(channels: int, scale: bool = True, shift: bool = True) -> Tree:
    """Weight, if any, and running variance one, bias, if any, and running mean zero: all (channels,)."""
    learned = {"weight": np.ones(channels, np.float32)} if scale else {}
    if shift:
        learned["bias"] = np.zeros(channels, np.float32)
    return {
        **learned,
        "running_mean": np.zeros(channels, np.float32),
        "running_var": np.ones(channels, np.float32),
    }


def running_statistics(engine: Engine, v: Tree, mean: Array, var: Array, count: int, momentum: float) -> Tree:
    """The running mean and variance with a share `momentum` of the batch's, of `count` numbers a channel."""
    # The running variance is the unbiased one (algorithm 2); a single number has none, so it is not scaled.
    (unbiased,) = engine.scale([var], count / max(count - 1, 1))
    mixed = engine.mix([v["running_mean"], v["running_var"]], [mean, unbiased], momentum)
    return {"running_mean": mixed[0], "running_var": mixed[1]}


def scale_and_shift(v: Tree, eps: float) -> tuple[Array, Array]:
    """What x is multiplied by, and what is added then: normalisation by the running statistics."""
    scale = v.get("weight", 1) / (v["running_var"] + eps) ** 0.5
    return scale, v.get("bias", 0) - v["running_mean"] * scale


@dataclass(frozen=True)
class BatchNorm(Layer):
    """Normalise every channel by the batch's mean and variance (Ioffe and Szegedy 2015, algorithm 1).

    Variables: weight (with a `scale`) and bias (with a `shift`), (channels,), which what is normalised is
    multiplied by and moved by; and the running mean and variance, mixed in with share `momentum` a step,
    which the frozen layer uses. `relu` rectifies the output.
    """

    channels: int
    momentum: float = 0.1
    eps: float = 1e-5
    relu: bool = False
    scale: bool = added_later(True)
    shift: bool = added_later(True)
    dimensions: ClassVar[int]

    def init(self, rng: np.random.Generator) -> Tree:
        """Weight and running variance one, bias and running mean zero."""
        return initial_variables(self.channels, self.scale, self.shift)

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y, shaped like x, and the new running statistics."""
        y, mean, var, saved = engine.batch_norm(
            x, v.get("weight"), v.get("bias"), eps=self.eps, relu=self.relu
        )
        count = pooled(engine, engine.size(x) // self.channels)
        return y, saved, running_statistics(engine, v, mean, var, count, self.momentum)

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dx, and the gradients by weight and bias."""
        dx, dscale, dshift = engine.batch_norm_backward(dy, v.get("weight"), saved, relu=self.relu)
        return dx, weight_and_bias_grads(v, dscale, dshift)

    def freeze(self, v: Tree) -> tuple[Layer, Tree]:
        """A ScaleShift by the running statistics."""
        scale, shift = scale_and_shift(v, self.eps)
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
