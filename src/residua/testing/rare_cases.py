"""Inputs and options with which the rarer operations, which are written once for all engines, are checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from residua.testing.core_cases import (
    BOOLEAN_PAIRS,
    FEATURES,
    PICTURES,
    Case,
    Generator,
    average_pool,
    coarse,
    normal,
    pictures,
    relu,
)

# (N, H, W, C), kernels, kernel, stride, padding, extra
TRANSPOSED = [
    ((1, 1, 1, 1), 1, 1, 1, 0, 0),
    ((2, 5, 4, 3), 4, 3, 1, 1, 0),
    ((2, 4, 3, 16), 5, 3, 2, 1, 1),
    ((3, 3, 5, 4), 17, 2, 2, 0, 0),
    ((1, 4, 4, 2), 3, 5, 3, 2, 2),
    ((2, 3, 3, 5), 2, 4, 2, 3, 0),
]
# (N, H, W, C), kernels, kernel, stride, padding, groups
GROUPED = [
    ((2, 5, 4, 4), 6, 3, 1, 1, 2),
    ((1, 7, 6, 6), 3, 3, 2, 1, 3),
    ((3, 4, 4, 32), 16, 1, 1, 0, 2),
    ((2, 3, 5, 3), 6, 5, 1, 2, 3),
    ((2, 5, 5, 3), 4, 3, 1, 0, 1),
]
SIDES = [(0, 0, 0, 0), (1, 1, 1, 1), (2, 0, 1, 3), (0, 1, 0, 0)]


def _with(cases: Callable[[Generator], Iterator[Case]], *options: dict[str, Any]) -> Any:
    def each(rng: Generator) -> Iterator[Case]:
        for case in cases(rng):
            for more in options:
                yield Case(case.inputs, case.options | more)

    return each


def values(rng: Generator) -> Iterator[Case]:
    """Pictures and features, large and small."""
    for shape in [*PICTURES, *FEATURES]:
        yield Case({"x": normal(rng, *shape)})
        yield Case({"x": 100 * coarse(rng, *shape)})


def transposed_conv2d(rng: Generator) -> Iterator[Case]:
    """With and without bias."""
    for (n, h, w, c), out, kernel, stride, padding, extra in TRANSPOSED:
        for bias in (None, normal(rng, out)):
            inputs = {"x": normal(rng, n, h, w, c), "weight": normal(rng, kernel, kernel, c, out)}
            yield Case(inputs | {"bias": bias}, {"stride": stride, "padding": padding, "extra": extra})


def grouped_conv2d(rng: Generator) -> Iterator[Case]:
    """With and without bias and ReLU."""
    for (n, h, w, c), out, kernel, stride, padding, groups in GROUPED:
        for biased, rectified in BOOLEAN_PAIRS:
            bias = coarse(rng, out) if biased else None
            weight = coarse(rng, kernel, kernel, c // groups, out)
            options = {"groups": groups, "stride": stride, "padding": padding, "relu": rectified}
            yield Case({"x": coarse(rng, n, h, w, c), "weight": weight, "bias": bias}, options)


def depthwise_conv2d(rng: Generator) -> Iterator[Case]:
    """With and without bias and ReLU."""
    for (n, h, w, c), _, kernel, stride, padding, _ in GROUPED:
        for biased, rectified in BOOLEAN_PAIRS:
            bias = coarse(rng, c) if biased else None
            weight = coarse(rng, kernel, kernel, c)
            options = {"stride": stride, "padding": padding, "relu": rectified}
            yield Case({"x": coarse(rng, n, h, w, c), "weight": weight, "bias": bias}, options)


def pad(rng: Generator) -> Iterator[Case]:
    """Every border on different sides."""
    for shape in [(1, 2, 4, 1), (2, 5, 7, 3), (2, 4, 5, 17)]:
        for sides in SIDES:
            for border in ("zero", "reflect", "edge"):
                if border != "reflect" or max(sides) < min(shape[1:3]):
                    yield Case({"x": normal(rng, *shape)}, {"sides": sides, "border": border})


def reshape(rng: Generator) -> Iterator[Case]:
    """Other sizes, more axes and fewer."""
    for shape, after in (((2, 3, 4, 5), (5, 12)), ((3, 6), (1, 3, 2)), ((1, 2, 2, 2), (2, 2, 2, 1))):
        yield Case({"x": normal(rng, *shape)}, {"shape": after})


def local_response_norm(rng: Generator) -> Iterator[Case]:
    """More neighbours than channels, too."""
    for case in values(rng):
        for size, alpha, beta, offset in ((5, 1e-4, 0.75, 2.0), (3, 0.5, 0.5, 1.0), (4, 0.1, 1.5, 0.5)):
            yield Case(case.inputs, {"size": size, "alpha": alpha, "beta": beta, "offset": offset})


def concatenate(rng: Generator) -> Iterator[Case]:
    """One, two and three branches, of pictures and of features."""
    for shape in [*PICTURES, *FEATURES]:
        for counts in ((3,), (1, 4), (2, 16, 3), (32, 16)):
            yield Case({f"part{i}": normal(rng, *shape[:-1], count) for i, count in enumerate(counts)})


def take_channels(rng: Generator) -> Iterator[Case]:
    """From the middle, and all."""
    for shape in ((2, 5, 7, 3), (9, 10)):
        for first, count in ((1, 2), (0, shape[-1])):
            yield Case({"x": normal(rng, *shape)}, {"first": first, "count": count})


def dropout_maps(rng: Generator) -> Iterator[Case]:
    """Masks are functions of the key."""
    for number, shape in enumerate(PICTURES):
        key = np.array([rng.integers(2**32), number], np.uint32)
        yield Case({"x": normal(rng, *shape), "key": key}, {"rate": (0.0, 0.1, 0.5, 0.9)[number % 4]})


def negative_log_likelihood(rng: Generator) -> Iterator[Case]:
    """Weighted and not."""
    for n, classes in FEATURES:
        labels = rng.integers(0, classes, n)
        for weights in (None, rng.integers(0, 9, n) / 4):
            inputs = {"log_probabilities": -np.abs(normal(rng, n, classes)), "labels": labels}
            yield Case(inputs, {"weights": weights})


def margin_loss(rng: Generator) -> Iterator[Case]:
    """Lengths on both sides of both margins; weighted and not."""
    for n, classes in FEATURES:
        labels = rng.integers(0, classes, n)
        for weights in (None, rng.integers(0, 9, n) / 4):
            inputs = {"lengths": np.abs(coarse(rng, n, classes)) / 2, "labels": labels}
            options = {"present": 0.9, "absent": 0.1, "share": 0.5, "weights": weights}
            yield Case(inputs, options)


def with_target(name: str, size: float) -> Callable[[Generator], Iterator[Case]]:
    """Pictures and features with targets from 0 to 1; weighted and not."""

    def cases(rng: Generator) -> Iterator[Case]:
        for shape in [*PICTURES, *FEATURES]:
            for weights in (None, rng.integers(0, 9, shape[0]) / 4):
                target = rng.integers(0, 9, shape) / 8
                yield Case({name: size * normal(rng, *shape), "target": target}, {"weights": weights})

    return cases


# Pictures, capsules below, their dimension, capsules above, theirs
CAPSULES = [(1, 1, 1, 1, 1), (3, 6, 8, 10, 16), (2, 9, 4, 3, 5), (9, 17, 2, 2, 3)]


def capsules(rng: Generator) -> Iterator[Case]:
    """Long, short and zero."""
    for n, below, inside, _, _ in CAPSULES:
        x = normal(rng, n, below, inside) * rng.choice((0.01, 1.0, 30.0), (n, below, 1))
        x = x.astype(np.float32).astype(np.float64)
        yield Case({"x": x})
        yield Case({"x": x * (np.arange(below) % 2)[:, None]})


def squash(rng: Generator) -> Iterator[Case]:
    """Capsules, and pictures whose channels are groups."""
    for case in capsules(rng):
        yield Case(case.inputs, {"dimension": case.inputs["x"].shape[-1]})
    yield Case({"x": normal(rng, 2, 5, 3, 12)}, {"dimension": 4})


def shares(rng: Generator) -> Iterator[Case]:
    """Some numbers zero, and all of them."""
    for shape in FEATURES:
        yield Case({"x": coarse(rng, *shape)})
    yield Case({"x": np.zeros((2, 3))})


def predict_capsules(rng: Generator) -> Iterator[Case]:
    """One capsule and many."""
    for n, below, inside, above, out in CAPSULES:
        yield Case({"x": normal(rng, n, below, inside), "weight": normal(rng, below, inside, above, out)})


def route(rng: Generator) -> Iterator[Case]:
    """Routed once, which is a plain sum, and more often."""
    for n, below, _, above, out in CAPSULES:
        for routings in (1, 2, 3, 5):
            yield Case({"predictions": normal(rng, n, above, below, out) / 2}, {"routings": routings})


def select_capsule(rng: Generator) -> Iterator[Case]:
    """Labels among the capsules."""
    for n, below, inside, _, _ in CAPSULES:
        yield Case({"x": normal(rng, n, below, inside), "labels": rng.integers(0, below, n)})


RARE_CASES: dict[str, Callable[[Generator], Iterator[Case]]] = {
    "average_pool_inside": average_pool,
    "binary_cross_entropy": with_target("logits", 20.0),
    "channel_softmax": values,
    "concatenate": concatenate,
    "depthwise_conv2d": depthwise_conv2d,
    "dropout_maps": dropout_maps,
    "gelu": values,
    "grouped_conv2d": grouped_conv2d,
    "leaky_relu": _with(relu, {"slope": 0.01}, {"slope": 0.25}),
    "lengths": capsules,
    "local_response_norm": local_response_norm,
    "log_softmax": values,
    "margin_loss": margin_loss,
    "mean_squared_error": with_target("x", 1.0),
    "negative_log_likelihood": negative_log_likelihood,
    "pad": pad,
    "predict_capsules": predict_capsules,
    "reshape": reshape,
    "route": route,
    "select_capsule": select_capsule,
    "shares": shares,
    "sigmoid": values,
    "silu": values,
    "squash": squash,
    "take_channels": take_channels,
    "tanh": values,
    "threshold": _with(relu, {"level": 0.0, "value": 0.0}, {"level": 0.5, "value": -1.5}),
    "transposed_conv2d": transposed_conv2d,
    "upsample": _with(pictures, {"factor": 1}, {"factor": 2}, {"factor": 3}),
}
