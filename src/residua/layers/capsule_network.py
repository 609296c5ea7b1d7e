"""A network of capsules: classified by lengths, trained with the margin loss and by drawing its input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, Literal

import numpy as np

from residua.engines.vocabulary.core import Array, Engine
from residua.errors import ConfigError
from residua.layers.base import Layer, Row, sparse
from residua.layers.sequential import Sequential
from residua.layers.shapes import Shape, need_shape, within
from residua.variables import Tree, flatten, trainable, unflatten

DECODER = "decoder"


@dataclass(frozen=True)
class CapsuleNetwork(Layer):
    """Layers that end in class capsules, and a decoder that draws the picture from the right one of them.

    Sabour et al. 2017, "Dynamic routing between capsules", sections 3 and 4.1: y (N, classes) are the
    capsules' lengths. The loss is the margin loss with `present`, `absent` and `share` (equation 4), plus
    `reconstruction` times the sum of the squared differences between the picture and what the decoder
    draws from the capsule of the picture's label. The decoder takes (N, classes * dimension) and gives
    (N, H, W, C); without one there is the margin loss alone, and for inference it is not needed.

    Variables: those of each layer under its name, the decoder's under "decoder".
    """

    layers: dict[str, Layer]
    decoder: Layer | None = None
    present: float = 0.9
    absent: float = 0.1
    share: float = 0.5
    reconstruction: float = 0.0005

    outputs: ClassVar[Literal["logits", "lengths", "probabilities"]] = "lengths"

    def __post_init__(self) -> None:
        super().__post_init__()
        if DECODER in self.layers:
            raise ValueError(f"CapsuleNetwork.layers cannot hold the name {DECODER!r}: it is the decoder's")

    @property
    def _encoder(self) -> Sequential:
        return Sequential(self.layers)

    def init(self, rng: np.random.Generator) -> Tree:
        """Each layer's variables under its name, then the decoder's."""
        v = self._encoder.init(rng)
        return v if self.decoder is None else v | {DECODER: self.decoder.init(rng)}

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y: (N, classes), the lengths."""
        capsules, saved, stats = self._encoder.forward(engine, v, x)
        y, saved_lengths = engine.lengths(capsules)
        return y, (saved, saved_lengths), stats

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dx and the gradients; lengths do not depend on the decoder, whose gradients are zero."""
        saved_encoder, saved_lengths = saved
        dcapsules = engine.lengths_backward(dy, saved_lengths)
        dx, grads = self._encoder.backward(engine, v, saved_encoder, dcapsules)
        if self.decoder is not None:
            flat = flatten(trainable(v[DECODER]))
            zeros = engine.scale(list(flat.values()), 0.0)
            grads = grads | sparse({DECODER: unflatten(dict(zip(flat, zeros, strict=True)))})
        return dx, grads

    def loss(
        self,
        engine: Engine,
        v: Tree,
        images: Array,
        labels: Array,
        *,
        smoothing: float = 0.0,
        weights: Array | None = None,
        mixed: tuple[Array, Array] | None = None,
    ) -> tuple[Array, Array, Tree, Tree]:
        """Margin and reconstruction loss, lengths, gradients, statistics; images are pixels from 0 to 1.

        Raises ConfigError for label smoothing and pictures made of two: the margin loss has one label.
        """
        if mixed is not None:
            raise ConfigError("the margin loss of capsules takes one label: leave --mixup and --cutmix out")
        if smoothing:
            raise ConfigError("the margin loss of capsules has no label smoothing: leave --smoothing out")
        capsules, saved, stats = self._encoder.forward(engine, v, images)
        capsules = engine.share(capsules)
        lengths, saved_lengths = engine.lengths(capsules)
        loss, dlengths = engine.margin_loss(
            lengths, labels, present=self.present, absent=self.absent, share=self.share, weights=weights
        )
        dcapsules = engine.lengths_backward(dlengths, saved_lengths)
        if self.decoder is None:
            _, grads = self._encoder.backward(engine, v, saved, dcapsules)
            return loss, lengths, grads, stats
        drawn, saved_drawing, decoder_stats = self._draw(engine, v, capsules, labels)
        error, ddrawn = engine.mean_squared_error(drawn, images, weights=weights)
        # The error is a mean over the pixels, the loss takes their sum.
        factor = self.reconstruction * engine.size(images) / len(labels)
        loss = engine.apply(lambda xp, margin, error: margin + factor * error, loss, error)
        ddrawn = engine.apply(lambda xp, ddrawn: factor * ddrawn, ddrawn)
        dselected, decoder_grads = self._draw_backward(engine, v, saved_drawing, ddrawn)
        _, grads = self._encoder.backward(engine, v, saved, engine.add(dcapsules, dselected))
        return (
            loss,
            lengths,
            grads | sparse({DECODER: decoder_grads}),
            stats | sparse({DECODER: decoder_stats}),
        )

    def _draw(self, engine: Engine, v: Tree, capsules: Array, labels: Array) -> tuple[Array, Any, Tree]:
        assert self.decoder is not None
        selected, saved_selection = engine.select_capsule(capsules, labels)
        flat, saved_shape = engine.flatten(selected)
        with within(DECODER):
            drawn, saved, stats = self.decoder.forward(engine, v[DECODER], flat)
        return drawn, (saved_selection, saved_shape, saved), stats

    def _draw_backward(self, engine: Engine, v: Tree, saved: Any, ddrawn: Array) -> tuple[Array, Tree]:
        assert self.decoder is not None
        saved_selection, saved_shape, saved_decoder = saved
        dflat, grads = self.decoder.backward(engine, v[DECODER], saved_decoder, ddrawn)
        dselected = engine.flatten_backward(dflat, saved_shape)
        return engine.select_capsule_backward(dselected, saved_selection), grads

    def capsules(self, engine: Engine, v: Tree, x: Array) -> Array:
        """The class capsules (N, classes, dimension)."""
        return self._encoder.infer(engine, v, x)

    def draw(self, engine: Engine, v: Tree, capsules: Array, labels: Array) -> Array:
        """What the decoder draws from each picture's capsule at its label: (N, H, W, C) from 0 to 1."""
        return self._draw(engine, v, capsules, labels)[0]

    def infer(self, engine: Engine, v: Tree, x: Array) -> Array:
        """y."""
        return engine.lengths(self.capsules(engine, v, x))[0]

    def freeze(self, v: Tree) -> tuple[Layer, Tree]:
        """Every layer frozen, without the decoder."""
        encoder, frozen = self._encoder.freeze({name: v[name] for name in self.layers})
        assert isinstance(encoder, Sequential)
        numbers = (self.present, self.absent, self.share, self.reconstruction)
        return CapsuleNetwork(encoder.layers, None, *numbers), frozen

    def output_shape(self, shape: Shape) -> Shape:
        """(H, W, C) -> (classes,)."""
        after = self._encoder.output_shape(shape)
        need_shape(self, after, "capsules (classes, dimension) from its last layer", len(after) == 2)
        if self.decoder is not None:
            with within(DECODER):
                drawn = self.decoder.output_shape((prod(after),))
            need_shape(self, shape, f"pictures {drawn}, as its decoder draws them", drawn == tuple(shape))
        return (after[0],)

    def multiply_adds(self, shape: Shape) -> int:
        """Those of the layers and of the decoder."""
        return sum(row.multiply_adds for row in self.rows(shape))

    def rows(self, shape: Shape, name: str = "") -> Iterator[Row]:
        """Every layer's rows, then the decoder's."""
        yield from self._encoder.rows(shape, name)
        if self.decoder is not None:
            after = prod(self._encoder.output_shape(shape))
            yield from self.decoder.rows((after,), f"{name}.{DECODER}" if name else DECODER)
