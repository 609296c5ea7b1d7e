"""Inputs and options with which every core operation of the vocabulary is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from residua.engines.vocabulary.core import Array

Generator = np.random.Generator


@dataclass(frozen=True)
class Case:
    """One call: `inputs` by the parameter's name, `options` by keyword."""

    inputs: dict[str, Any]
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        shapes = {name: getattr(value, "shape", value) for name, value in self.inputs.items()}
        return ", ".join(f"{name}={value}" for name, value in (shapes | self.options).items())


# (N, H, W, C), kernels, kernel, stride, padding
CONVOLUTIONS = [
    ((1, 1, 1, 1), 1, 1, 1, 0),
    ((9, 1, 1, 17), 10, 1, 1, 0),
    ((2, 5, 7, 3), 16, 3, 1, 1),
    ((3, 8, 8, 16), 17, 3, 2, 1),
    ((2, 9, 7, 17), 16, 3, 2, 1),
    ((2, 7, 9, 16), 32, 1, 2, 0),
    ((1, 11, 10, 3), 10, 7, 2, 3),
    ((4, 6, 5, 10), 3, 5, 1, 2),
    ((2, 4, 4, 64), 64, 3, 1, 1),
    ((1, 8, 7, 2), 5, 2, 1, 0),
    ((2, 10, 11, 3), 4, 3, 3, 0),
    ((2, 2, 3, 4), 1, 3, 1, 3),
    ((1, 7, 6, 1), 3, 4, 3, 2),
    ((9, 3, 3, 3), 16, 3, 1, 0),
    ((1, 33, 31, 3), 16, 3, 1, 1),
    ((9, 5, 6, 64), 128, 3, 2, 1),
    ((8, 4, 4, 72), 120, 3, 2, 1),
]
FEATURES = [(1, 1), (9, 10), (5, 17), (3, 64)]
PICTURES = [(1, 1, 1, 1), (2, 5, 7, 3), (9, 1, 1, 10), (3, 4, 4, 16), (2, 3, 5, 17), (1, 9, 8, 64)]
POOLINGS = [  # (N, H, W, C), kernel, stride, padding
    ((1, 1, 1, 1), 1, 1, 0),
    ((2, 6, 4, 3), 2, 2, 0),
    ((3, 7, 5, 16), 3, 2, 1),
    ((2, 8, 9, 17), 3, 2, 0),
    ((1, 5, 5, 10), 3, 1, 1),
    ((9, 7, 8, 3), 2, 3, 1),
    ((2, 11, 10, 64), 7, 3, 3),
    ((1, 6, 7, 1), 5, 1, 2),
]
BOOLEAN_PAIRS = [(False, False), (True, False), (False, True), (True, True)]


def normal(rng: Generator, *shape: int) -> Array:
    """Numbers of float32, so that every precision starts from the same."""
    return rng.normal(size=shape).astype(np.float32).astype(np.float64)


def coarse(rng: Generator, *shape: int) -> Array:
    """Eighths: products and sums are exact in float32, so ReLU finds the same signs in every order."""
    return rng.integers(-16, 17, shape) / 8


def conv2d(rng: Generator) -> Iterator[Case]:
    """With and without bias and ReLU."""
    for (n, h, w, c), out, kernel, stride, padding in CONVOLUTIONS:
        for biased, relu in BOOLEAN_PAIRS:
            draw = coarse if relu else normal
            bias = draw(rng, out) if biased else None
            inputs = {"x": draw(rng, n, h, w, c), "weight": draw(rng, kernel, kernel, c, out), "bias": bias}
            yield Case(inputs, {"stride": stride, "padding": padding, "relu": relu})


