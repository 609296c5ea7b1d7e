"""Routing by agreement (procedure 1 of the paper), picture by picture, and the way back through all of it.

Capsules below are taken as many at a time as a vector holds: their logits, a row of vectors for each capsule
above, are divided among those by a softmax, and weigh what the predictions add to what comes out. So one
reading of the predictions does for a routing: the agreement with what came out before, the shares, the sums.

Shares lie as [batch, routings, above, wide], `wide` being the capsules below in whole vectors; what comes out
and what is squashed for it, as [batch, routings, above, out]. `out` is a multiple of WIDTH.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from residua.engines.numba.kernels.activations.exponential import exponential
from residua.engines.numba.kernels.capsules.sums import sums_of_rows
from residua.engines.numba.kernels.primitives.arguments import reader
from residua.engines.numba.kernels.primitives.scalars import clear, get, part_of
from residua.engines.numba.kernels.primitives.vector import (
    WIDTH,
    fma,
    inline,
    largest,
    load,
    splat,
    store,
    zero,
)


class Routing(NamedTuple):
    """What both kernels are given.

    wide: capsules below in whole vectors. result: what comes out of the last routing, or the gradient.
    """

    parts: int
    batch: int
    above: int
    below: int
    wide: int
    out: int
    routings: int
    predictions: int
    shares: int
    outputs: int
    mixed: int
    dy: int
    result: int


_routing = reader(Routing)


def wide(below: int) -> int:
    """Capsules below in whole vectors."""
    return -(-below // WIDTH) * WIDTH


def scratch_floats(above: int, below: int, out: int, routings: int) -> int:
    """Floats of scratch that either kernel needs."""
    logits, capsules = above * wide(below), above * out
    return 2 * WIDTH * WIDTH + routings * logits + (routings + 1) * capsules + above * WIDTH


@inline
def _agreements(source, vectors, above, below, out, count, block, to, pitch):
    """to[j] = as many capsules' predictions for j, from `source` on, times vectors[j]: a vector."""
    if count < WIDTH:
        clear(block, WIDTH * WIDTH)
    for j in range(above):
        for r in range(count):
            at = (j * below + r) * out
            v = load(source, at) * load(vectors, j * out)
            for e in range(WIDTH, out, WIDTH):
                v = fma(load(source, at + e), load(vectors, j * out + e), v)
            store(block, r * WIDTH, v)
        store(to, j * pitch, sums_of_rows(block))


@inline
def _softmax(logits, logits_pitch, above, shares, pitch):
    """shares[j] = e^logits[j] / their sum: vectors."""
    top = load(logits, 0)
    for j in range(1, above):
        top = largest(top, load(logits, j * logits_pitch))
    total = zero()
    for j in range(above):
        e = exponential(load(logits, j * logits_pitch) - top)
        store(shares, j * pitch, e)
        total = total + e
    for j in range(above):
        store(shares, j * pitch, load(shares, j * pitch) / total)


@inline
def _add_mixed(source, factors, pitch, above, below, out, count, mixed):
    """mixed[j] += the sum of the capsules' predictions for j, each times its factor."""
    for j in range(above):
        for e in range(0, out, WIDTH):
            # Two sums, since each addition waits for the one before.
            v, w = load(mixed, j * out + e), zero()
            for r in range(0, count - 1, 2):
                at = (j * below + r) * out + e
                v = fma(splat(get(factors, j * pitch + r)), load(source, at), v)
                w = fma(splat(get(factors, j * pitch + r + 1)), load(source, at + out), w)
            if count % 2 == 1:
                r = count - 1
                v = fma(splat(get(factors, j * pitch + r)), load(source, (j * below + r) * out + e), v)
            store(mixed, j * out + e, v + w)


@inline
def _dot(a, b, out):
    total = np.float32(0)
    for e in range(out):
        total += get(a, e) * get(b, e)
    return total


@inline
def _squash(mixed, above, out, to):
    """to[j] = x |x| / (1 + |x|²) of each capsule (equation 1)."""
    for j in range(above):
        x = mixed + 4 * j * out
        square = _dot(x, x, out)
        factor = splat(np.sqrt(square) / (np.float32(1) + square))
        for e in range(0, out, WIDTH):
            store(to, j * out + e, load(x, e) * factor)


@inline
def _squash_backward(dy, mixed, above, out, to):
    """to[j] = dy |x| / (1 + |x|²) + x (x · dy) (1 - |x|²) / (|x| (1 + |x|²)²); zero where x is zero."""
    one = np.float32(1)
    for j in range(above):
        x, g = mixed + 4 * j * out, dy + 4 * j * out
        square, along = _dot(x, x, out), _dot(x, g, out)
        size, grown = np.sqrt(square), one + square
        divisor = size if size > 0 else one
        factor, of_x = splat(size / grown), splat(along / divisor * (one - square) / (grown * grown))
        for e in range(0, out, WIDTH):
            store(to, j * out + e, fma(load(x, e), of_x, load(g, e) * factor))


