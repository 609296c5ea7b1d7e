"""Where a residual block's two branches meet: their sum, and the shortcut without weights.

Sums wait as long as they can: forward, for the convolution that stores or loads them; backward, for the
convolution whose gradient they join.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from residua.engines.numba.kernels.normalization import passes
from residua.engines.numba.lazy.gradients import MaskedGradient, SubsampledGradient
from residua.engines.numba.lazy.materialize import (
    flat,
    identity_normalization,
    kernel_input,
    on_arrays,
    resolved,
)
from residua.engines.numba.lazy.pending import Padded, Pending, Subsampled
from residua.engines.numba.lazy.promise import DeferredConvolution, Promise
from residua.engines.numba.operations.activation import relu_backward
from residua.engines.numba.runtime.arrays import kernels_accept
from residua.engines.numba.runtime.buffers import address as address_of
from residua.engines.numba.runtime.context import Context
from residua.engines.numba.runtime.layout import MOST_PARTS, has_narrow, padded, suited, whole
from residua.engines.numba.runtime.processor import NARROW
from residua.engines.vocabulary.core import Saved

Array = NDArray[Any]


def add_relu(context: Context, a: Any, b: Any) -> tuple[Any, Saved]:
    """max(a + b, 0), in the epilogue of a convolution that waits, or when a pending sum is read."""
    if not isinstance(a, Pending):
        a, b = b, a
    if isinstance(a, Pending) and a.linear:
        y = Pending(a.shape, a.norm, True, b)
        return y, y
    for convolution, other in ((a, b), (b, a)):
        if _can_add(convolution, other):
            return _added(context, convolution, other)
    if isinstance(a, Subsampled):
        a, b = b, a
    a = kernel_input(context, a)
    # A shortcut's kept pixels are found while a kernel loads the sum.
    b = b if isinstance(b, Subsampled) else kernel_input(context, b)
    if len(a.shape) == 4 and a.shape == b.shape and kernels_accept(a, b) and 0 not in a.shape:
        y = Pending(a.shape, identity_normalization(context, a), True, b)
        return y, y
    result: tuple[Any, Saved] = on_arrays(context, context.reference.add_relu, a, b)
    return result


def _can_add(convolution: Any, other: Any) -> bool:
    """Whether the one waits to be run, and can add the other to what it stores."""
    return (
        isinstance(convolution, DeferredConvolution)
        and convolution.waiting
        and not convolution.rectified
        and not isinstance(other, Subsampled)
        and convolution.shape == other.shape
        and kernels_accept(other)
    )


def _added(context: Context, convolution: DeferredConvolution, other: Any) -> tuple[Pending, Saved]:
    """The convolution run with the shortcut in its epilogue: a finished picture, though of this kind."""
    sums = convolution.add_relu(flat(context, other))
    y = Pending(convolution.shape, identity_normalization(context, sums), True)
    y.result = y.norm.raw
    return y, y


def add_relu_backward(context: Context, dy: Any, saved: Saved) -> Any:
    """The gradient by a, which is also that by b."""
    return relu_backward(context, dy, saved)


def add(context: Context, a: Any, b: Any) -> Any:
    """a + b; made by the backward step of a convolution that waits, where one of them is its dx."""
    if not _takes_sum(a):
        a, b = b, a
    if _takes_sum(a):
        b = resolved(b)
        if a.job.waiting:
            if not isinstance(b, SubsampledGradient):
                b = Padded(a.shape, flat(context, b))
            return a.job.run(b)[0]
    return _sum(context, a, b)


def _takes_sum(dx: Any) -> bool:
    """Whether this is the dx of a convolution whose backward step has not run, and adds what is given it."""
    return isinstance(dx, Promise) and dx.job is not None and dx.job.waiting and dx.job.takes_skip


def _sum(context: Context, a: Any, b: Any) -> Any:
    a, b = (kernel_input(context, value) for value in (a, b))
    if not kernels_accept(a, b) or a.shape != b.shape or 0 in a.shape or len(a.shape) != 4:
        return on_arrays(context, context.reference.add, a, b)
    first, second = flat(context, a), flat(context, b)
    out = context.allocate(first.size)
    wide = padded(a.shape[3])
    vectors, shape = first.size // (NARROW[0] if has_narrow(wide) else padded(1)), a.shape
    parts = min(MOST_PARTS, vectors // 256 + 1)
    block = passes.Add(parts, vectors, address_of(first), address_of(second), address_of(out))
    context.run(suited(passes.add, wide), block, parts)
    return out.reshape(shape) if whole(shape[3]) else Padded(shape, out)


def subsample_pad(context: Context, x: Any, *, channels: int, stride: int) -> tuple[Any, Saved]:
    """Every stride-th pixel, with zero channels on both sides; of a pending picture, when it is read."""
    if isinstance(x, Pending):
        n, h, w, _ = x.shape
        return Subsampled(x, (n, -(-h // stride), -(-w // stride), channels), stride), x.shape
    subsample = context.reference.subsample_pad
    result: tuple[Any, Saved] = on_arrays(context, subsample, x, channels=channels, stride=stride)
    return result


def subsample_pad_backward(context: Context, dy: Any, saved: Saved, *, channels: int, stride: int) -> Any:
    """The gradient by the pixels and channels that were kept; zero for the others."""
    dy = resolved(dy)
    if isinstance(dy, MaskedGradient):
        return SubsampledGradient(dy, saved, stride)
    backward = context.reference.subsample_pad_backward
    return on_arrays(context, backward, dy, saved, channels=channels, stride=stride)
