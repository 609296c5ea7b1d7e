"""GELU and SiLU on the fast engine: to the last digits, and done by the convolutions beside them."""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, exp, sqrt

import numpy as np
import pytest

pytest.importorskip("numba")

from residua.engines.numba import NumbaEngine
from residua.engines.numba.lazy.pending import Pending
from residua.engines.numpy.engine import NumpyEngine
from residua.layers import (
    GELU,
    BatchNorm2d,
    Conv2d,
    ConvNorm,
    Flatten,
    GlobalAveragePool,
    Identity,
    Layer,
    Linear,
    MaxPool2d,
    Residual,
    Sequential,
    SiLU,
)
from residua.testing.arrays import cast, distance
from residua.variables import flatten

REFERENCE = NumpyEngine()


def sequence(*layers):
    return Sequential({str(number): layer for number, layer in enumerate(layers)})


def bare(c, k, kernel=3, stride=1, padding=1):
    """What stands before a smooth activation."""
    return ConvNorm(Conv2d(c, k, kernel, stride, padding), relu=False, scale=False, eps=1e-12)


@dataclass(frozen=True)
class Twice(Layer):
    """Two convolutions of one value, of which the engine is not told that it is shared."""

    channels: int

    def init(self, rng):
        return {name: Conv2d(self.channels, self.channels).init(rng) for name in "ab"}

    def forward(self, engine, v, x):
        a, saved_a, _ = Conv2d(self.channels, self.channels).forward(engine, v["a"], x)
        b, saved_b, _ = Conv2d(self.channels, self.channels).forward(engine, v["b"], x)
        return engine.add(a, b), (saved_a, saved_b), {}

    def backward(self, engine, v, saved, dy):
        layer = Conv2d(self.channels, self.channels)
        da, grads_a = layer.backward(engine, v["a"], saved[0], dy)
        db, grads_b = layer.backward(engine, v["b"], saved[1], dy)
        engine.plain(db)
        return engine.add(da, db), {"a": grads_a, "b": grads_b}


def fast_cifar(activation):
    """Whitening, and a block in which the normalisation comes behind a pooling."""
    return sequence(
        Conv2d(3, 24, 2, 1, 0, bias=True, fixed=True), activation,
        Conv2d(24, 32), MaxPool2d(2), BatchNorm2d(32, momentum=0.4, eps=1e-12, scale=False), activation,
        bare(32, 144), activation, Conv2d(144, 160), MaxPool2d(2), BatchNorm2d(160, scale=False), activation,
        MaxPool2d(3), Flatten(), Linear(160, 10, bias=False),
    )  # fmt: skip


NETWORKS = {
    "fast cifar": (fast_cifar(GELU()), (5, 15, 16, 3)),
    "fast cifar, SiLU": (fast_cifar(SiLU()), (5, 15, 16, 3)),
    "every way of a convolution": (
        sequence(
            bare(3, 16), SiLU(), bare(16, 32, 3, 2), GELU(), bare(32, 48, 1, 1, 0), GELU(),
            bare(48, 20, 5, 2, 2), SiLU(), bare(20, 64, 2, 2, 0), GELU(), bare(64, 256, 1, 1, 0), GELU(),
            bare(256, 32, 3, 2), SiLU(), GlobalAveragePool(), Linear(32, 16), GELU(), Linear(16, 10),
        ),
        (9, 32, 30, 3),
    ),
    "windows gathered": (
        sequence(
            bare(3, 72), GELU(), bare(72, 128, 5, 2, 2), SiLU(), bare(128, 64, 1, 2, 0), GlobalAveragePool(),
            Linear(64, 10),
        ),
        (9, 8, 8, 3),
    ),
    "a sum before": (
        sequence(
            bare(3, 16), GELU(), Residual(sequence(bare(16, 16), GELU(), bare(16, 16)), Identity()), SiLU(),
            bare(16, 16), Flatten(), Linear(36 * 16, 10),
        ),
        (4, 6, 6, 3),
    ),
    "two readers, told": (
        sequence(
            bare(3, 16), GELU(), Residual(bare(16, 16), bare(16, 16)), GlobalAveragePool(), Linear(16, 10)
        ),
        (4, 9, 8, 3),
    ),
    "two readers, not told": (
        sequence(bare(3, 16), GELU(), Twice(16), SiLU(), GlobalAveragePool(), Linear(16, 10)),
        (4, 9, 8, 3),
    ),
    "features": (sequence(Flatten(), Linear(48, 20), GELU(), Linear(20, 10), SiLU()), (6, 4, 4, 3)),
}  # fmt: skip


def work(network, engine):
    def step(v, x, labels):
        logits, saved, stats = network.forward(engine, v, x)
        loss, dlogits = engine.softmax_cross_entropy(logits, labels)
        dx, grads = network.backward(engine, v, saved, dlogits)
        return {"loss": loss, "dx": dx} | flatten(grads) | flatten(stats)

    return engine.compile(step)


