"""Branches side by side: their channels behind one another, and the gradient's parts."""

from __future__ import annotations

from functools import partial
from math import prod
from typing import Any

from residua.engines.numba.kernels.pictures import channel_blocks
from residua.engines.numba.lazy.materialize import flat, on_arrays, resolved
from residua.engines.numba.lazy.promise import DeferredConvolution, Place
from residua.engines.numba.runtime.arrays import Array, kernels_accept
from residua.engines.numba.runtime.buffers import address as address_of
from residua.engines.numba.runtime.context import Context
from residua.engines.numba.runtime.layout import MOST_PARTS, whole
from residua.engines.vocabulary.core import Saved

SHARE = 2**12  # numbers that are worth a part of their own


def concatenate(context: Context, *parts: Any) -> tuple[Any, Saved]:
    """The parts' channels behind one another; convolutions that wait are stored there at once."""
    parts = tuple(part if _waits(part) else resolved(part) for part in parts)
    sizes, counts = {part.shape[:-1] for part in parts}, tuple(part.shape[-1] for part in parts)
    if len(sizes) != 1 or not _whole_vectors(counts) or not kernels_accept(*parts):
        result: tuple[Any, Saved] = on_arrays(context, context.reference.concatenate, *parts)
        return result
    shape, wide, before = sizes.pop(), sum(counts), 0
    y = context.allocate(prod(shape) * wide)
    for part, count in zip(parts, counts, strict=True):
        place = Place(y, wide, before)
        if _waits(part):
            part.put(place, partial(_taken, context, place, part.shape))
        else:
            _copy(context, Place(flat(context, part), count, 0), place, count)
        before += count
    return y.reshape(*shape, wide), counts


def concatenate_backward(context: Context, dy: Any, saved: Saved) -> tuple[Any, ...]:
    """Each part's share of `dy`."""
    dy = resolved(dy)
    if not _whole_vectors(saved) or not kernels_accept(dy):
        shares: tuple[Any, ...] = on_arrays(context, context.reference.concatenate_backward, dy, saved)
        return shares
    *shape, wide = dy.shape
    whole, before, results = flat(context, dy), 0, []
    for count in saved:
        results.append(_taken(context, Place(whole, wide, before), (*shape, count)))
        before += count
    return tuple(results)


def _whole_vectors(counts: tuple[int, ...]) -> bool:
    """Whether channels lie without padding, in the parts and in the whole."""
    return all(count and whole(count) for count in (*counts, sum(counts)))


def _waits(part: Any) -> bool:
    """Whether it is a convolution that can still be told where to store."""
    return isinstance(part, DeferredConvolution) and part.waiting


def _taken(context: Context, place: Place, shape: tuple[int, ...]) -> Array:
    """Pictures of their own, of this shape, of what lies there."""
    part = context.allocate(prod(shape))
    _copy(context, place, Place(part, shape[-1], 0), shape[-1])
    return part.reshape(shape)


def _copy(context: Context, source: Place, target: Place, count: int) -> None:
    """So many channels of every pixel."""
    pixels = source.pixels.size // source.channels
    if not pixels:
        return
    parts = min(MOST_PARTS, pixels * count // SHARE + 1)
    addresses = (address_of(place.pixels) + 4 * place.first for place in (source, target))
    block = channel_blocks.Copy(parts, pixels, count, source.channels, target.channels, *addresses)
    context.run(channel_blocks.copy, block, parts)