def route(l0, l1, l2, l3, args, part, scratch):
    """What comes out of the last routing; shares, outputs and what was squashed, of every one."""
    p = _routing(args)
    above, below, out, routings = p.above, p.below, p.out, p.routings
    pitch, capsules = p.wide, above * out
    block, logits = scratch, scratch + 8 * WIDTH * WIDTH
    grown = logits + 4 * above * pitch
    start, stop = part_of(p.batch, part, p.parts)
    for n in range(start, stop):
        source = p.predictions + 4 * n * above * below * out
        clear(logits, above * pitch)
        for routing in range(routings):
            number = n * routings + routing
            shares, mixed = p.shares + 4 * number * above * pitch, p.mixed + 4 * number * capsules
            outputs = p.outputs + 4 * number * capsules
            clear(mixed, capsules)
            for i in range(0, below, WIDTH):
                count, here = min(WIDTH, below - i), source + 4 * i * out
                mine = logits + 4 * i
                if routing > 0:
                    before = outputs - 4 * capsules
                    _agreements(here, before, above, below, out, count, block, grown, WIDTH)
                    for j in range(above):
                        store(mine, j * pitch, load(mine, j * pitch) + load(grown, j * WIDTH))
                _softmax(mine, pitch, above, shares + 4 * i, pitch)
                _add_mixed(here, shares + 4 * i, pitch, above, below, out, count, mixed)
            _squash(mixed, above, out, outputs)
        for e in range(0, capsules, WIDTH):
            store(p.result, n * capsules + e, load(p.outputs, ((n + 1) * routings - 1) * capsules + e))


def route_backward(l0, l1, l2, l3, args, part, scratch):
    """The gradient by the predictions: each is a sum of products of a number and a vector, two a routing."""
    p = _routing(args)
    above, below, out, routings = p.above, p.below, p.out, p.routings
    pitch, capsules = p.wide, above * out
    block, dlogits = scratch, scratch + 8 * WIDTH * WIDTH  # [routings, above, pitch]
    dmixed = dlogits + 4 * routings * above * pitch  # [routings, above, out]
    dy = dmixed + 4 * routings * capsules
    dshares = dy + 4 * capsules
    start, stop = part_of(p.batch, part, p.parts)
    for n in range(start, stop):
        source = p.predictions + 4 * n * above * below * out
        clear(dlogits, routings * above * pitch)
        for e in range(0, capsules, WIDTH):
            store(dy, e, load(p.dy, n * capsules + e))
        for routing in range(routings - 1, -1, -1):
            number = n * routings + routing
            shares, of_mixed = p.shares + 4 * number * above * pitch, dmixed + 4 * routing * capsules
            _squash_backward(dy, p.mixed + 4 * number * capsules, above, out, of_mixed)
            if routing == 0:
                break
            # Of the logits that this routing divides by: those of the one after, and what its shares add.
            mine = dlogits + 4 * (routing - 1) * above * pitch
            later = dlogits + 4 * routing * above * pitch
            clear(dy, capsules)
            for i in range(0, below, WIDTH):
                count, here = min(WIDTH, below - i), source + 4 * i * out
                _agreements(here, of_mixed, above, below, out, count, block, dshares, WIDTH)
                total = zero()
                for j in range(above):
                    total = fma(load(dshares, j * WIDTH), load(shares, j * pitch + i), total)
                for j in range(above):
                    slope = load(shares, j * pitch + i) * (load(dshares, j * WIDTH) - total)
                    if routing < routings - 1:
                        slope = slope + load(later, j * pitch + i)
                    store(mine, j * pitch + i, slope)
                _add_mixed(here, mine + 4 * i, pitch, above, below, out, count, dy)
        _outer_products(p, n, pitch, dlogits, dmixed)


@inline
def _outer_products(p, n, pitch, dlogits, dmixed):
    above, below, out, routings = p.above, p.below, p.out, p.routings
    capsules = above * out
    for j in range(above):
        for i in range(below):
            to = p.result + 4 * ((n * above + j) * below + i) * out
            for e in range(0, out, WIDTH):
                v = zero()
                for routing in range(routings):
                    number, at = n * routings + routing, j * out + e
                    share = get(p.shares, (number * above + j) * pitch + i)
                    v = fma(splat(share), load(dmixed, routing * capsules + at), v)
                    if routing < routings - 1:
                        slope = get(dlogits, (routing * above + j) * pitch + i)
                        v = fma(splat(slope), load(p.outputs, number * capsules + at), v)
                store(to, e, v)