def prepared(name):
    network, shape = NETWORKS[name]
    rng = np.random.default_rng(3)
    return (
        network,
        network.init(rng),
        rng.normal(size=shape).astype(np.float32),
        rng.integers(0, 10, shape[0]),
    )


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_follow_the_reference(engine, name):
    network, v, x, labels = prepared(name)
    exact = work(network, REFERENCE)(cast(v, np.float64), x.astype(np.float64), labels)
    single = work(network, REFERENCE)(v, x, labels)
    step = work(network, engine)
    for _ in range(4):  # recorded at the third, replayed at the fourth
        mine = {key: np.array(engine.plain(value)) for key, value in step(v, x, labels).items()}
    assert mine.keys() == exact.keys()
    for key, truth in exact.items():
        allowed = 4 * distance(single[key], truth, floor=1e-2) + 1e-4
        assert distance(mine[key], truth, floor=1e-2) < allowed, key


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", NETWORKS)
def test_same_bytes_for_any_number_of_threads_and_outside_of_a_step(engine, name):
    network, v, x, labels = prepared(name)

    def found(engine, step):
        return {key: np.asarray(engine.plain(value)).tobytes() for key, value in step(v, x, labels).items()}

    wanted = found(engine, work(network, engine))
    for threads in (1, 4):
        other = NumbaEngine(threads)
        assert found(other, work(network, other)) == wanted


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", NETWORKS)
def test_a_picture_has_the_same_answer_alone_and_in_a_batch(engine, name):
    network, v, x, _ = prepared(name)
    frozen, frozen_v = network.freeze(v)
    infer = engine.compile(lambda v, x: frozen.infer(engine, v, x))
    together = np.array(infer(frozen_v, x))
    for number in range(2):
        np.testing.assert_array_equal(infer(frozen_v, x[number : number + 1])[0], together[number])
    exact = frozen.infer(REFERENCE, cast(frozen_v, np.float64), x.astype(np.float64))
    assert distance(together, exact) < 1e-4


def test_a_convolution_takes_the_activation_in(engine):
    """No picture is stored activated, and the gradient comes back with the derivative in it."""
    network = sequence(bare(16, 16), GELU(), bare(16, 16))
    v = network.init(np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(2, 8, 8, 16)).astype(np.float32)
    seen = []

    def step(v, x):
        y, saved, _ = network.forward(engine, v, x)
        dx, grads = network.backward(engine, v, saved, y)
        seen.append(saved["1"])
        return dx, grads

    engine.compile(step)(v, x)
    assert isinstance(seen[0], Pending)
    assert seen[0].activation is not None
    assert seen[0].result is None


def exactly(name, x):
    """In float64: the value and the derivative."""
    if name == "gelu":
        below, density = erfc(-x / sqrt(2)) / 2, exp(-x * x / 2) / sqrt(2 * np.pi)
        return x * below, below + x * density
    s = 1 / (1 + exp(-x))
    return x * s, s * (1 + x / (1 + exp(x)))


@pytest.mark.parametrize("engine_of", [lambda: NumbaEngine(1), NumpyEngine], ids=["numba", "numpy"])
@pytest.mark.parametrize("name", ["gelu", "silu"])
def test_last_digits(engine_of, name):
    """What docs and kernels state: within 6 units in the last place, far out in the tail as well (numba)."""
    engine = engine_of()
    x = np.concatenate([np.linspace(-12, 20, 3000), [-0.0, 0.0, 1e-30, -1e-6, 80.0]]).astype(np.float32)
    wanted = np.array([exactly(name, float(number)) for number in x])
    y, saved = getattr(engine, name)(x[:, None])
    slope = getattr(engine, f"{name}_backward")(np.ones_like(x[:, None]), saved)
    units = np.abs(y[:, 0].astype(np.float64) - wanted[:, 0]) / np.spacing(
        np.abs(wanted[:, 0]).astype(np.float32)
    )
    assert units.max() <= (6 if engine.name == "numba" else 80)
    assert units[x > -3].max() <= 4
    assert np.abs(slope[:, 0] - wanted[:, 1]).max() < 3e-7


@pytest.mark.parametrize("name", ["gelu", "silu"])
def test_numbers_that_are_none_and_huge_ones(engine, name):
    x = np.array([[np.nan, -1e30, 1e30, np.inf, -200.0]], np.float32)
    with np.errstate(invalid="ignore", over="ignore"):
        for each in (engine, REFERENCE):
            y, saved = getattr(each, name)(x)
            assert np.isnan(y[0, 0])
            np.testing.assert_array_equal(y[0, 1:], np.array([0, 1e30, np.inf, 0], np.float32))
            slope = getattr(each, f"{name}_backward")(np.ones_like(x), saved)
            assert np.isnan(slope[0, 0])
            np.testing.assert_array_equal(slope[0, [1, 2, 4]], np.array([0, 1, 0], np.float32))


@pytest.mark.parametrize("training", [True, False])
def test_only_networks_with_an_activation_compile_its_rows(training):
    def rows_of(layers):
        engine, network = NumbaEngine(1), sequence(bare(3, 16), *layers, bare(16, 16))
        v, x = network.init(np.random.default_rng(0)), np.ones((2, 6, 6, 3), np.float32)
        if training:
            labels = np.arange(2)
            whole = sequence(network, Flatten(), Linear(576, 10))
            work(whole, engine)(whole.init(np.random.default_rng(0)), x, labels)
        else:
            frozen, frozen_v = network.freeze(v)
            engine.compile(lambda v, x: frozen.infer(engine, v, x))(frozen_v, x)
        keys = (key for key in engine.context._constants if key[0] == "code")
        return {(key[1].__module__.rpartition(".")[2], key[1].__name__) for key in keys}

    assert rows_of([]) == set()
    both = {("gelu", "forward"), ("gelu", "backward")}
    assert rows_of([GELU()]) == (both if training else {("gelu", "forward")})
