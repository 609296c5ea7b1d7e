"""Every check of `check_engine` is able to fail."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from residua.engines import Engine
from residua.engines.numpy.engine import NumpyEngine
from residua.testing import check_engine, engine_check


def broken(**members):
    """An engine with some operations replaced."""
    return type("Broken", (NumpyEngine,), members)()


def spoiled(name, change):
    """The operation of that name, its results passed through `change`."""

    def operation(self, *arguments, **options):
        return change(getattr(NumpyEngine, name)(self, *arguments, **options))

    operation.__signature__ = inspect.signature(getattr(NumpyEngine, name))
    return {name: operation}


def first_times(factor):
    return lambda results: (results[0] * np.float32(factor), *results[1:])


PAIRED = [name for name in engine_check._operations() if hasattr(Engine, f"{name}_backward")]


@pytest.fixture
def alone(monkeypatch):
    """Leaves the cases of the other operations out, which others try."""

    def chosen(wanted=None):
        for name in engine_check.CASES:
            if name != wanted:
                monkeypatch.setitem(engine_check.CASES, name, lambda rng: ())

    return chosen


@pytest.mark.parametrize("name", PAIRED)
def test_a_wrong_result_is_caught(name, alone):
    alone(name)
    with pytest.raises(AssertionError, match=rf"Broken\.{name} .*result 0"):
        check_engine(broken(**spoiled(name, first_times(1 + 1e-4))))


@pytest.mark.parametrize("name", PAIRED)
def test_a_wrong_gradient_is_caught(name, alone):
    alone(name)
    name = f"{name}_backward"

    def change(results):
        return first_times(1 + 1e-4)(results) if isinstance(results, tuple) else results * np.float32(1.0001)

    with pytest.raises(AssertionError, match=rf"Broken\.{name} .*result 0"):
        check_engine(broken(**spoiled(name, change)))


UNPAIRED = ["add", "crop_and_flip", "softmax", "count_correct", "take_channels"]
LOSSES = [
    "softmax_cross_entropy",
    "negative_log_likelihood",
    "margin_loss",
    "mean_squared_error",
    "binary_cross_entropy",
]


@pytest.mark.parametrize("name", UNPAIRED)
def test_a_wrong_plain_result_is_caught(name, alone):
    alone(name)
    with pytest.raises(AssertionError, match=rf"Broken\.{name} "):
        check_engine(broken(**spoiled(name, lambda y: y + 1)))


@pytest.mark.parametrize("name", ["mix", "scale"])
def test_a_wrong_list_is_caught(name, alone):
    alone()

    def change(results):
        return [*results[:-1], results[-1] * np.float32(1 + 1e-4)]

    with pytest.raises(AssertionError, match=rf"Broken\.{name} "):
        check_engine(broken(**spoiled(name, change)))


@pytest.mark.parametrize(
    ("name", "change"), [("norm", lambda y: y * np.float32(1.0001)), ("finite", lambda y: True)]
)
def test_a_wrong_sum_over_lists_is_caught(name, change, alone):
    alone()
    with pytest.raises(AssertionError, match=rf"Broken\.{name}"):
        check_engine(broken(**spoiled(name, change)))


@pytest.mark.parametrize("place", range(2))
@pytest.mark.parametrize("name", LOSSES)
def test_a_wrong_loss_or_its_gradient_is_caught(name, place, alone):
    alone(name)

    def change(results):
        return tuple(r + np.float32(1e-3 * (i == place)) for i, r in enumerate(results))

    with pytest.raises(AssertionError, match=rf"Broken\.{name} .*result {place}"):
        check_engine(broken(**spoiled(name, change)))


@pytest.mark.sample(1, by="rule")
@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("rule", ["sgd", "adam", "rmsprop"])
def test_a_wrong_update_is_caught(rule, place, alone):
    alone()

    def change(results):
        wrong = min(place, len(results) - 1)
        return tuple([r * np.float32(1 + 1e-4 * (i == wrong)) for r in rs] for i, rs in enumerate(results))

    with pytest.raises(AssertionError, match=rf"Broken\.{rule} "):
        check_engine(broken(**spoiled(rule, change)))


class LastMaximum(NumpyEngine):
    """Of equal numbers the last takes the gradient."""

    def max_pool(self, x, *, kernel, stride, padding):
        y, (shape, _) = super().max_pool(x, kernel=kernel, stride=stride, padding=padding)
        return y, (shape, x)

    def max_pool_backward(self, dy, saved, *, kernel, stride, padding):
        _, x = saved
        options = {"kernel": kernel, "stride": stride, "padding": padding}
        turned = x[:, ::-1, ::-1]
        _, saved = NumpyEngine().max_pool(turned, **options)
        return super().max_pool_backward(dy[:, ::-1, ::-1], saved, **options)[:, ::-1, ::-1]


class SmallPrint(NumpyEngine):
    """relu_backward lets the gradient through at exactly zero."""

    def relu_backward(self, dy, saved):
        return dy * (saved >= 0)


class Naive(NumpyEngine):
    """Overflows for large logits."""

    def softmax(self, logits):
        with np.errstate(all="ignore"):
            e = np.exp(logits)
            return e / e.sum(axis=1, keepdims=True)


class Writer(NumpyEngine):
    """Rectifies in place."""

    def relu(self, x):
        if x.flags.writeable:
            np.maximum(x, 0, out=x)
        return super().relu(x)


class BackwardWriter(NumpyEngine):
    """Masks in place."""

    def relu_backward(self, dy, saved):
        result = super().relu_backward(dy, saved)
        if dy.flags.writeable:
            dy[...] = 7
        return result


class Wide(NumpyEngine):
    """Computes in float64 whatever comes."""

    def linear(self, x, weight, bias):
        y, saved = super().linear(x, weight, bias)
        return y.astype(np.float64), saved


class Cancelling(NumpyEngine):
    """The variance as mean of squares less squared mean, in float32."""

    def batch_norm(self, x, scale, shift, *, eps, relu=False):
        y, mean, _, saved = super().batch_norm(x, scale, shift, eps=eps, relu=relu)
        axes = tuple(range(x.ndim - 1))
        return y, mean, (x * x).mean(axis=axes) - mean * mean, saved


class Generous(NumpyEngine):
    """Gives one result too many."""

    def softmax_cross_entropy(self, logits, labels, *, smoothing=0.0, weights=None):
        loss, dlogits = super().softmax_cross_entropy(logits, labels, smoothing=smoothing, weights=weights)
        return loss, dlogits, dlogits


class Flat(NumpyEngine):
    """Loses an axis."""

    def flatten_backward(self, dy, saved):
        return dy


class Demanding(NumpyEngine):
    """Takes an argument more."""

    def add(self, a, b, c=0):
        return a + b + c


class Renaming(NumpyEngine):
    """Calls an argument otherwise."""

    def average_pool(self, x, *, size, stride, padding):
        return super().average_pool(x, kernel=size, stride=stride, padding=padding)


class Greedy(NumpyEngine):
    """A compiled step that writes to what was not donated."""

    def compile(self, step, donate=()):
        def compiled(*arguments):
            results = step(*arguments)
            for argument in arguments:
                if isinstance(argument, np.ndarray) and argument.flags.writeable:
                    argument[...] = 0
            return results

        return compiled


class Remembering(NumpyEngine):
    """A compiled step that answers every call as it did the first."""

    def compile(self, step, donate=()):
        seen = []

        def compiled(*arguments):
            if not seen:
                seen.append(step(*arguments))
            return seen[0]

        return compiled


class Undecided(NumpyEngine):
    """Always computes."""

    def when(self, flag, compute, otherwise):
        return compute()


class Counting(NumpyEngine):
    """Counts in floating point."""

    def size(self, x):
        return float(x.size)


class Forgetful(NumpyEngine):
    """Shared values are spoiled."""

    def share(self, x):
        return x * 0


class Halfway(NumpyEngine):
    """Right in every operation, but a fused pair of operations is wrong in a network."""

    def share(self, x):
        return x * np.float32(1.01) if x.ndim == 4 else x


# What is broken, the operation whose cases show it (none: checks of another kind), and the words.
@pytest.mark.parametrize(
    ("engine", "operation", "message"),
    [
        (LastMaximum, "max_pool", r"max_pool_backward .*result 0"),
        (SmallPrint, "relu", "relu_backward"),
        (Naive, "softmax", "softmax .*not finite"),
        (Writer, "relu", "relu .*x was written to"),
        (BackwardWriter, "relu", "backward wrote to dy"),
        (Wide, "linear", "linear .*float64 for inputs in float32"),
        (Cancelling, "batch_norm", r"batch_norm .*result 2"),
        (Generous, "softmax_cross_entropy", "gave 3 results instead of 2"),
        (Flat, "flatten", r"flatten_backward .*result 0 is \(1, 1\) instead of \(1, 1, 1, 1\)"),
        (Demanding, None, r"add takes \(self, a, b, c=0\); the vocabulary says \(self, a, b\)"),
        (Renaming, None, "average_pool takes"),
        (Greedy, None, "not donated"),
        (Remembering, None, "compiled step gave other numbers"),
        (Undecided, None, "when took the wrong side"),
        (Counting, None, r"size says 6\.0"),
        (Forgetful, None, "share: two readers"),
        (Halfway, None, "losses of a small network"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_broken_engine_is_caught(engine, operation, message, alone):
    alone(operation)
    with pytest.raises(AssertionError, match=message):
        check_engine(engine())


def test_a_new_operation_without_a_case_is_noticed(engine, monkeypatch):
    monkeypatch.setattr(Engine, "swish", lambda self, x: x, raising=False)
    with pytest.raises(AssertionError, match="no case for the operations swish"):
        check_engine(engine)


def test_an_engine_that_lacks_an_operation_is_named():
    partial = type("Partial", (), {"name": "partial", "xp": np})()
    with pytest.raises(AssertionError, match="Partial has no operation adam"):
        check_engine(partial)
    members = {name: getattr(NumpyEngine, name) for name in engine_check._operations()}
    with pytest.raises(AssertionError, match="Partial has no attribute name"):
        check_engine(type("Partial", (), members)())
