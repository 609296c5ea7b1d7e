"""Pictures that a kernel left unfinished: normalisation, ReLU and shortcut are still to come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from residua.engines.numba.kernels.normalization import coefficients as normalization
from residua.engines.numba.runtime.buffers import address

Shape = tuple[int, ...]
Flat = Any  # (pixels x padded channels,) float32


class Normalization:
    """A raw convolution (or any other picture) and its normalisation's numbers per channel.

    block: the rows of `kernels.normalization`, each of `padded_channels` numbers.
    """

    __slots__ = ("address", "block", "channels", "padded_channels", "raw")

    def __init__(self, raw: Flat, block: Flat, channels: int, padded_channels: int) -> None:
        self.raw, self.block, self.channels, self.padded_channels = raw, block, channels, padded_channels
        self.address = address(block)

    def row_address(self, number: int) -> int:
        """The address of one of the rows of `kernels.normalization`, padded channels included."""
        return self.address + 4 * number * self.padded_channels

    def row(self, number: int) -> Any:
        """One of the rows of `kernels.normalization`, as the layer sees it."""
        first = number * self.padded_channels
        return self.block[first : first + self.channels]

    @property
    def coefficients(self) -> tuple[int, int, int]:
        """The addresses of a, b and c of the backward step."""
        return (
            self.row_address(normalization.A),
            self.row_address(normalization.B),
            self.row_address(normalization.C0),
        )


class Activation(NamedTuple):
    """A smooth activation: the kernels of `kernels.activations` for a row of numbers, there and back."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]


class Pending:
    """relu?(raw * scale + shift [+ skip]); `result` is the finished picture once somebody has stored it.

    Or activation(raw * scale + shift), without a skip: `readers` counts the convolutions that have loaded
    that.
    """

    __slots__ = ("activation", "norm", "readers", "relu", "result", "shape", "shared", "skip")

    def __init__(
        self,
        shape: Shape,
        norm: Normalization,
        relu: bool,
        skip: Any = None,
        activation: Activation | None = None,
    ) -> None:
        self.shape, self.norm, self.relu, self.skip, self.activation = shape, norm, relu, skip, activation
        self.result: Flat | None = None
        self.shared = False
        self.readers = 0

    @property
    def linear(self) -> bool:
        """Whether it is a normalisation alone, to which an activation or a sum may still be added."""
        return not self.relu and self.activation is None and self.skip is None and self.result is None

    @property
    def read_once(self) -> bool:
        """Whether one convolution alone has loaded it, whose gradient is therefore all that there is."""
        return self.readers == 1 and self.result is None


class Padded:
    """A finished picture whose channels are padded by zeros."""

    __slots__ = ("flat", "shape")

    def __init__(self, shape: Shape, flat: Flat) -> None:
        self.shape, self.flat = shape, flat


class Subsampled:
    """Every stride-th pixel of `source`, with zero channels on both sides."""

    __slots__ = ("shape", "source", "stride")

    def __init__(self, source: Any, shape: Shape, stride: int) -> None:
        self.source, self.shape, self.stride = source, shape, stride