def conv_norm(rng: Generator) -> Iterator[Case]:
    """With and without ReLU."""
    for number, ((n, h, w, c), out, kernel, stride, padding) in enumerate(CONVOLUTIONS):
        if n * h * w < 10:
            continue  # two numbers normalise to plus and minus one: their gradient is rounding alone
        inputs = {
            "x": normal(rng, n, h, w, c),
            "weight": normal(rng, kernel, kernel, c, out),
            "scale": 1 + normal(rng, out) / 4,
            "shift": normal(rng, out),
        }
        options = {"stride": stride, "padding": padding, "eps": (1e-5, 1e-3)[number % 2]}
        for relu in (False, True):
            yield Case(inputs, options | {"relu": relu})
        if number % 3 == 0:
            yield Case(inputs | {"scale": None}, options | {"relu": False, "eps": 1e-12})
            yield Case(inputs | {"scale": None, "shift": None}, options | {"relu": True})


def batch_norm(rng: Generator) -> Iterator[Case]:
    """Pictures and features, far from zero as well, and a channel that does not vary."""
    for shape in [*PICTURES[1:], (9, 10), (5, 17), (33, 3)]:
        for relu, moved in BOOLEAN_PAIRS:
            # Few numbers far from zero leave gradients that are mostly rounding.
            moved = moved and prod(shape[:-1]) >= 20
            values = normal(rng, *shape) + (30.0 if moved else 0.0)
            if not moved:
                values[..., 0] = 0.25
            values = values.astype(np.float32).astype(np.float64)
            inputs = {"x": values, "scale": 1 + normal(rng, shape[-1]) / 4, "shift": normal(rng, shape[-1])}
            yield Case(inputs, {"eps": 1e-5, "relu": relu})
            yield Case(inputs | {"scale": None}, {"eps": 1e-3, "relu": relu})
            yield Case(inputs | {"shift": None}, {"eps": 1e-5, "relu": relu})


def scale_shift(rng: Generator) -> Iterator[Case]:
    """Pictures and features."""
    for shape in [*PICTURES, *FEATURES]:
        scale, shift = normal(rng, shape[-1]), normal(rng, shape[-1])
        for relu in (False, True):
            yield Case({"x": normal(rng, *shape), "scale": scale, "shift": shift}, {"relu": relu})


def relu(rng: Generator) -> Iterator[Case]:
    """Exact zeros among the numbers."""
    for shape in [*PICTURES, *FEATURES]:
        yield Case({"x": coarse(rng, *shape)})


def add(rng: Generator) -> Iterator[Case]:
    """Two of one shape."""
    for shape in [*PICTURES, *FEATURES]:
        yield Case({"a": coarse(rng, *shape), "b": coarse(rng, *shape)})


def max_pool(rng: Generator) -> Iterator[Case]:
    """Numbers that are all different, and few different ones, so that windows have ties."""
    for shape, kernel, stride, padding in POOLINGS:
        options = {"kernel": kernel, "stride": stride, "padding": padding}
        yield Case({"x": normal(rng, *shape)}, options)
        yield Case({"x": rng.integers(-1, 2, shape).astype(np.float64)}, options)
        yield Case({"x": np.full(shape, -3.0)}, options)


def average_pool(rng: Generator) -> Iterator[Case]:
    """Padding counts as zeros."""
    for shape, kernel, stride, padding in POOLINGS:
        yield Case({"x": normal(rng, *shape)}, {"kernel": kernel, "stride": stride, "padding": padding})


def pictures(rng: Generator) -> Iterator[Case]:
    """Pictures without options."""
    for shape in PICTURES:
        yield Case({"x": normal(rng, *shape)})


def subsample_pad(rng: Generator) -> Iterator[Case]:
    """Even and odd numbers of new channels."""
    for shape in PICTURES:
        for stride, more in ((1, 0), (2, shape[-1]), (2, 3), (3, 1)):
            yield Case({"x": normal(rng, *shape)}, {"channels": shape[-1] + more, "stride": stride})


def linear(rng: Generator) -> Iterator[Case]:
    """With and without bias."""
    for n, features in FEATURES:
        for out in (1, 10, 17):
            bias = normal(rng, out) if out > 1 else None
            yield Case({"x": normal(rng, n, features), "weight": normal(rng, features, out), "bias": bias})


