"""Operations on whole maps: borders, sizes, neighbouring channels, branches; written once."""

from __future__ import annotations

from typing import Any, Literal

from residua.errors import ShapeError

Array = Any
Saved = Any
Sides = tuple[int, int, int, int]
Border = Literal["zero", "reflect", "edge"]


# ---------------------------------------------------------------------- borders and sizes


def pad(engine: Any, x: Array, *, sides: Sides, border: Border) -> tuple[Array, Saved]:
    """x with pixels around it; sides: above, below, left, right.

    zero: zeros. reflect: the picture mirrored at its outermost pixels, which are not repeated; fewer
    than the picture has. edge: the outermost pixels repeated.
    """
    above, below, left, right = sides
    if border == "reflect" and (max(above, below) >= x.shape[1] or max(left, right) >= x.shape[2]):
        raise ShapeError(f"reflecting {sides} pixels needs more than so many; it was given {x.shape}")
    mode = "constant" if border == "zero" else border
    return engine.xp.pad(x, ((0, 0), (above, below), (left, right), (0, 0)), mode=mode), None


def pad_backward(engine: Any, dy: Array, saved: Saved, *, sides: Sides, border: Border) -> Array:
    """`dy` gathered where each pixel came from."""
    for axis, before, after in ((1, *sides[:2]), (2, *sides[2:])):
        dy = _fold(engine, engine.xp.moveaxis(dy, axis, 0), before, after, border)
        dy = engine.xp.moveaxis(dy, 0, axis)
    return dy


def _fold(engine: Any, dy: Array, before: int, after: int, border: Border) -> Array:
    """Along the first axis: what lies outside is added to the rows that it copies."""
    xp, size = engine.xp, len(dy) - before - after
    inside = dy[before : before + size]
    outside = (dy[:before], dy[before + size :])
    if border == "zero":
        return inside

    def placed(rows: Array, first: int) -> Array:
        rest = [(0, 0)] * (rows.ndim - 1)
        return xp.pad(rows, [(first, size - first - len(rows)), *rest])

    if border == "reflect":
        return inside + placed(outside[0][::-1], 1) + placed(outside[1][::-1], size - 1 - after)
    first, last = (rows.sum(axis=0, keepdims=True) for rows in outside)
    return inside + placed(first, 0) + placed(last, size - 1)


def upsample(engine: Any, x: Array, *, factor: int) -> tuple[Array, Saved]:
    """Every pixel `factor` times in both directions (nearest neighbour)."""
    return engine.xp.repeat(engine.xp.repeat(x, factor, axis=1), factor, axis=2), None


def upsample_backward(engine: Any, dy: Array, saved: Saved, *, factor: int) -> Array:
    """The sum of `dy` over each pixel's copies."""
    n, height, width, channels = dy.shape
    blocks = dy.reshape(n, height // factor, factor, width // factor, factor, channels)
    return blocks.sum(axis=(2, 4))


# ---------------------------------------------------------------------- means over pixels and channels

# ---------------------------------------------------------------------- branches


def concatenate(engine: Any, *parts: Array) -> tuple[Array, Saved]:
    """The parts' channels behind one another."""
    sizes = {part.shape[:-1] for part in parts}
    if len(sizes) != 1:
        raise ShapeError(f"maps of one size can be concatenated; they were given as {sorted(sizes)}")
    return engine.xp.concatenate(parts, axis=-1), tuple(part.shape[-1] for part in parts)


def concatenate_backward(engine: Any, dy: Array, saved: Saved) -> tuple[Array, ...]:
    """Each part's share of `dy`."""
    ends = [sum(saved[: place + 1]) for place in range(len(saved))]
    return tuple(dy[..., end - count : end] for end, count in zip(ends, saved, strict=True))


def take_channels(engine: Any, x: Array, *, first: int, count: int) -> Array:
    """`count` channels from number `first` on."""
    return x[..., first : first + count]
