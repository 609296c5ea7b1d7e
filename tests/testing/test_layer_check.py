"""Every check of `check_layer` is able to fail."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from residua.layers import BatchNorm2d, Identity, Layer, Linear, ReLU, ScaleShift
from residua.testing import check_layer
from residua.testing.arrays import distance, distinct


@dataclass(frozen=True)
class Cube(Layer):
    """A user's layer, x cubed times a weight; `fault` names what is wrong with it."""

    fault: str = ""

    def init(self, rng):
        return {"weight": np.full(3, 2.0, np.float64 if self.fault == "init precision" else np.float32)}

    def forward(self, engine, v, x):
        if self.fault == "x written":
            x *= 1.5
        if self.fault == "variable written":
            v["weight"] *= 1.0001
        if self.fault == "state":
            object.__setattr__(self, "x", x)
        y = x**3 * v["weight"]
        if self.fault == "y shape":
            y = y[:, :2]
        if self.fault == "noise":
            y = y + np.random.default_rng().normal(size=y.shape) * 1e-3
        if self.fault == "y precision":
            y = y.astype(np.float64)
        if self.fault == "contiguous" and not x.flags.c_contiguous:
            raise ValueError("x is not contiguous")
        stats = {"running_mean": x.mean(axis=0)} if self.fault == "unknown statistic" else {}
        if self.fault == "trained statistic":
            stats = {"weight": v["weight"]}
        return (y, x) if self.fault == "two results" else (y, x, stats)

    def backward(self, engine, v, saved, dy):
        x = self.x if self.fault == "state" else saved
        dx, dweight = 3 * x**2 * v["weight"] * dy, (x**3 * dy).sum(axis=0)
        if self.fault == "dx":
            dx = dx * (1 + 1e-4)
        if self.fault == "one number of dx":
            dx[1, 2] += 1e-4
        if self.fault == "gradient":
            dweight = dweight * (1 - 1e-4)
        if self.fault == "NaN":
            dweight = dweight * np.nan
        if self.fault == "dx zero":
            dx = dx * 0
        if self.fault == "dx shape":
            dx = dx[:1]
        if self.fault == "dx precision":
            dx = dx.astype(np.float32)
        if self.fault == "dy written":
            dy += 1
        if self.fault == "saved written":
            saved -= 1
        if self.fault == "no gradient":
            return dx, {}
        if self.fault == "gradient shape":
            dweight = dweight[:, None]
        grads = {"weight": dweight}
        return dx, grads | {"bias": dweight} if self.fault == "extra gradient" else grads

    def infer(self, engine, v, x):
        return x**3 if self.fault == "infer" else x**3 * v["weight"]

    def freeze(self, v):
        if self.fault == "frozen function":
            return self, {"weight": v["weight"] * 1.0001}
        if self.fault == "frozen gradient":
            return Cube("dx"), v
        if self.fault == "frozen precision":
            return self, {"weight": v["weight"].astype(np.float32)}
        return self, v

    def rows(self, shape, name=""):
        (row,) = super().rows(shape, name)
        yield replace(row, parameters=4) if self.fault == "rows" else row


FAULTS = {
    "init precision": "init: weight is float64",
    "x written": "forward wrote to its ordinary x|read-only",
    "variable written": "weight was written to|read-only",
    "state": "not re-entrant: dx",
    "y shape": r"y \(4, 2\), output_shape promises \(4, 3\)",
    "noise": "differs",
    "y precision": "y is float64 for inputs in float32",
    "contiguous": "arrays are not accepted: x is not contiguous",
    "unknown statistic": "running_mean, which is no variable",
    "trained statistic": "weight, which receives a gradient",
    "two results": "three results",
    "dx": "dx is wrong along itself.*relative error 0.0001",
    "one number of dx": "dx is wrong",
    "gradient": "gradient by weight is wrong",
    "NaN": "gradient by weight has numbers that are not finite",
    "dx zero": "dx is wrong",
    "dx shape": r"dx \(1, 3\) for x \(4, 3\)",
    "dx precision": "dx is float32 for inputs in float64",
    "dy written": "wrote to its ordinary dy|read-only",
    "saved written": "wrote to the ordinary x of forward|read-only",
    "no gradient": "no gradient for weight",
    "gradient shape": r"the gradient by weight is \(3, 1\)",
    "extra gradient": "gradients for bias",
    "infer": "infer differs",
    "frozen function": "frozen: its output is not that",
    "frozen gradient": "frozen: dx is wrong",
    "frozen precision": "freeze made weight float32",
    "rows": "rows lists 4 parameters, init makes 3",
}


def test_a_layer_of_ones_own_passes():
    check_layer(Cube(), (4, 3))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_layer_is_caught(fault):
    with pytest.raises(AssertionError, match=FAULTS[fault]):
        check_layer(Cube(fault), (4, 3))


class KinkedReLU(ReLU):
    """A wrong gradient next to a kink must not pass as a kink: here 0.01 below zero counts as positive."""

    def forward(self, engine, v, x):
        return engine.relu(x)[0], x, {}

    def backward(self, engine, v, saved, dy):
        return dy * (saved > -0.01), {}


