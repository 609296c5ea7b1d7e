"""Operations on whole maps: borders, sizes, neighbouring channels, branches; written once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from residua.errors import ShapeError

Array = Any
Saved = Any
Sides = tuple[int, int, int, int]
Border = Literal["zero", "reflect", "edge"]


class Maps:
    """Part of the vocabulary: padding, up-sampling, local response normalisation, branches."""

    xp: Any
    plain: Callable[..., Any]
    dropout: Callable[..., Any]
    average_pool: Callable[..., Any]
    average_pool_backward: Callable[..., Any]

    # ------------------------------------------------------------------ borders and sizes
    def pad(self, x: Array, *, sides: Sides, border: Border) -> tuple[Array, Saved]:
        """x with pixels around it; sides: above, below, left, right.

        zero: zeros. reflect: the picture mirrored at its outermost pixels, which are not repeated; fewer
        than the picture has. edge: the outermost pixels repeated.
        """
        above, below, left, right = sides
        if border == "reflect" and (max(above, below) >= x.shape[1] or max(left, right) >= x.shape[2]):
            raise ShapeError(f"reflecting {sides} pixels needs more than so many; it was given {x.shape}")
        mode = "constant" if border == "zero" else border
        return self.xp.pad(x, ((0, 0), (above, below), (left, right), (0, 0)), mode=mode), None

    def pad_backward(self, dy: Array, saved: Saved, *, sides: Sides, border: Border) -> Array:
        """`dy` gathered where each pixel came from."""
        for axis, before, after in ((1, *sides[:2]), (2, *sides[2:])):
            dy = self._fold(self.xp.moveaxis(dy, axis, 0), before, after, border)
            dy = self.xp.moveaxis(dy, 0, axis)
        return dy

    def _fold(self, dy: Array, before: int, after: int, border: Border) -> Array:
        """Along the first axis: what lies outside is added to the rows that it copies."""
        xp, size = self.xp, len(dy) - before - after
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

    def upsample(self, x: Array, *, factor: int) -> tuple[Array, Saved]:
        """Every pixel `factor` times in both directions (nearest neighbour)."""
        return self.xp.repeat(self.xp.repeat(x, factor, axis=1), factor, axis=2), None

    def upsample_backward(self, dy: Array, saved: Saved, *, factor: int) -> Array:
        """The sum of `dy` over each pixel's copies."""
        n, height, width, channels = dy.shape
        blocks = dy.reshape(n, height // factor, factor, width // factor, factor, channels)
        return blocks.sum(axis=(2, 4))

    def reshape(self, x: Array, *, shape: tuple[int, ...]) -> tuple[Array, Saved]:
        """(N, ...) -> (N, *shape), in reading order."""
        return x.reshape(x.shape[0], *shape), x.shape

    def reshape_backward(self, dy: Array, saved: Saved, *, shape: tuple[int, ...]) -> Array:
        """`dy` in x's shape."""
        return dy.reshape(saved)

    # ------------------------------------------------------------------ means over pixels and channels
    def average_pool_inside(self, x: Array, *, kernel: int, stride: int, padding: int) -> tuple[Array, Saved]:
        """The mean of those pixels of each window that lie inside the picture."""
        y, saved = self.average_pool(x, kernel=kernel, stride=stride, padding=padding)
        factors = self._inside(x, kernel, stride, padding)
        return self.plain(y) * factors, (saved, factors)

    def average_pool_inside_backward(
        self, dy: Array, saved: Saved, *, kernel: int, stride: int, padding: int
    ) -> Array:
        """`dy` spread evenly over each window's pixels inside the picture."""
        kept, factors = saved
        return self.average_pool_backward(dy * factors, kept, kernel=kernel, stride=stride, padding=padding)

    def _inside(self, x: Array, kernel: int, stride: int, padding: int) -> Array:
        """How many times more places a window has than pixels of the picture."""
        xp = self.xp
        rows, columns = (
            kernel
            / xp.asarray(
                [
                    min(start + kernel, side) - max(start, 0)
                    for start in range(-padding, side + padding - kernel + 1, stride)
                ],
                x.dtype,
            )
            for side in x.shape[1:3]
        )
        return (rows[:, None] * columns)[:, :, None]

    def local_response_norm(
        self, x: Array, *, size: int, alpha: float, beta: float, offset: float
    ) -> tuple[Array, Saved]:
        """x / (offset + alpha * sum of x² over `size` neighbouring channels) ** beta.

        Of an even number of neighbours, more lie before. Krizhevsky et al. 2012, section 3.3.
        """
        base = offset + alpha * self._neighbours(x * x, size // 2, (size - 1) // 2)
        return x * base**-beta, (x, base)

    def local_response_norm_backward(
        self, dy: Array, saved: Saved, *, size: int, alpha: float, beta: float, offset: float
    ) -> Array:
        """dy b^-beta - 2 alpha beta x * sum of dy x b^(-beta - 1) over the channels that see this one."""
        x, base = saved
        power = base**-beta
        seen = self._neighbours(dy * x * power / base, (size - 1) // 2, size // 2)
        return dy * power - 2 * alpha * beta * x * seen

    def _neighbours(self, x: Array, before: int, after: int) -> Array:
        """The sum over each channel and those so far before and after it."""
        channels = x.shape[-1]
        wide = self.xp.pad(x, [(0, 0)] * (x.ndim - 1) + [(before, after)])
        total = wide[..., :channels]
        for shift in range(1, before + after + 1):
            total = total + wide[..., shift : shift + channels]
        return total

    # ------------------------------------------------------------------ branches
    def concatenate(self, *parts: Array) -> tuple[Array, Saved]:
        """The parts' channels behind one another."""
        sizes = {part.shape[:-1] for part in parts}
        if len(sizes) != 1:
            raise ShapeError(f"maps of one size can be concatenated; they were given as {sorted(sizes)}")
        return self.xp.concatenate(parts, axis=-1), tuple(part.shape[-1] for part in parts)

    def concatenate_backward(self, dy: Array, saved: Saved) -> tuple[Array, ...]:
        """Each part's share of `dy`."""
        ends = [sum(saved[: place + 1]) for place in range(len(saved))]
        return tuple(dy[..., end - count : end] for end, count in zip(ends, saved, strict=True))

    def take_channels(self, x: Array, *, first: int, count: int) -> Array:
        """`count` channels from number `first` on."""
        return x[..., first : first + count]

    def dropout_maps(self, x: Array, key: Array, *, rate: float) -> tuple[Array, Saved]:
        """x (N, H, W, C) with a share `rate` of the maps (H, W) zero and the others divided by 1 - rate.

        As `dropout` of one number for each map, with the same key.
        """
        ones = self.xp.ones((x.shape[0], x.shape[-1]), x.dtype)
        mask = self.plain(self.dropout(ones, key, rate=rate)[0])[:, None, None, :]
        return x * mask, mask

    def dropout_maps_backward(self, dy: Array, saved: Saved) -> Array:
        """`dy` through the same mask."""
        return dy * saved
