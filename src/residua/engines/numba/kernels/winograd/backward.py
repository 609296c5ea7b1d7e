"""Winograd's way backward: dx and dU of a 3x3 convolution (see `winograd`)."""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.pictures.arguments import following
from residua.engines.numba.kernels.pictures.load import load_gradient_rows
from residua.engines.numba.kernels.pictures.store import keep_gradient_rows
from residua.engines.numba.kernels.primitives.prefetch import fetch, fetch_pair, fetch_results, fetch_three
from residua.engines.numba.kernels.primitives.scalars import clear, flush, get_int, part_of
from residua.engines.numba.kernels.primitives.vector import WIDTH, inline, load, store
from residua.engines.numba.kernels.products.blocks import ROWS
from residua.engines.numba.kernels.products.product import product
from residua.engines.numba.kernels.winograd.strips import fill_strip
from residua.engines.numba.kernels.winograd.tiles import (
    GAP,
    clear_edges,
    finished_to_places,
    patch_to_places,
    place_count,
    places_along,
    places_to_patch,
    places_to_weight,
    tile_to_places,
    weights_at,
)
from residua.engines.numba.kernels.winograd.transforms import PATCH, PLACES, TILE


def backward_scratch(width: int, c: int, k: int, stride: int, group: int, strip: int, chunk: int) -> int:
    """Floats of scratch that `backward` needs for strips of so many rows of tiles, `width` pixels wide."""
    right, side = -(-width // TILE), TILE * stride
    rows = (side * strip + 2) * (side * right + 2) * c
    gradient = TILE * strip * TILE * right * k
    return (
        group * (2 * rows + gradient)
        + chunk * (place_count(stride) * (c + k) + 2 * GAP)
        + 2 * c
        + PLACES * c * k
        + 256
    )


def backward(c, k, stride, unused, args, part, scratch):
    """dx, and the gradient by the weight of this part's pictures.

    Transformed back here, it is a quarter of dU: what the parts' sums take of memory and time.
    """
    c, k, stride = np.int64(c), np.int64(k), np.int64(stride)
    side, along = TILE * stride, places_along(stride)
    group, chunk, step = (
        get_int(args, pictures.GROUP),
        get_int(args, pictures.CHUNK),
        get_int(args, pictures.STRIP),
    )
    in_height, in_width = get_int(args, pictures.HEIGHT), get_int(args, pictures.BREADTH)
    height, width = get_int(args, pictures.OUT_HEIGHT), get_int(args, pictures.OUT_BREADTH)
    padding = get_int(args, pictures.PADDING)
    u = get_int(args, pictures.WEIGHT)
    down, right = (height + TILE - 1) // TILE, (width + TILE - 1) // TILE
    breadth = side * right + 2
    size, gradient = (side * step + 2) * breadth * c, TILE * step * TILE * right * k
    xv, xm = along * along * c + GAP, along * along * k + GAP
    dx = scratch + 4 * group * size
    dy = dx + 4 * group * size
    v = dy + 4 * group * gradient
    m = v + 4 * chunk * xv
    sums = m + 4 * chunk * xm
    du = sums + 8 * c
    totals = get_int(args, pictures.SUMS) + 16 * c * part
    clear(scratch, group * size)
    clear(dy, group * gradient)
    clear(sums, 2 * c)
    count = get_int(args, pictures.COUNT)
    start, stop = part_of(count, part, get_int(args, pictures.PARTS))
    x, g_in, raw = get_int(args, pictures.X), get_int(args, pictures.DY), get_int(args, pictures.RAW)
    x_raw, skip, result = (
        get_int(args, pictures.X_RAW),
        get_int(args, pictures.DX_SKIP),
        get_int(args, pictures.DX),
    )
    mode = get_int(args, pictures.DX_MODE)
    if mode == pictures.PLAIN or x_raw == x:
        x_raw = result  # fetched anyway
    if mode != pictures.SUMMED_SKIP:
        skip = result
    x_row, y_row = in_width * c, width * k
    x_end, y_end = count * in_height * x_row, count * height * y_row
    same = stride == 1 and c == k
    # Where all tiles are whole, gradients are finished on their way into the transform.
    unfinished = get_int(args, pictures.GRADIENT_MODE) == pictures.AFFINE
    unfinished = unfinished and height % TILE == 0 and width % TILE == 0
    factors = get_int(args, pictures.A)
    gap = (get_int(args, pictures.B) - factors) // 4
    more = 0
    for first in range(start, stop, group):
        here = min(group, stop - first)
        for top in range(0, down, step):
            bottom = min(top + step, down)
            high = bottom - top
            for g in range(here):
                to = scratch + 4 * g * size
                fill_strip(c, stride, args, first + g, top, bottom, to, breadth, step, step == down)
                end = min(height, TILE * bottom)
                if unfinished:
                    continue
                to = dy + 4 * g * gradient
                load_gradient_rows(k, args, first + g, TILE * top, end, to, TILE * right)
                if step != down and end < TILE * bottom:
                    rest = TILE * right * k
                    clear(to + 4 * (end - TILE * top) * rest, (TILE * bottom - end) * rest)
            for g in range(here):
                clear_edges(stride, c, dx + 4 * g * size, breadth, side * high, top == 0)
            tiles = here * high * right
            turns = (tiles + chunk - 1) // chunk * along * along + tiles
            lines, last = here * high * TILE, first + here - 1
            x_lines, y_lines = lines * stride * x_row // 16 // turns + 1, lines * y_row // 16 // turns + 1
            x_next = (last * in_height + max(0, min(in_height, side * bottom + 2 - padding))) * x_row
            y_next = (last * height + min(height, TILE * bottom)) * y_row
            if bottom == down:
                after = following(args, part, first + here, stop)
                x_next, y_next = after * in_height * x_row, after * height * y_row
            x_here = (first * in_height + max(0, side * top - padding)) * x_row
            turn = 0
            for begin in range(0, tiles, chunk):
                some = min(chunk, tiles - begin)
                row, column, g = begin // right % high, begin % right, begin // (right * high)
                for t in range(some):
                    turn = _fetch(same, x, g_in, raw, turn, x_next, x_lines, x_end, y_next, y_lines, y_end)
                    d = scratch + 4 * (g * size + (row * breadth + column) * side * c)
                    for i in range(0, c, WIDTH):
                        patch_to_places(stride, d + 4 * i, breadth * c, c, v + 4 * (t * xv + i), c)
                    d = dy + 4 * (g * gradient + (row * TILE * right + column) * TILE * k)
                    at = 4 * ((((first + g) * height + TILE * (top + row)) * width + TILE * column) * k)
                    for i in range(0, k, WIDTH):
                        a, to = at + 4 * i, m + 4 * (t * xm + i)
                        if unfinished:
                            finished_to_places(
                                stride, g_in + a, raw + a, width * k, k, factors + 4 * i, gap, to, k
                            )
                        else:
                            tile_to_places(stride, d + 4 * i, TILE * right * k, k, to, k)
                    column += 1
                    if column == right:
                        column, row = 0, row + 1
                        if row == high:
                            row, g = 0, g + 1
                rows = (some + ROWS - 1) // ROWS * ROWS
                for place in range(along * along):
                    turn = _fetch(same, x, g_in, raw, turn, x_next, x_lines, x_end, y_next, y_lines, y_end)
                    vp, mp = v + 4 * place * c, m + 4 * place * k
                    at = 4 * weights_at(place, along) * c * k
                    # Places that share a weight add up their gradients.
                    again = more | (place >= PATCH * along) | (place % along >= PATCH)
                    product(vp, 1, 0, xv, mp, 0, xm, du + at, k, c, k, 1, some, again)
                    fetch_results(x_raw, skip, result, x_here, x_lines, x_end)
                    x_here += 16 * x_lines
                    product(mp, xm, 0, 1, u + at, 0, c, vp, xv, rows, c, 1, k, 0)
                more = 1
                row, column, g = begin // right % high, begin % right, begin // (right * high)
                for t in range(some):
                    fetch_results(x_raw, skip, result, x_here, x_lines, x_end)
                    x_here += 16 * x_lines
                    d = dx + 4 * (g * size + (row * breadth + column) * side * c)
                    for i in range(0, c, WIDTH):
                        places_to_patch(stride, v + 4 * (t * xv + i), c, d + 4 * i, breadth * c, c)
                    column += 1
                    if column == right:
                        column, row = 0, row + 1
                        if row == high:
                            row, g = 0, g + 1
            # Two rows more get something from the next strip.
            done = side * bottom if bottom < down else side * bottom + 2
            begin_row = max(0, side * top - padding)
            inside = 4 * ((begin_row + padding - side * top) * breadth + padding) * c
            for g in range(here):
                a, b = dx + 4 * g * size, scratch + 4 * g * size
                keep_gradient_rows(
                    c, args, first + g, begin_row, min(in_height, done - padding), a + inside, breadth,
                    b + inside, breadth, sums,
                )  # fmt: skip
            if bottom < down:
                held, rest = 2 * breadth * c, side * step * breadth * c
                for i in range(0, held, WIDTH):
                    store(dx, i, load(dx + 4 * rest, i))
        if mode != pictures.PLAIN:
            flush(2 * c, sums, totals, first == start)
    dweight = get_int(args, pictures.WEIGHT_GRADIENT) + 4 * 9 * c * k * part
    for i in range(0, c * k, WIDTH):
        places_to_weight(stride, du + 4 * i, c * k, dweight + 4 * i, c * k)


@inline
def _fetch(same, x, dy, raw, turn, x_next, x_lines, x_end, y_next, y_lines, y_end):
    """This turn's lines of what the next strip reads; the next turn. `same`: x has dy's shape."""
    first = x_next + 16 * turn * x_lines
    if same:
        shift = 4 * (y_next - x_next)
        fetch_three(x, dy + shift, raw + shift, first, x_lines, x_end)
    else:
        fetch(x, first, x_lines, x_end)
        fetch_pair(dy, raw, y_next + 16 * turn * y_lines, y_lines, y_end)
    return turn + 1
