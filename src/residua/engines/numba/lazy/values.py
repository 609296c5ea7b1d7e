"""What flows between layers on this engine: arrays, and values that are not finished yet.

A layer never looks inside. `Pending` is what convolutions with normalisation return: the raw convolution
and what is still to be done to it, which the next convolution does as it loads. Backward, a convolution
becomes a `Job`, run when its result is read; so the sum with the shortcut's gradient, which is the first to
read it, can be made inside the job. Gradients by a Pending (`Gradient`) come with the mask of its ReLU
applied and with the sums that its normalisation needs next.

Masking early is always right: a Pending's gradient goes nowhere but through its own ReLU, and the mask is
linear, so that sums of masked and unmasked gradients, masked again, are what they should be.

Inside the engine pictures lie with their channels padded by zeros to a multiple of WIDTH ("flat").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from residua.engines.numba.kernels.normalization import coefficients as normalization
from residua.engines.numba.runtime.memory import address

Shape = tuple[int, ...]
Flat = Any  # (pixels x padded channels,) float32


class Norm:
    """A raw convolution (or any other picture) and its normalisation's numbers per channel."""

    __slots__ = ("at", "block", "channels", "raw", "wide")

    def __init__(self, raw: Flat, block: Flat, channels: int, wide: int) -> None:
        self.raw, self.block, self.channels, self.wide = raw, block, channels, wide
        self.at = address(block)

    def row(self, number: int) -> int:
        """Where one of the rows of `normalization` lies, padded channels included."""
        return self.at + 4 * number * self.wide

    def vector(self, number: int) -> Any:
        """One of the rows of `normalization`, as the layer sees it."""
        return self.block[number * self.wide : number * self.wide + self.channels]

    @property
    def coefficients(self) -> tuple[int, int, int]:
        """Where a, b and c of the backward step lie."""
        return (self.row(normalization.A), self.row(normalization.B), self.row(normalization.C0))


class Pending:
    """relu?(raw * scale + shift [+ skip]); `done` is the finished picture once somebody has stored it."""

    __slots__ = ("done", "norm", "relu", "shape", "shared", "skip")

    def __init__(self, shape: Shape, norm: Norm, relu: bool, skip: Any = None) -> None:
        self.shape, self.norm, self.relu, self.skip = shape, norm, relu, skip
        self.done: Flat | None = None
        self.shared = False


class Padded:
    """A finished picture whose channels are padded."""

    __slots__ = ("flat", "shape")

    def __init__(self, shape: Shape, flat: Flat) -> None:
        self.shape, self.flat = shape, flat


class Gradient:
    """The gradient by a Pending, masked, with its sums: `parts` rows of sums of g and g (raw - mean)."""

    __slots__ = ("flat", "parts", "shape", "sums", "value")

    def __init__(self, value: Pending, flat: Flat, sums: Any, parts: int) -> None:
        self.value, self.flat, self.sums, self.parts = value, flat, sums, parts
        self.shape = value.shape


class Subsampled:
    """Every stride-th pixel of `of`, with zero channels on both sides."""

    __slots__ = ("of", "shape", "stride")

    def __init__(self, of: Any, shape: Shape, stride: int) -> None:
        self.of, self.shape, self.stride = of, shape, stride


class Widened:
    """The gradient by what was subsampled: `of` at the pixels that were kept, zero elsewhere."""

    __slots__ = ("of", "shape", "stride")

    def __init__(self, of: Any, shape: Shape, stride: int) -> None:
        self.of, self.shape, self.stride = of, shape, stride


class Strided:
    """What the way back of a strided 1x1 convolution needs: that of the one without a stride."""

    __slots__ = ("inner", "shape", "stride")

    def __init__(self, inner: Any, shape: Shape, stride: int) -> None:
        self.inner, self.shape, self.stride = inner, shape, stride


class Spread:
    """The gradient of a mean over pictures: one row for all pixels, divided by their number."""

    __slots__ = ("rows", "shape")

    def __init__(self, rows: Any, shape: Shape) -> None:
        self.rows, self.shape = rows, shape


class Job:
    """The backward step of one convolution, run at most once, by whoever reads a result first.

    `compute(skip)` gives dx and dweight; `skip` is what `takes_skip` accepts, to be added to dx.
    """

    def __init__(
        self,
        x: Any,
        compute: Callable[[Any], tuple[Any, Any]],
        takes_skip: bool,
    ) -> None:
        self.x, self.takes_skip = x, takes_skip
        self._compute: Callable[[Any], tuple[Any, Any]] | None = compute
        self._results: tuple[Any, Any] | None = None

    @property
    def waiting(self) -> bool:
        """Whether it has not run."""
        return self._results is None

    def run(self, skip: Any = None) -> tuple[Any, Any]:
        """dx and dweight."""
        if self._results is None:
            assert self._compute is not None
            self._results = self._compute(skip)
            # What the job read may go back to its pile.
            self._compute = None
        return self._results


class Promise:
    """A result that is computed when it is read."""

    __slots__ = ("_get", "_value", "job", "ndim", "plain", "shape", "size")

    def __init__(
        self, shape: Shape, get: Callable[[], Any], plain: Callable[[Any], Any], job: Job | None = None
    ) -> None:
        self.shape, self.plain, self.job = shape, plain, job
        self._get: Callable[[], Any] | None = get
        self._value: Any = None
        self.ndim = len(shape)
        self.size = 1
        for side in shape:
            self.size *= side

    def get(self) -> Any:
        """The value, which may be another unfinished one; computed once, however often it is read."""
        if self._get is not None:
            self._value, self._get = self._get(), None
        return self._value

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.plain(self).astype(dtype) if dtype is not None else self.plain(self)


class Late(Promise):
    """A convolution without ReLU that has not run: whoever reads it first may have a shortcut added to it."""

    __slots__ = ("_compute",)

    def __init__(self, shape: Shape, compute: Callable[[Any], Any], plain: Callable[[Any], Any]) -> None:
        super().__init__(shape, lambda: compute(None), plain)
        self._compute: Callable[[Any], Any] | None = compute

    @property
    def waiting(self) -> bool:
        """Whether it has not run."""
        return self._compute is not None

    def get(self) -> Any:
        """The convolution alone."""
        value = super().get()
        # What it read may go back to its pile.
        self._compute = None
        return value

    def add_relu(self, skip: Any) -> Any:
        """ReLU of it plus `skip`, flat."""
        assert self._compute is not None
        return self._compute(skip)
