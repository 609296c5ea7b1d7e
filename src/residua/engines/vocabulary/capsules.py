"""Capsules: groups of numbers whose length says whether a thing is there, and whose direction says how.

Sabour, Frosst, Hinton 2017, "Dynamic routing between capsules", arXiv 1710.09829. A batch of capsules is
(N, capsules, dimension). Written once over the engine's NumPy-like module.
"""

from __future__ import annotations

from typing import Any

from residua.errors import ShapeError

Array = Any
Saved = Any


def lengths(engine: Any, x: Array) -> tuple[Array, Saved]:
    """(..., dimension) -> (...): the Euclidean norm along the last axis."""
    size = engine.xp.sqrt((x * x).sum(axis=-1))
    return size, (x, size)


def lengths_backward(engine: Any, dy: Array, saved: Saved) -> Array:
    """dy x / |x|; zero where x is zero, which has no direction."""
    x, size = saved
    return (dy / _divisor(engine, size))[..., None] * x


def shares(engine: Any, x: Array) -> tuple[Array, Saved]:
    """|x| / sum of |x| along the last axis: lengths as probabilities; equal shares where all are zero."""
    size = engine.xp.abs(x)
    total = size.sum(axis=-1, keepdims=True)
    y = engine.xp.where(total > 0, size / _divisor(engine, total), 0 * size + 1 / x.shape[-1])
    return y, (engine.xp.sign(x), y, _divisor(engine, total))


def shares_backward(engine: Any, dy: Array, saved: Saved) -> Array:
    """sign(x) (dy - sum of dy y) / sum of |x|."""
    sign, y, total = saved
    return sign * (dy - (dy * y).sum(axis=-1, keepdims=True)) / total


def squash(engine: Any, x: Array, *, dimension: int) -> tuple[Array, Saved]:
    """(N, ...) -> capsules (N, count, dimension) in reading order: x |x| / (1 + |x|²) of each.

    Equation 1: the same direction, a length below one.
    """
    y, (_, size) = _squashed(engine, x.reshape(len(x), -1, dimension))
    return y, (x, size)


def squash_backward(engine: Any, dy: Array, saved: Saved, *, dimension: int) -> Array:
    """dy |x| / (1 + |x|²) + x (x · dy) (1 - |x|²) / (|x| (1 + |x|²)²); zero where x is zero."""
    x, size = saved
    return _squashed_backward(engine, dy, (x.reshape(dy.shape), size)).reshape(x.shape)


def _squashed(engine: Any, x: Array) -> tuple[Array, Saved]:
    size = engine.xp.sqrt((x * x).sum(axis=-1, keepdims=True))
    return x * (size / (1 + size * size)), (x, size)


def _squashed_backward(engine: Any, dy: Array, saved: Saved) -> Array:
    x, size = saved
    grown = 1 + size * size
    along = (x * dy).sum(axis=-1, keepdims=True) / _divisor(engine, size)
    return dy * (size / grown) + x * (along * (1 - size * size) / (grown * grown))


def _divisor(engine: Any, size: Array) -> Array:
    # What is divided is zero there as well.
    return engine.xp.where(size > 0, size, 1 + 0 * size)


def predict_capsules(engine: Any, x: Array, weight: Array) -> tuple[Array, Saved]:
    """What every capsule expects of every capsule above (equation 2, right): (N, above, below, out).

    y[n,j,i,e] = sum over d of x[n,i,d] weight[i,d,j,e].
    """
    below, inside, above, out = weight.shape
    if x.ndim != 3 or x.shape[1:] != (below, inside):
        raise ShapeError(
            f"{below} capsules of dimension {inside} are needed; they were given as {tuple(x.shape)}"
        )
    # One product a capsule and picture: what comes of a picture must not depend on its batch.
    y = engine.xp.matmul(x[:, :, None, :], weight.reshape(below, inside, above * out))
    return y.reshape(len(x), below, above, out).transpose(0, 2, 1, 3), x


def predict_capsules_backward(engine: Any, dy: Array, weight: Array, saved: Saved) -> tuple[Array, Array]:
    """Gradients dx, dweight of `predict_capsules`."""
    x, (below, inside, above, out) = saved, weight.shape
    # By capsule, since each has a matrix of its own.
    rows = dy.transpose(2, 0, 1, 3).reshape(below, len(x), above * out)
    matrix = weight.reshape(below, inside, above * out)
    dx = engine.xp.matmul(rows, matrix.transpose(0, 2, 1)).transpose(1, 0, 2)
    return dx, engine.xp.matmul(x.transpose(1, 2, 0), rows).reshape(weight.shape)


def route(engine: Any, predictions: Array, *, routings: int) -> tuple[Array, Saved]:
    """Routing by agreement (procedure 1): (N, above, below, out) -> capsules (N, above, out).

    Every capsule below divides itself among those above by a softmax of its logits, which begin at
    zero and grow where its prediction agrees with what comes out; `routings` times.
    """
    xp = engine.xp
    logits = 0 * predictions[..., 0]
    shares, outputs, squashed = [], [], []
    for routing in range(routings):
        e = xp.exp(logits - logits.max(axis=1, keepdims=True))
        share = e / e.sum(axis=1, keepdims=True)
        mixed = xp.matmul(share[:, :, None, :], predictions)[:, :, 0]
        y, kept = _squashed(engine, mixed)
        shares.append(share)
        outputs.append(y)
        squashed.append(kept)
        if routing < routings - 1:
            logits = logits + xp.matmul(predictions, y[..., None])[..., 0]
    return outputs[-1], (predictions, shares, outputs, squashed)


def route_backward(engine: Any, dy: Array, saved: Saved, *, routings: int) -> Array:
    """The gradient by the predictions, through every routing."""
    predictions, shares, outputs, squashed = saved
    xp, last = engine.xp, routings - 1
    dlogits: Array = 0.0
    # The gradient is a sum of products of a number a capsule below and a vector a capsule above.
    factors, vectors = [], []
    for routing in range(last, -1, -1):
        if routing < last:
            # The logits after this routing have grown by predictions · outputs.
            dy = xp.matmul(dlogits[:, :, None, :], predictions)[:, :, 0]
            factors.append(dlogits)
            vectors.append(outputs[routing])
        dmixed = _squashed_backward(engine, dy, squashed[routing])
        factors.append(shares[routing])
        vectors.append(dmixed)
        if routing:
            dshare = xp.matmul(predictions, dmixed[..., None])[..., 0]
            share = shares[routing]
            dlogits = dlogits + share * (dshare - (dshare * share).sum(axis=1, keepdims=True))
    return xp.matmul(xp.stack(factors, axis=-1), xp.stack(vectors, axis=-2))


def select_capsule(engine: Any, x: Array, labels: Array) -> tuple[Array, Saved]:
    """x with all capsules but the one at each picture's label zero (section 4.1)."""
    mask = _label_mask(engine, x, labels)
    return x * mask, mask


def select_capsule_backward(engine: Any, dy: Array, saved: Saved) -> Array:
    """`dy` at the capsule that was selected."""
    return dy * saved


def _label_mask(engine: Any, x: Array, labels: Array) -> Array:
    xp = engine.xp
    return (xp.asarray(labels)[:, None] == xp.arange(x.shape[1])).astype(x.dtype)[:, :, None]