def dropout(rng: Generator) -> Iterator[Case]:
    """Masks are functions of the key, so they are compared like any other result."""
    for number, shape in enumerate([*PICTURES, *FEATURES]):
        key = np.array([rng.integers(2**32), number], np.uint32)
        yield Case({"x": normal(rng, *shape), "key": key}, {"rate": (0.0, 0.1, 0.5, 0.9)[number % 4]})


def softmax(rng: Generator) -> Iterator[Case]:
    """Logits so large that a careless exponential overflows, too."""
    for shape in FEATURES:
        for size in (1.0, 100.0, 1000.0):
            yield Case({"logits": size * coarse(rng, *shape)})


def softmax_cross_entropy(rng: Generator) -> Iterator[Case]:
    """Smoothed, weighted, and with large logits."""
    for case in softmax(rng):
        n, classes = case.inputs["logits"].shape
        for smoothing, weighted in ((0.0, False), (0.1, True), (0.3, False)):
            weights = rng.integers(0, 9, n) / 4 if weighted else None
            inputs = {"logits": case.inputs["logits"], "labels": rng.integers(0, classes, n)}
            yield Case(inputs, {"smoothing": smoothing, "weights": weights})


def count_correct(rng: Generator) -> Iterator[Case]:
    """Some right, some wrong."""
    for n, classes in FEATURES:
        yield Case({"logits": normal(rng, n, classes), "labels": rng.integers(0, classes, n)})


def crop_and_flip(rng: Generator) -> Iterator[Case]:
    """Windows within, across and outside of the pictures, as large as these, larger and smaller."""
    for n, (h, w), size, c in (
        (1, (1, 1), (1, 1), 1),
        (9, (12, 7), (12, 7), 3),
        (5, (6, 20), (3, 33), 1),
        (7, (9, 8), (5, 6), 4),
    ):
        pixels = rng.integers(0, 256, (n + 3, h, w, c), np.uint8)
        down, right = rng.integers(-h - 1, h + 2, n), rng.integers(-w - 1, w + 2, n)
        windows = {"indices": rng.integers(0, n + 3, n), "down": down, "right": right}
        mirrored = {"mirrored": rng.integers(0, 2, n) == 1}
        line = {"scale": normal(rng, c) / 99, "shift": normal(rng, c)}
        yield Case({"pixels": pixels, **windows, **mirrored}, {"size": size, **line})


CORE_CASES: dict[str, Callable[[Generator], Iterator[Case]]] = {
    "add": add,
    "add_relu": add,
    "average_pool": average_pool,
    "batch_norm": batch_norm,
    "conv2d": conv2d,
    "conv_norm": conv_norm,
    "count_correct": count_correct,
    "crop_and_flip": crop_and_flip,
    "dropout": dropout,
    "flatten": pictures,
    "global_average_pool": pictures,
    "linear": linear,
    "max_pool": max_pool,
    "relu": relu,
    "scale_shift": scale_shift,
    "softmax": softmax,
    "softmax_cross_entropy": softmax_cross_entropy,
    "subsample_pad": subsample_pad,
}

_MOMENTA = ((0.0, False), (0.9, False), (0.9, True))
_DECAYS = [{"decay": 0.0, "decoupled": False}, *({"decay": 0.01, "decoupled": d} for d in (False, True))]

# name: (its slots, the options to try)
OPTIMIZERS: dict[str, tuple[tuple[str, ...], list[dict[str, Any]]]] = {
    "sgd": (
        ("velocity",),
        [d | {"momentum": m, "nesterov": n} for d in _DECAYS for m, n in _MOMENTA],
    ),
    "adam": (("first", "second"), [d | {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8} for d in _DECAYS]),
    "rmsprop": (
        ("square", "velocity"),
        [d | {"alpha": 0.9, "eps": 1e-8, "momentum": m} for d in _DECAYS for m in (0.0, 0.9)],
    ),
}
