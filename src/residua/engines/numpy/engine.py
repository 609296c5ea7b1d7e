"""The reference engine: NumPy alone, readable, in the precision of its inputs (float32 or float64).

Every other engine is held against this one (`residua.testing.check_engine`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from residua.engines.numpy import convolution as numpy_convolution
from residua.engines.vocabulary.core import Engine, Saved
from residua.engines.vocabulary.together import pooled

Array = NDArray[Any]


def _channel_sum(x: Array) -> Array:
    """Sum over all axes but the last.

    A product with a vector of ones: BLAS sums in several accumulators, which is faster than NumPy's
    row by row `sum(axis=0)` and loses fewer digits.
    """
    rows = x.reshape(-1, x.shape[-1])
    total: Array = np.ones(len(rows), x.dtype) @ rows
    return total


class NumpyEngine(Engine):
    """NumPy: the oracle, and the engine that is always there."""

    name = "numpy"
    xp = np

    def __init__(self, threads: int | None = None) -> None:
        super().__init__(threads)
        self._workers: ThreadPoolExecutor | None = None
        self._owner = 0

    def compile(self, step: Callable[..., Any], donate: Sequence[str] = ()) -> Callable[..., Any]:
        # Threads of our own share the chunks of a convolution, one BLAS thread each: faster than BLAS's
        # threads on products of this size, far faster on a busy machine, and without a say in the result.
        blas = ThreadpoolController()

        def compiled(*arguments: Any, **options: Any) -> Any:
            with blas.limit(limits=1, user_api="blas"):
                return step(*arguments, **options)

        return compiled

    def _number(self, x: Any) -> float:
        return float(x)

    def _summed(self, sums: Array) -> Array:
        """Sums per channel, over all parts of the batch where there are others."""
        return sums if self.together is None else self.together.sum(sums).astype(sums.dtype)

    def _run(self, function: Callable[[Any], Any], chunks: Iterator[Any]) -> Iterator[Any]:
        if self.threads == 1:
            return map(function, chunks)
        if self._workers is None or self._owner != os.getpid():  # threads do not survive a fork
            self._workers, self._owner = ThreadPoolExecutor(self.threads), os.getpid()
        return self._workers.map(function, chunks)

    def conv2d(
        self,
        x: Array,
        weight: Array,
        bias: Array | None,
        *,
        stride: int,
        padding: int,
        relu: bool = False,
    ) -> tuple[Array, Saved]:
        y = numpy_convolution.forward(x, weight, stride, padding, self._run)
        if bias is not None:
            y += bias
        if relu:
            np.maximum(y, 0, out=y)
        return y, (x, y if relu else None)

    def conv2d_backward(
        self, dy: Array, weight: Array, saved: Saved, *, stride: int, padding: int, relu: bool = False
    ) -> tuple[Array, Array, Array]:
        x, y = saved
        if relu:
            dy = dy * (y > 0)
        dx, dweight = numpy_convolution.backward(dy, x, weight, stride, padding, self._run)
        return dx, dweight, _channel_sum(dy)

    def batch_norm(
        self, x: Array, scale: Array | None, shift: Array | None, *, eps: float, relu: bool = False
    ) -> tuple[Array, Array, Array, Saved]:
        count = pooled(self, x.size // x.shape[-1])
        mean = self._summed(_channel_sum(x)) / count
        y = x - mean
        # From the centred values: the mean of squares less the squared mean cancels in float32.
        rows = y.reshape(-1, y.shape[-1])
        var = self._summed(np.einsum("ij,ij->j", rows, rows)) / count
        inverse = 1 / np.sqrt(var + eps)
        y *= inverse if scale is None else inverse * scale
        if shift is not None:
            y += shift
        if relu:
            np.maximum(y, 0, out=y)
        return y, mean, var, (x, mean, inverse, y if relu else None)

    def batch_norm_backward(
        self, dy: Array, scale: Array | None, saved: Saved, *, relu: bool = False
    ) -> tuple[Array, Array, Array]:
        # With u = (x - mean) * inverse and m rows:
        # dx = scale * inverse * (dy - sum(dy) / m - u * sum(dy * u) / m).
        x, mean, inverse, y = saved
        if relu:
            dy = dy * (y > 0)
        count = pooled(self, x.size // x.shape[-1])
        dx = x - mean
        dshift = _channel_sum(dy)
        channels = x.shape[-1]
        dscale = np.einsum("ij,ij->j", dy.reshape(-1, channels), dx.reshape(-1, channels)) * inverse
        dx *= inverse * self._summed(dscale) / -count
        dx += dy
        dx -= self._summed(dshift) / count
        dx *= inverse if scale is None else scale * inverse
        return dx, dscale, dshift

    def max_pool(self, x: Array, *, kernel: int, stride: int, padding: int) -> tuple[Array, Saved]:
        padded = numpy_convolution.pad(x, kernel, stride, padding, value=-np.inf)
        views = numpy_convolution.taps(padded, kernel, stride)
        y = next(views).copy()
        winner = np.zeros(y.shape, np.uint16)
        for place, view in enumerate(views, start=1):
            better = (view > y) | np.isnan(view)
            np.copyto(y, view, where=better)
            np.copyto(winner, place, where=better)
        return y, (x.shape, winner)

    def max_pool_backward(self, dy: Array, saved: Saved, *, kernel: int, stride: int, padding: int) -> Array:
        (n, h, w, c), winner = saved
        padded = np.zeros((n, h + 2 * padding, w + 2 * padding, c), dy.dtype)
        for place, view in enumerate(numpy_convolution.taps(padded, kernel, stride)):
            view += dy * (winner == place)
        return padded[:, padding : padding + h, padding : padding + w]

    def average_pool(self, x: Array, *, kernel: int, stride: int, padding: int) -> tuple[Array, Saved]:
        padded = numpy_convolution.pad(x, kernel, stride, padding)
        views = numpy_convolution.taps(padded, kernel, stride)
        y = next(views).copy()
        for view in views:
            y += view
        y /= kernel * kernel
        return y, x.shape

    def average_pool_backward(
        self, dy: Array, saved: Saved, *, kernel: int, stride: int, padding: int
    ) -> Array:
        n, h, w, c = saved
        padded = np.zeros((n, h + 2 * padding, w + 2 * padding, c), dy.dtype)
        share = dy / (kernel * kernel)
        for view in numpy_convolution.taps(padded, kernel, stride):
            view += share
        return padded[:, padding : padding + h, padding : padding + w]

    def subsample_pad(self, x: Array, *, channels: int, stride: int) -> tuple[Array, Saved]:
        kept = x[:, ::stride, ::stride]
        before = (channels - x.shape[-1]) // 2
        y = np.zeros((*kept.shape[:3], channels), x.dtype)
        y[..., before : before + x.shape[-1]] = kept
        return y, x.shape

    def subsample_pad_backward(self, dy: Array, saved: Saved, *, channels: int, stride: int) -> Array:
        before = (channels - saved[-1]) // 2
        dx = np.zeros(saved, dy.dtype)
        dx[:, ::stride, ::stride] = dy[..., before : before + saved[-1]]
        return dx
