"""What stands at a network's end, on the host's side: linear layers, softmax and its loss."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.engines.numba.kernels.linear import product, softmax
from residua.engines.numba.kernels.primitives.vector import WIDTH
from residua.engines.numba.kernels.products.blocks import ROWS
from residua.engines.numba.lazy.materialize import taken
from residua.engines.numba.lazy.values import Promise
from residua.engines.numba.operations.channel_padding import fitted
from residua.engines.numba.operations.pooling import PoolKernels
from residua.engines.numba.planning.convolution import MOST_PARTS
from residua.engines.numba.runtime.context import double
from residua.engines.numba.runtime.memory import address as address_of
from residua.engines.vocabulary.core import Saved
from residua.errors import ShapeError

Array = NDArray[Any]
LEAST_ROWS = 32  # of logits that are worth a thread


def _as_labels(labels: Any) -> Array:
    return np.require(labels, np.int64, ("C", "A"))


class HeadKernels(PoolKernels):
    """linear, softmax and softmax_cross_entropy."""

    # ------------------------------------------------------------------ linear
    def linear(self, x: Any, weight: Array, bias: Array | None) -> tuple[Any, Saved]:
        x = self.plain(x)
        if not taken(x, weight, bias) or x.ndim != 2:
            return super().linear(x, weight, bias)
        if x.shape[1] != weight.shape[0]:
            raise ShapeError(f"a linear layer over {weight.shape[0]} features was given {tuple(x.shape)}")
        machine, x, weight = self.machine, self.tidy(x), self.tidy(weight)
        (count, inputs), outputs = x.shape, weight.shape[1]
        wide = _fitting(outputs)
        columns = fitted(machine, weight, inputs, wide)
        added = None if bias is None else fitted(machine, self.tidy(bias), wide)
        y = machine.take(count * wide)
        parts = _parts(wide)
        block = (
            parts, count, inputs, wide, address_of(x), address_of(columns),
            0 if added is None else address_of(added), address_of(y),
        )  # fmt: skip
        machine.run(product.forward, block, parts, scratch=ROWS * (inputs + product.PANEL))
        return fitted(machine, y.reshape(count, wide), count, outputs), (x, columns)

    def linear_backward(self, dy: Any, weight: Array, saved: Saved) -> tuple[Any, Any, Any]:
        if not isinstance(saved, tuple):
            return super().linear_backward(dy, weight, saved)
        machine, (x, columns) = self.machine, saved
        (count, inputs), outputs, wide = x.shape, weight.shape[1], columns.shape[1]
        dy = fitted(machine, self.tidy(self.plain(dy)), count, wide)
        long = _fitting(inputs)
        given = fitted(machine, x, count, long)
        dweight, dbias = machine.take(long * wide), machine.take(wide)
        parts = _parts(wide)
        block = (
            parts, count, long, wide, address_of(given), address_of(dy), address_of(dweight),
            address_of(dbias),
        )  # fmt: skip
        machine.run(product.weight_gradient, block, parts)
        dx = Promise(x.shape, lambda: self._linear_inputs(dy, columns, count, inputs), self.plain)
        return (
            dx,
            fitted(machine, dweight.reshape(long, wide), inputs, outputs),
            fitted(machine, dbias, outputs),
        )

    def _linear_inputs(self, dy: Array, columns: Array, count: int, inputs: int) -> Array:
        machine, wide, long = self.machine, columns.shape[1], _fitting(inputs)
        columns = fitted(machine, columns, long, wide)
        dx = machine.take(count * long)
        parts = _parts(long)
        block = (parts, count, long, wide, address_of(dy), address_of(columns), address_of(dx))
        scratch = (product.PANEL + ROWS) * wide + ROWS * product.PANEL
        machine.run(product.input_gradient, block, parts, scratch=scratch)
        return fitted(machine, dx.reshape(count, long), count, inputs)

    # ------------------------------------------------------------------ probabilities and loss
    def softmax(self, logits: Any) -> Any:
        logits = self.plain(logits)
        if not taken(logits) or logits.ndim != 2:
            return super().softmax(logits)
        machine, logits = self.machine, self.tidy(logits)
        count, classes = logits.shape
        out, parts = machine.take(count * classes), min(MOST_PARTS, -(-count // LEAST_ROWS))
        machine.run(softmax.softmax, (parts, count, classes, address_of(logits), address_of(out)), parts)
        return out.reshape(count, classes)

    def softmax_cross_entropy(
        self, logits: Any, labels: Any, *, smoothing: float = 0.0, weights: Any = None
    ) -> tuple[Any, Any]:
        logits, labels, weights = self.plain(logits), self.plain(labels), self.plain(weights)
        if not taken(logits, weights) or logits.ndim != 2:
            return super().softmax_cross_entropy(logits, labels, smoothing=smoothing, weights=weights)
        machine, logits = self.machine, self.tidy(logits)
        count, classes = logits.shape
        weights = None if weights is None else self.tidy(weights)
        labels = self._labels(labels)
        dlogits, losses = machine.take(count * classes), machine.take(count, np.float64)
        loss, parts = machine.take(1), min(MOST_PARTS, -(-count // LEAST_ROWS))
        block = (
            parts, count, classes, address_of(logits), address_of(labels),
            0 if weights is None else address_of(weights), address_of(dlogits), address_of(losses),
            double(smoothing),
        )  # fmt: skip
        machine.run(softmax.cross_entropy, block, parts)
        machine.run(softmax.mean, (1, count, address_of(losses), address_of(loss)), 1)
        return loss.reshape(()), dlogits.reshape(count, classes)

    def count_correct(self, logits: Any, labels: Any) -> Any:
        logits, labels = self.plain(logits), self.plain(labels)
        if not taken(logits) or logits.ndim != 2:
            return super().count_correct(logits, labels)
        machine, logits, labels = self.machine, self.tidy(logits), self._labels(labels)
        right = machine.take(1, np.int64)
        block = (1, *logits.shape, address_of(logits), address_of(labels), address_of(right))
        machine.run(softmax.count_correct, block, 1)
        return right.reshape(())

    def _labels(self, labels: Any) -> Array:
        if isinstance(labels, np.ndarray) and labels.dtype == np.int64 and labels.flags.c_contiguous:
            return labels
        found: Array = self.machine.host(_as_labels, labels)
        return found


def _fitting(columns: int) -> int:
    """So many columns, or what the kernels need at the least: whole panels, or one vector or panel."""
    if columns <= WIDTH:
        return WIDTH
    return max(columns, product.PANEL)


def _parts(columns: int) -> int:
    return min(MOST_PARTS, -(-columns // product.PANEL))
