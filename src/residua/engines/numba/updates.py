"""The optimiser's step, one pass over memory instead of one for every operator."""

from __future__ import annotations

import numpy as np

from residua.engines.numba.vector import (
    WIDTH,
    fma,
    get,
    get_double,
    get_int,
    load,
    part_of,
    put,
    splat,
    store,
)


def sgd(l0, l1, l2, l3, args, part, scratch):
    """velocity' = momentum velocity + g; weight' = keep weight - rate direction.

    g = gradient + decay weight; direction = velocity' or, Nesterov's, g + momentum velocity'.
    Block: parts, count, weight, velocity, gradient, new weight, new velocity, Nesterov's or not; doubles:
    rate, momentum, decay (of the gradient), keep.
    """
    parts, count = get_int(args, 0), get_int(args, 1)
    weight, velocity, gradient = get_int(args, 2), get_int(args, 3), get_int(args, 4)
    new_weight, new_velocity, nesterov = get_int(args, 5), get_int(args, 6), get_int(args, 7) != 0
    rate, momentum = np.float32(get_double(args, 8)), np.float32(get_double(args, 9))
    decay, keep = np.float32(get_double(args, 10)), np.float32(get_double(args, 11))
    step, many, less, kept = splat(-rate), splat(momentum), splat(decay), splat(keep)
    first, last = part_of(count // WIDTH, part, parts)
    for i in range(first * WIDTH, last * WIDTH, WIDTH):
        w = load(weight, i)
        g = fma(less, w, load(gradient, i))
        v = fma(many, load(velocity, i), g)
        store(new_velocity, i, v)
        if nesterov:
            v = fma(many, v, g)
        store(new_weight, i, fma(step, v, w * kept))
    if part == parts - 1:
        for i in range(count // WIDTH * WIDTH, count):
            one = get(weight, i)
            slope = get(gradient, i) + decay * one
            speed = momentum * get(velocity, i) + slope
            put(new_velocity, i, speed)
            if nesterov:
                speed = slope + momentum * speed
            put(new_weight, i, one * keep - rate * speed)
