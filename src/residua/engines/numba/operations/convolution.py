"""Convolutions on the host's side: gather what a kernel needs, run it, wrap up what comes out."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from residua.engines.numba.kernels.direct import backward as direct_backward
from residua.engines.numba.kernels.direct import forward as direct
from residua.engines.numba.kernels.direct import weight_gradient as dweight
from residua.engines.numba.kernels.im2col import backward as im2col_backward
from residua.engines.numba.kernels.im2col import forward as im2col
from residua.engines.numba.kernels.normalization import coefficients as normalization
from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.pointwise import backward as pointwise
from residua.engines.numba.kernels.winograd import backward as winograd_backward
from residua.engines.numba.kernels.winograd import forward as winograd
from residua.engines.numba.lazy.values import Gradient, Norm, Padded, Pending, Subsampled, Widened
from residua.engines.numba.operations import many_channels as large
from residua.engines.numba.operations import weight_transforms
from residua.engines.numba.operations.channel_padding import fitted
from residua.engines.numba.planning.convolution import Plan, padded, pixel_rows, plan
from residua.engines.numba.runtime.context import Machine, double
from residua.engines.numba.runtime.memory import address as address_of

Array = NDArray[Any]
INFINITY = float("inf")
BACKWARD: dict[str, Any] = {
    "winograd": winograd_backward.backward,
    "gathered": im2col_backward.backward,
    "direct": direct_backward.backward,
}
FEW = 8  # pictures for which transformed weights are kept


class Host(Protocol):
    """What is asked of the engine: values of any kind as flat pictures."""

    machine: Machine

    def flat(self, x: Any) -> Array:
        """The finished value with padded channels."""

    def finished(self, x: Pending) -> Array:
        """The finished picture, stored."""

    def tidy(self, array: Array) -> Array:
        """The array side by side in memory."""


def convolution_plan(x: Any, weight: Array, stride: int, padding: int) -> Plan:
    """The plan for convolving this value."""
    n, h, w, c = x.shape
    kernel, k = weight.shape[0], weight.shape[-1]
    # Pictures from outside keep their few channels: a direct convolution reads any number.
    unpadded = isinstance(x, np.ndarray) and c % padded(1) != 0
    subsampled = isinstance(x, Pending) and isinstance(x.skip, Subsampled)
    if kernel == stride == 1 and not padding and not subsampled and not unpadded:
        # Pixels do not know their neighbours: they are cut into rows that suit the cache.
        n, h, w = pixel_rows(n * h * w, max(padded(c), padded(k)))
    return plan(n, h, w, c if unpadded else padded(c), padded(k), kernel, stride, padding)


def strides_over(x: Any, weight: Array, stride: int, padding: int) -> bool:
    """Whether most pixels are never read: then those that are come first, and the stride is gone."""
    return stride > 1 and weight.shape[0] == 1 and padding == 0 and x.shape[3] % padded(1) == 0


def _geometry(host: Host, p: Plan, parts: int) -> Array:
    block = np.zeros(pictures.FIELDS, np.int64)
    block[:10] = (
        parts, p.count, p.height, p.width, p.padding, p.out_height, p.out_width, p.group, p.chunk, p.kernel,
    )  # fmt: skip
    block[pictures.STRIP], block[pictures.PACKED] = p.strip, p.packed
    block[pictures.AHEAD] = host.machine.team.threads
    return block


def _low(machine: Machine, relu: bool, channels: int) -> int:
    return machine.constant(0.0 if relu else -INFINITY, channels)


def _source(host: Host, block: Array, x: Any, c: int, keep: bool) -> list[Any]:
    """Fill in where x comes from; what must stay alive meanwhile is returned."""
    machine = host.machine
    if not isinstance(x, Pending):
        flat = x.flat if isinstance(x, Padded) else x
        block[pictures.X], block[pictures.LOW] = address_of(flat), _low(machine, False, c)
        return [flat]
    block[pictures.LOW] = _low(machine, x.relu, c)
    if x.done is not None:
        block[pictures.X] = address_of(x.done)
        return [x.done]
    norm, skip = x.norm, x.skip
    block[pictures.X] = address_of(norm.raw)
    block[pictures.SCALE] = norm.row(normalization.SCALE)
    block[pictures.SHIFT] = norm.row(normalization.SHIFT)
    held: list[Any] = [norm]
    if skip is None:
        block[pictures.MODE] = pictures.NORM
    elif isinstance(skip, Subsampled) and isinstance(skip.of, Pending):
        block[pictures.MODE] = pictures.NORM_SUBSAMPLED
        held.append(_subsampled(host, block, skip.of, host.finished(skip.of), x.shape[3], skip.stride))
    else:
        block[pictures.MODE] = pictures.NORM_SKIP
        if isinstance(skip, Pending) and skip.done is None and skip.skip is None and not skip.relu:
            # A shortcut's own normalisation is done here as well.
            held += [skip.norm, skip.norm.raw]
            scale, shift = skip.norm.row(normalization.SCALE), skip.norm.row(normalization.SHIFT)
        else:
            held.append(host.flat(skip))
            scale, shift = machine.constant(1.0, c), machine.constant(0.0, c)
        block[pictures.SKIP_SCALE], block[pictures.SKIP_SHIFT] = scale, shift
    if skip is not None:
        block[pictures.SKIP] = address_of(held[-1])
    if skip is not None or x.shared or keep:
        x.done = machine.take(norm.raw.size)
        block[pictures.KEEP], block[pictures.Z] = 1, address_of(x.done)
        # What was added is in the finished picture now.
        x.skip = None
    return held


def _subsampled(host: Host, block: Array, of: Any, flat: Array, channels: int, stride: int) -> Array:
    """Fill in a skip with every stride-th pixel of `of`, or the gradient by one."""
    _, h, w, few = of.shape
    before = abs(channels - few) // 2
    block[pictures.STEP : pictures.BEFORE + 1] = (stride, h, w, padded(few), before)
    wide = padded(channels)
    lanes = (before, before + few) if few < channels else (0, channels)
    block[pictures.MASK] = host.machine.lanes(wide, *lanes)
    return flat


def forward(
    host: Host,
    x: Any,
    weight: Array,
    p: Plan,
    *,
    bias: Array | None = None,
    relu: bool = False,
    skip: Array | None = None,
    statistics: bool,
) -> tuple[Array, Any]:
    """The raw convolution and, with `statistics`, its sums; else y with bias and ReLU.

    skip: flat, added to y before a ReLU, where `Plan.adds` says so.
    """
    machine = host.machine
    machine.pool.batch = p.count
    block = _geometry(host, p, p.parts)
    held = _source(host, block, x, p.c, keep=False)
    flat = weight_transforms.wide_weight(host, weight, p.c, p.k)
    y = machine.take(p.count * p.out_height * p.out_width * p.k)
    block[pictures.Y] = address_of(y)
    sums = None
    if statistics:
        sums = machine.take(p.parts * 2 * p.k, np.float64)
        block[pictures.SUMS] = address_of(sums)
    elif bias is not None or relu or not p.straight:
        added = machine.block((0.0,), p.k) if bias is None else host.tidy(bias)
        added = fitted(machine, added, p.k)
        block[pictures.BIAS], block[pictures.OUT_LOW] = address_of(added), _low(machine, relu, p.k)
        held += [added, skip]
        block[pictures.Y_SKIP] = 0 if skip is None else address_of(skip)
    if p.method == "winograd":
        held += weight_transforms.transformed(
            host, block, weight, flat, p, few=not statistics and p.count <= FEW
        )
        if p.large:
            large.forward(machine, block, p, statistics)
            return y, sums
        kernel: Any = winograd.forward
    elif p.method == "gathered":
        held.append(weight_transforms.panels(host, block, flat, p, turned=False))
        kernel = im2col.forward
    else:
        block[pictures.WEIGHT] = address_of(flat)
        if p.packed:
            held.append(weight_transforms.panels(host, block, flat, p, turned=False))
        kernel = direct.forward
    machine.run(kernel, block, p.parts, *p.forward_literals(statistics), p.scratch)
    if statistics:
        _expect_backward(machine, p)
    return y, sums


def _expect_backward(machine: Machine, p: Plan) -> None:
    """What is trained forward will be trained backward."""
    unpadded = p.c % padded(1) != 0
    kernel, what = _way_back(p, pictures.WEIGHT_ONLY if unpadded else pictures.BOTH)
    literals, specialised = p.backward_literals(what)
    machine.kernels.expect(kernel, literals if specialised else ())


def _way_back(p: Plan, what: int) -> tuple[Any, int]:
    """The kernel for dx, dweight or both, and what it is to be told of that."""
    if p.pointwise:
        spread = p.at_once and what & pictures.WEIGHT_ONLY
        return pointwise.backward, what - pictures.WEIGHT_ONLY + pointwise.SPREAD if spread else what
    if p.method == "direct" and what == pictures.WEIGHT_ONLY:
        return dweight.backward, 0
    return BACKWARD[p.method], what


def backward(
    host: Host,
    x: Any,
    weight: Array,
    p: Plan,
    *,
    mode: int,
    dy: Array,
    raw: Array | None = None,
    coefficients: Any = None,
    skip: Any = None,
    want_dx: bool = True,
    want_dweight: bool = True,
) -> tuple[Any, Array | None]:
    """dx (a Gradient where x is pending, else flat) and dweight of one convolution.

    `mode`, `dy`, `raw` and `coefficients` say how the gradient by the raw convolution comes about
    (`pictures.load_gradient`); `skip` is added to dx.
    """
    machine = host.machine
    parts = p.parts_backward
    block = _geometry(host, p, parts)
    if isinstance(x, Pending) and x.done is None and x.skip is not None:
        host.finished(x)
    held = [_source(host, block, x, p.c, keep=False), dy, raw]
    block[pictures.GRADIENT_MODE], block[pictures.DY] = mode, address_of(dy)
    block[pictures.RAW] = address_of(dy if raw is None else raw)
    if coefficients is not None:
        block[pictures.A : pictures.C0 + 1] = coefficients
    flat = weight_transforms.wide_weight(host, weight, p.c, p.k)
    partial = machine.take(p.partials * p.partial_size) if want_dweight else None
    if partial is not None:
        block[pictures.WEIGHT_GRADIENT] = address_of(partial)
    dx: Any = None
    if want_dx:
        dx = machine.take(p.count * p.height * p.width * p.c)
        block[pictures.DX] = address_of(dx)
    if isinstance(skip, Widened) and p.count != x.shape[0]:
        skip = Padded(x.shape, host.flat(skip))
    if want_dx and isinstance(x, Pending):
        sums = machine.take(parts * 2 * p.c, np.float64)
        block[pictures.SUMS] = address_of(sums)
        block[pictures.DX_MODE] = pictures.SUMMED
        block[pictures.X_RAW] = address_of(x.norm.raw)
        block[pictures.X_MEAN] = x.norm.row(normalization.MEAN)
        if isinstance(skip, Widened):
            block[pictures.DX_MODE] = pictures.SUMMED_SUBSAMPLED
            added = _subsampled(host, block, skip.of, host.flat(skip.of), x.shape[3], skip.stride)
        elif skip is not None:
            block[pictures.DX_MODE] = pictures.SUMMED_SKIP
            added = host.flat(skip)
        else:
            added = dx
        block[pictures.DX_SKIP] = address_of(added)
        held.append(added)
        dx = Gradient(x, dx, sums, parts)
    held.append(weight_transforms.turned(host, block, flat, p, want_dx))
    if p.large:
        large.backward(machine, block, p, want_dx, want_dweight)
    else:
        kernel, what = _way_back(p, pictures.WEIGHT_ONLY * want_dweight + pictures.INPUT_ONLY * want_dx)
        spread = large.spread(machine, block, p) if want_dweight and p.at_once else None
        machine.run(kernel, block, parts, *p.backward_literals(what), p.scratch_backward)
        if spread is not None and partial is not None:
            large.multiply_weights(machine, p, spread, partial)
    return dx, None if partial is None else weight_transforms.weight_gradient(machine, weight, p, partial)


def normalize(
    host: Host, raw: Array, sums: Array, parts: int, count: int, scale: Array, shift: Array, eps: float
) -> Norm:
    """The numbers per channel of a normalisation, from the raw picture's sums."""
    machine, channels, wide = host.machine, len(scale), padded(len(scale))
    block = machine.take(normalization.ROWS * wide)
    scale, shift = host.tidy(scale), host.tidy(shift)
    arguments = (
        1, channels, wide, parts, address_of(sums), address_of(scale), address_of(shift), address_of(block),
        double(count), double(eps),
    )  # fmt: skip
    machine.run(normalization.coefficients, arguments, 1)
    return Norm(raw, block, channels, wide)


def normalize_backward(host: Host, norm: Norm, gradient: Gradient, count: int, scale: Array) -> None:
    """Fill in a, b, c, dscale and dshift."""
    scale = host.tidy(scale)
    arguments = (
        1, norm.channels, norm.wide, gradient.parts, address_of(gradient.sums), address_of(scale),
        norm.at, double(count),
    )  # fmt: skip
    host.machine.run(normalization.coefficients_backward, arguments, 1)
