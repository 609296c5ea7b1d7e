"""How a gradient changes a weight: the arithmetic of the optimisers, for any NumPy-like module.

Every rule takes one weight, its slots, its gradient and the rate, and gives back the new weight and slots;
`decay_weight` comes before any of them.
"""

from __future__ import annotations

from typing import Any

Array = Any


def decay_weight(
    weight: Array, gradient: Array, rate: float, *, decay: float, decoupled: bool
) -> tuple[Array, Array]:
    """Weight and gradient after weight decay.

    Classic decay adds decay * weight to the gradient; decoupled decay takes rate * decay * weight off the
    weight itself (Loshchilov and Hutter 2019, algorithm 2).
    """
    if decay and decoupled:
        return weight - (rate * decay) * weight, gradient
    if decay:
        return weight, gradient + decay * weight
    return weight, gradient


def sgd(
    weight: Array, slots: tuple[Array], gradient: Array, rate: float, *, momentum: float, nesterov: bool
) -> tuple[Array, Array]:
    """velocity = momentum * velocity + gradient; weight -= rate * velocity (Sutskever et al. 2013).

    Nesterov's form steps along gradient + momentum * velocity instead. slots: the velocity.
    """
    (velocity,) = slots
    velocity = momentum * velocity + gradient
    direction = gradient + momentum * velocity if nesterov else velocity
    return weight - rate * direction, velocity


def adam(
    weight: Array,
    slots: tuple[Array, Array],
    gradient: Array,
    rate: float,
    *,
    xp: Any,
    count: Any,
    betas: tuple[float, float],
    eps: float,
) -> tuple[Array, Array, Array]:
    """Moments of the gradient, corrected for their start at zero (Kingma and Ba 2015, algorithm 1).

    slots: first and second moment. `count` is the number of this step, from 1.
    """
    (first, second), (beta1, beta2) = slots, betas
    first = first + (1 - beta1) * (gradient - first)
    second = second + (1 - beta2) * (gradient * gradient - second)
    step = rate / (1 - beta1**count)
    root = xp.sqrt(second) * (1 - beta2**count) ** -0.5 + eps
    return weight - step * first / root, first, second


def rmsprop(
    weight: Array,
    slots: tuple[Array, Array],
    gradient: Array,
    rate: float,
    *,
    xp: Any,
    alpha: float,
    eps: float,
    momentum: float,
) -> tuple[Array, Array, Array]:
    """The gradient over the root of its running mean square (Hinton, lecture 6e, 2012), with momentum.

    slots: the mean square and the velocity.
    """
    square, velocity = slots
    square = alpha * square + (1 - alpha) * gradient * gradient
    velocity = momentum * velocity + gradient / (xp.sqrt(square) + eps)
    return weight - rate * velocity, square, velocity
