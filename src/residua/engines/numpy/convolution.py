"""Convolution by matrix products: windows are laid out as rows, and BLAS multiplies.

A window of a (N, H, W, C) picture holds kernel * kernel * C numbers. With the windows of some pictures as
the rows of a matrix (im2col), the convolution is that matrix times the weight, the gradient by the weight
is its transpose times dy, and dy times the transposed weight are the windows' gradients, which are added
back to the places they came from. Pictures are taken in chunks, so that the rows of one chunk stay in the
processor's cache and memory does not grow with the batch; threads may share the chunks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.errors import ShapeError

Array = NDArray[Any]
Chunk = tuple[slice, slice]
Run = Callable[[Callable[[Chunk], Any], Iterator[Chunk]], Iterator[Any]]

CHUNK_BYTES = 4 * 2**20  # measured: 1 to 8 MiB are within a few per cent of each other on CIFAR's shapes


def output_size(size: int, kernel: int, stride: int, padding: int) -> int:
    """How many windows fit side by side; ShapeError where not even one does."""
    padded = size + 2 * padding
    if kernel > padded:
        raise ShapeError(
            f"a kernel of {kernel} needs a picture of at least {kernel} pixels, padding included; "
            f"{size} with padding {padding} gives {padded}: use larger pictures or a smaller kernel"
        )
    return (padded - kernel) // stride + 1


def pad(x: Array, kernel: int, stride: int, padding: int, value: float = 0.0) -> Array:
    """x with `padding` pixels of `value` on all sides, after a check that a window fits."""
    for size in x.shape[1:3]:
        output_size(size, kernel, stride, padding)
    if not padding:
        return x
    return np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)), constant_values=value)


def taps(padded: Array, kernel: int, stride: int) -> Iterator[Array]:
    """For each place in the window, in reading order, the view of its pixels: (N, OH, OW, C)."""
    height = (padded.shape[1] - kernel) // stride + 1
    width = (padded.shape[2] - kernel) // stride + 1
    for i in range(kernel):
        for j in range(kernel):
            yield padded[:, i : i + stride * height : stride, j : j + stride * width : stride]


class _Windows:
    """Buffers and shapes for the windows of a chunk of pictures."""

    def __init__(self, x: Array, weight: Array, stride: int, padding: int) -> None:
        if x.ndim != 4 or x.shape[-1] != weight.shape[2]:
            raise ShapeError(
                f"a convolution over {weight.shape[2]} channels needs pictures (N, H, W, {weight.shape[2]}); "
                f"it was given {x.shape}"
            )
        self.kernel, _, channels, _ = weight.shape
        self.stride, self.padding = stride, padding
        self.count, self.height, self.width, _ = x.shape
        self.out_height = output_size(self.height, self.kernel, stride, padding)
        self.out_width = output_size(self.width, self.kernel, stride, padding)
        row = self.kernel * self.kernel * channels
        bytes_each = self.out_height * self.out_width * row * x.dtype.itemsize
        self.pictures = max(1, min(self.count, CHUNK_BYTES // max(1, bytes_each)))
        self.padded = np.zeros(
            (self.pictures, self.height + 2 * padding, self.width + 2 * padding, channels), x.dtype
        )
        self.rows = np.empty((self.pictures * self.out_height * self.out_width, row), x.dtype)

    def chunks(self) -> Iterator[Chunk]:
        """The pictures of each chunk, and its rows among the rows of all outputs."""
        pixels = self.out_height * self.out_width
        for start in range(0, self.count, self.pictures):
            stop = min(self.count, start + self.pictures)
            yield slice(start, stop), slice(start * pixels, stop * pixels)

    def fill(self, chunk: Array) -> Array:
        """The windows of some pictures as rows (windows, kernel * kernel * channels)."""
        inside = (
            slice(self.padding, self.padding + self.height),
            slice(self.padding, self.padding + self.width),
        )
        padded = self.padded[: len(chunk)]
        padded[:, inside[0], inside[1]] = chunk
        n, down, right, channel = padded.strides
        view = np.lib.stride_tricks.as_strided(
            padded,
            (len(chunk), self.out_height, self.out_width, self.kernel, self.kernel, chunk.shape[-1]),
            (n, down * self.stride, right * self.stride, down, right, channel),
            writeable=False,
        )
        rows = self.rows[: len(chunk) * self.out_height * self.out_width]
        rows.reshape(view.shape)[...] = view
        return rows

    def scatter(self, rows: Array, dx: Array) -> None:
        """Add each row back to the pixels that it was a window of; write the sums to `dx`."""
        padded = self.padded[: len(dx)]
        padded[...] = 0
        shape = (len(dx), self.out_height, self.out_width, self.kernel * self.kernel, dx.shape[-1])
        windows = rows.reshape(shape)
        for place, view in enumerate(taps(padded, self.kernel, self.stride)):
            view += windows[:, :, :, place]
        p = self.padding
        dx[...] = padded[:, p : p + self.height, p : p + self.width]
        # The border must be zero again for the next chunk's windows.
        padded[...] = 0


def forward(x: Array, weight: Array, stride: int, padding: int, run: Run = map) -> Array:
    """(N, H, W, C) and (kernel, kernel, C, K) -> (N, OH, OW, K); `run` is map, in threads or not."""
    first = _Windows(x, weight, stride, padding)
    spare, out = [first], weight.shape[-1]
    matrix = np.ascontiguousarray(weight).reshape(-1, out)
    y = np.empty((first.count, first.out_height, first.out_width, out), np.result_type(x, weight))
    # One product a picture: BLAS rounds a row differently in matrices of different heights, and what is
    # said of a picture must not depend on those beside it.
    flat = y.reshape(first.count, first.out_height * first.out_width, out)

    def multiply(chunk: Chunk) -> None:
        windows = spare.pop() if spare else _Windows(x, weight, stride, padding)
        pictures, _ = chunk
        rows = windows.fill(x[pictures])
        np.matmul(rows.reshape(*flat[pictures].shape[:2], -1), matrix, out=flat[pictures])
        spare.append(windows)

    deque(run(multiply, first.chunks()), maxlen=0)
    return y


def backward(
    dy: Array, x: Array, weight: Array, stride: int, padding: int, run: Run = map
) -> tuple[Array, Array]:
    """The gradients by the pictures and by the weight; `run` is map, in threads or not."""
    first = _Windows(x, weight, stride, padding)
    spare, out = [first], weight.shape[-1]
    matrix = np.ascontiguousarray(weight).reshape(-1, out)
    dmatrix = np.zeros_like(matrix)
    dx = np.empty_like(x, order="C")
    flat = np.ascontiguousarray(dy).reshape(-1, out)

    def multiply(chunk: Chunk) -> Array:
        windows = spare.pop() if spare else _Windows(x, weight, stride, padding)
        pictures, rows = chunk
        columns = windows.fill(x[pictures])
        part: Array = columns.T @ flat[rows]
        # The windows are no longer needed: their gradients take their place.
        np.matmul(flat[rows], matrix.T, out=columns)
        windows.scatter(columns, dx[pictures])
        spare.append(windows)
        return part

    # In the order of the chunks, whichever thread was first: the sum is the same for any number of them.
    for part in run(multiply, first.chunks()):
        dmatrix += part
    return dx, dmatrix.reshape(weight.shape)
