"""Kinds of convolution beside the ordinary one, written once.

Transposed and grouped convolution are made of the engine's own `conv2d`, so a fast one makes them fast.
"""

from __future__ import annotations

from typing import Any

from residua.errors import ShapeError

Array = Any
Saved = Any


def _dilate(xp: Any, x: Array, stride: int, height: int, width: int) -> Array:
    """x with stride - 1 zeros behind every pixel, made height by width with further zeros."""
    n, h, w, c = x.shape
    if stride > 1:
        gaps = (0, stride - 1)
        wide = xp.pad(x[:, :, None, :, None], ((0, 0), (0, 0), gaps, (0, 0), gaps, (0, 0)))
        x = wide.reshape(n, h * stride, w * stride, c)[:, :height, :width]
    _, h, w, _ = x.shape
    return xp.pad(x, ((0, 0), (0, height - h), (0, width - w), (0, 0))) if (h, w) != (height, width) else x


def transposed_conv2d(
    engine: Any, x: Array, weight: Array, bias: Array | None, *, stride: int, padding: int, extra: int = 0
) -> tuple[Array, Saved]:
    """y[n, i s + u - p, j s + v - p, o] = bias[o] + sum over i,j,u,v,c of x[n,i,j,c] weight[u,v,c,o].

    What `conv2d` with kernel (u, v, o, c) does to gradients. y has (H - 1) s + kernel - 2 p + extra rows;
    the `extra` last ones, fewer than s, make up for what the stride of a convolution rounds away. The
    padding is less than the kernel.
    """
    kernel, height, width = weight.shape[0], x.shape[1], x.shape[2]
    # The same sum, seen from y: an ordinary convolution over x with zeros between its pixels.
    sides = ((side - 1) * stride + 1 + extra for side in (height, width))
    spread = _dilate(engine.xp, x, stride, *sides)
    turned = weight[::-1, ::-1]
    y, saved = engine.conv2d(spread, turned, bias, stride=1, padding=kernel - 1 - padding)
    return y, saved


def transposed_conv2d_backward(
    engine: Any, dy: Array, weight: Array, saved: Saved, *, stride: int, padding: int, extra: int = 0
) -> tuple[Array, Array, Array]:
    """Gradients dx, dweight, dbias of `transposed_conv2d`."""
    turned, around = weight[::-1, ::-1], weight.shape[0] - 1 - padding
    dx, dweight, dbias = engine.conv2d_backward(dy, turned, saved, stride=1, padding=around)
    return engine.plain(dx)[:, ::stride, ::stride], engine.plain(dweight)[::-1, ::-1], dbias


def grouped_conv2d(
    engine: Any,
    x: Array,
    weight: Array,
    bias: Array | None,
    *,
    groups: int,
    stride: int,
    padding: int,
    relu: bool = False,
) -> tuple[Array, Saved]:
    """Equal groups of channels, each convolved by itself: weight (kernel, kernel, in / groups, out)."""
    if weight.shape[3] % groups:
        raise ShapeError(uneven_groups(groups, weight.shape[3]))
    if x.shape[-1] != groups * weight.shape[2]:
        raise ShapeError(
            f"a convolution in {groups} groups over {groups * weight.shape[2]} channels was given {x.shape}"
        )
    before, after = weight.shape[2], weight.shape[3] // groups
    parts, saved = [], []
    for group in range(groups):
        out = slice(group * after, (group + 1) * after)
        y, kept = engine.conv2d(
            x[..., group * before : (group + 1) * before],
            weight[..., out],
            None if bias is None else bias[out],
            stride=stride,
            padding=padding,
            relu=relu,
        )
        parts.append(engine.plain(y))
        saved.append(kept)
    return engine.xp.concatenate(parts, axis=-1), tuple(saved)


def uneven_groups(groups: int, filters: int) -> str:
    """What is said of filters that groups do not divide."""
    return f"a convolution in {groups} groups needs a multiple of {groups} filters; it was given {filters}"


def grouped_conv2d_backward(
    engine: Any,
    dy: Array,
    weight: Array,
    saved: Saved,
    *,
    groups: int,
    stride: int,
    padding: int,
    relu: bool = False,
) -> tuple[Array, Array, Array]:
    """Gradients dx, dweight, dbias of `grouped_conv2d`."""
    after = weight.shape[3] // groups
    parts = []
    for group, kept in enumerate(saved):
        out = slice(group * after, (group + 1) * after)
        grads = engine.conv2d_backward(
            dy[..., out], weight[..., out], kept, stride=stride, padding=padding, relu=relu
        )
        parts.append([engine.plain(gradient) for gradient in grads])
    dx, dweight, dbias = (engine.xp.concatenate(some, axis=-1) for some in zip(*parts, strict=True))
    return dx, dweight, dbias


def depthwise_conv2d(
    engine: Any, x: Array, weight: Array, bias: Array | None, *, stride: int, padding: int, relu: bool = False
) -> tuple[Array, Saved]:
    """Every channel convolved with a kernel of its own: weight (kernel, kernel, channels)."""
    xp, kernel, p = engine.xp, weight.shape[0], padding
    if x.ndim != 4 or x.shape[-1] != weight.shape[2] or min(x.shape[1:3]) + 2 * p < kernel:
        raise ShapeError(
            f"a depthwise convolution of {weight.shape[2]} channels with a kernel of {kernel} "
            f"and padding {p} was given {x.shape}"
        )
    padded = xp.pad(x, ((0, 0), (p, p), (p, p), (0, 0)))
    height, width = ((side + 2 * p - kernel) // stride + 1 for side in x.shape[1:3])
    y: Array = 0.0 if bias is None else bias
    for u, v in _places(kernel):
        y = y + weight[u, v] * _tap(padded, u, v, stride, height, width)
    if relu:
        y = xp.maximum(y, 0)
    return y, (padded, y if relu else None)


def depthwise_conv2d_backward(
    engine: Any, dy: Array, weight: Array, saved: Saved, *, stride: int, padding: int, relu: bool = False
) -> tuple[Array, Array, Array]:
    """Gradients dx, dweight, dbias of `depthwise_conv2d`."""
    padded, y = saved
    if relu:
        dy = dy * (y > 0)
    xp, kernel, p = engine.xp, weight.shape[0], padding
    (_, height, width, _), (_, rows, columns, _) = padded.shape, dy.shape
    taps = (_tap(padded, u, v, stride, rows, columns) for u, v in _places(kernel))
    dweight = xp.stack([(dy * tap).sum(axis=(0, 1, 2)) for tap in taps]).reshape(weight.shape)
    # As for the transposed convolution: dy with zeros between its pixels, under the turned kernel.
    spread = _dilate(xp, dy, stride, height - kernel + 1, width - kernel + 1)
    around = (kernel - 1, kernel - 1)
    spread = xp.pad(spread, ((0, 0), around, around, (0, 0)))
    dx: Array = 0.0
    for u, v in _places(kernel):
        dx = dx + weight[kernel - 1 - u, kernel - 1 - v] * _tap(spread, u, v, 1, height, width)
    return dx[:, p : height - p, p : width - p], dweight, dy.sum(axis=(0, 1, 2))


def _places(kernel: int) -> list[tuple[int, int]]:
    return [(u, v) for u in range(kernel) for v in range(kernel)]


def _tap(padded: Array, u: int, v: int, stride: int, height: int, width: int) -> Array:
    """The pixels that place (u, v) of the window sees."""
    return padded[:, u : u + stride * height : stride, v : v + stride * width : stride]
