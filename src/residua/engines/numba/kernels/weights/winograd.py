"""Weights transformed for Winograd's products, and their gradients transformed back.

Each is a kernel of its own, cut into parts along the channels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from residua.engines.numba.kernels.primitives.arguments import reader
from residua.engines.numba.kernels.primitives.scalars import get, part_of
from residua.engines.numba.kernels.primitives.vector import WIDTH, inline, load, store, transpose
from residua.engines.numba.kernels.winograd.tiles import THREE, Form, square_of


class TransformWeight(NamedTuple):
    """What `transform_weight` is given.

    copy: 0, or a copy of the weight that U was made from. places: how far U's places are apart. panel: how
    many columns lie in a panel of their own (see `winograd.many_channels`; k where all lie in rows).
    """

    parts: int
    c: int
    k: int
    weight: int
    u: int
    copy: int
    stride: int
    places: int
    panel: int


class TransformTransposed(NamedTuple):
    """What `transform_transposed` is given; panels are of c."""

    parts: int
    c: int
    k: int
    weight: int
    u: int
    stride: int
    places: int
    panel: int


class WeightGradient(NamedTuple):
    """What `weight_gradient` is given; panels are of k."""

    parts: int
    c: int
    k: int
    du: int
    dweight: int
    places: int
    panel: int
    stride: int


_weight, _transposed, _gradient = map(reader, (TransformWeight, TransformTransposed, WeightGradient))


def transforming(form: Form) -> Callable[..., Any]:
    """The kernel `transform_weight`."""
    side, taps, along, weight_to_places = form.taps, form.taps**2, form.along, form.weight_to_places

    @inline
    def transform_weight(l0, l1, l2, l3, args, part, scratch):
        """U[places, c, k] = G weight[taps, taps, c, k] G^T, for this part's share of c.

        Where there is a copy, U belongs to it, and is made anew only if the weight is no longer equal:
        comparing costs a tenth of transforming.
        """
        p = _weight(args)
        c, k = p.c, p.k
        start, stop = part_of(c, part, p.parts)
        if p.copy != 0:
            changed = 0
            for tap in range(taps):
                for i in range((tap * c + start) * k, (tap * c + stop) * k):
                    changed |= get(p.weight, i) != get(p.copy, i)
            if changed == 0:
                return
            for tap in range(taps):
                for i in range((tap * c + start) * k, (tap * c + stop) * k, WIDTH):
                    store(p.copy, i, load(p.weight, i))
        for first in range(0, k, p.panel):
            for i in range(start, stop):
                for o in range(first, first + p.panel, WIDTH):
                    source = square_of(side, p.weight + 4 * (i * k + o), c * k)
                    to = p.u + 4 * (first * c + i * p.panel + o - first)
                    weight_to_places(p.stride, source, square_of(along, to, p.places))

    return transform_weight


def transforming_transposed(form: Form) -> Callable[..., Any]:
    """The kernel `transform_transposed`."""
    side, taps, along, weight_to_places = form.taps, form.taps**2, form.along, form.weight_to_places

    @inline
    def transform_transposed(l0, l1, l2, l3, args, part, scratch):
        """U^T[places, k, c] = G weight[taps, taps, c, k] G^T with c and k exchanged, for this share of k."""
        p = _transposed(args)
        c, k = p.c, p.k
        start, stop = part_of(k // WIDTH, part, p.parts)
        block = WIDTH * WIDTH
        for first in range(0, c, p.panel):
            for o in range(start * WIDTH, stop * WIDTH, WIDTH):
                for i in range(0, p.panel, WIDTH):
                    for tap in range(taps):
                        transposed = scratch + 4 * (i // WIDTH * taps + tap) * block
                        transpose(p.weight + 4 * ((tap * c + first + i) * k + o), k, transposed, WIDTH)
                for row in range(WIDTH):
                    to = p.u + 4 * (first * k + (o + row) * p.panel)
                    for i in range(0, p.panel, WIDTH):
                        source = square_of(
                            side, scratch + 4 * (i // WIDTH * taps * block + row * WIDTH), block
                        )
                        weight_to_places(p.stride, source, square_of(along, to + 4 * i, p.places))

    return transform_transposed


def transforming_gradient(form: Form) -> Callable[..., Any]:
    """The kernel `weight_gradient`."""
    side, along, places_to_weight = form.taps, form.along, form.places_to_weight

    @inline
    def weight_gradient(l0, l1, l2, l3, args, part, scratch):
        """dweight[taps, taps, c, k] = G^T dU G of all pictures together, for this part's share of c."""
        p = _gradient(args)
        c, k = p.c, p.k
        start, stop = part_of(c, part, p.parts)
        for first in range(0, k, p.panel):
            for i in range(start, stop):
                for o in range(first, first + p.panel, WIDTH):
                    places = square_of(along, p.du + 4 * (first * c + i * p.panel + o - first), p.places)
                    places_to_weight(p.stride, places, square_of(side, p.dweight + 4 * (i * k + o), c * k))

    return weight_gradient


_of_three = transforming(THREE), transforming_transposed(THREE), transforming_gradient(THREE)
_transform_weight, _transform_transposed, _weight_gradient = _of_three


def transform_weight(l0, l1, l2, l3, args, part, scratch):
    """U[36, c, k] = G weight[3, 3, c, k] G^T, for this part's share of c."""
    _transform_weight(l0, l1, l2, l3, args, part, scratch)


def transform_transposed(l0, l1, l2, l3, args, part, scratch):
    """U^T[36, k, c] = G weight[3, 3, c, k] G^T with c and k exchanged, for this part's share of k."""
    _transform_transposed(l0, l1, l2, l3, args, part, scratch)


def weight_gradient(l0, l1, l2, l3, args, part, scratch):
    """dweight[3, 3, c, k] = G^T dU G of all pictures together, for this part's share of c."""
    _weight_gradient(l0, l1, l2, l3, args, part, scratch)