def test_a_kink_excuses_no_wrong_gradient(rng):
    check_layer(ReLU(), (30, 40))
    with pytest.raises(AssertionError, match="dx is wrong"):
        check_layer(KinkedReLU(), (30, 40))


def test_an_input_on_a_kink_is_a_failure_of_its_own():
    with pytest.raises(AssertionError, match=r"dx (is wrong|cannot be compared)"):
        check_layer(ReLU(), np.zeros((2, 3)))


class _Norm(BatchNorm2d):
    """Batch normalisation with mistakes in what only inference reads."""

    fault = ""

    def forward(self, engine, v, x):
        y, saved, stats = super().forward(engine, v, x)
        if self.fault == "mean":
            stats["running_mean"] = stats["running_mean"] + 0.01
        if self.fault == "variance":
            stats["running_var"] = stats["running_var"] ** 0.5
        if self.fault == "forgotten":
            del stats["running_var"]
        if self.fault == "stuck":
            stats["running_mean"] = v["running_mean"]
        if self.fault == "restless":
            stats["running_mean"] = engine.mix(v["running_mean"] ** 2, stats["running_mean"], 0.1)
        return y, saved, stats

    def freeze(self, v):
        if self.fault == "self":
            return self, v
        if self.fault == "eps":
            return BatchNorm2d(self.channels, eps=0.0).freeze(v)
        if self.fault == "written":
            v["weight"] += 1
        if self.fault == "batch":
            return _BatchMean(), {}
        return super().freeze(v)


@dataclass(frozen=True)
class _BatchMean(Layer):
    def forward(self, engine, v, x):
        return x - x.mean(axis=0), None, {}

    def backward(self, engine, v, saved, dy):
        return dy - dy.mean(axis=0), {}


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("mean", "not that of the layer"),
        ("variance", "not that of the layer|come to rest|never moves"),
        ("forgotten", "never gives the statistic running_var"),
        ("stuck", "running_mean never moves"),
        ("restless", "does not come to rest"),
        ("self", "still gives statistics"),
        ("eps", "not that of the layer"),
        ("written", "freeze wrote to the variable weight"),
        ("batch", "not that of the layer"),
    ],
)
def test_a_wrong_freeze_is_caught(fault, message):
    layer = type("Norm", (_Norm,), {"fault": fault})(3)
    with pytest.raises(AssertionError, match=message):
        check_layer(layer, (3, 4, 3, 3))


def test_init_must_follow_from_rng(engine):
    class Chance(Linear):
        def init(self, rng):
            return super().init(np.random.default_rng())

    with pytest.raises(AssertionError, match="not determined by rng"):
        check_layer(Chance(3, 2), (2, 3))


def test_a_description_that_forgets_is_caught(monkeypatch):
    monkeypatch.setattr("residua.testing.layer_check.describe", lambda layer: {"layer": "ReLU"})
    with pytest.raises(AssertionError, match="built again"):
        check_layer(ScaleShift(2), (2, 2))


class Rough(ReLU):
    """Deterministic, but with a kink every billionth."""

    def forward(self, engine, v, x):
        return x + 1e-4 * np.sin(1e9 * x.astype(np.float64)).astype(x.dtype), None, {}

    def backward(self, engine, v, saved, dy):
        return dy, {}


def test_a_function_without_slopes_is_not_excused():
    with pytest.raises(AssertionError, match=r"dx cannot be compared along .* after 8 attempts"):
        check_layer(Rough(), (2, 3))


@dataclass(frozen=True)
class Mask(Layer):
    """Chance that does not come from the engine's dropout, but does come from a key."""

    honest: bool = True

    def init(self, rng):
        return {"key": np.zeros(2, np.uint32)}

    def forward(self, engine, v, x):
        mask = np.random.default_rng(v["key"]).integers(0, 2, x.shape).astype(x.dtype)
        return x * mask, mask, {"key": v["key"] + np.array([0, 1], np.uint32)}

    def backward(self, engine, v, saved, dy):
        return dy * saved, {}

    def freeze(self, v):
        return (Identity(), {}) if self.honest else (self, v)


def test_chance_of_ones_own_needs_a_key_and_a_freeze():
    check_layer(Mask(), (3, 4))
    with pytest.raises(AssertionError, match="frozen: forward still gives statistics"):
        check_layer(Mask(honest=False), (3, 4))


def test_distance_of_arrays():
    assert distance(np.array([1.0, 2.0]), np.array([1.0, 4.0])) == 0.5
    assert distance(np.array([1e-9]), np.zeros(1), floor=1.0) == 1e-9
    assert distance(np.zeros((0, 3)), np.zeros((0, 3))) == 0
    assert distance(np.array([np.nan]), np.ones(1)) == np.inf
    assert distance(np.zeros(2), np.zeros((2, 1))) == np.inf


def test_inputs_are_distinct_and_never_zero(rng):
    for shape in ((1,), (3,), (2, 7), (4, 4)):
        x = distinct(rng, shape).ravel()
        assert len(np.unique(x)) == x.size
        assert np.abs(x).min() > 0
        assert np.abs(x).max() <= 2.5
