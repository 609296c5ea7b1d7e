"""The fast engine held to the reference: every operation, many shapes, whole networks, any threads."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from residua.config import OptimizerOptions
from residua.engines.numba import NumbaEngine
from residua.engines.numpy_engine import NumpyEngine
from residua.errors import ShapeError
from residua.layers import (
    BatchNorm2d,
    Conv2d,
    ConvNorm,
    Dropout,
    Flatten,
    GlobalAveragePool,
    Identity,
    Linear,
    MaxPool2d,
    ReLU,
    Residual,
    Sequential,
    SubsamplePad,
)
from residua.models.resnet import small_resnet
from residua.testing import check_engine
from residua.training.optimizers import make_optimizer
from residua.training.step import make_step, start_state
from residua.variables import flatten, transform

REFERENCE = NumpyEngine()
TOLERANCE = 2e-5


@pytest.fixture(scope="module")
def engine():
    return NumbaEngine(2)


def far(engine, mine, exact, floor=1e-2):
    """The largest difference relative to the largest number."""
    mine, exact = np.asarray(engine.plain(mine), np.float64), np.asarray(exact)
    assert mine.shape == exact.shape
    return np.abs(mine - exact).max(initial=0) / max(np.abs(exact).max(initial=0), floor)


def doubled(tree):
    return transform(lambda a: a.astype(np.float64) if a.dtype.kind == "f" else a, tree)


def test_contract(engine):
    check_engine(engine)


shapes = st.tuples(
    st.integers(1, 9),  # batch
    st.integers(1, 40),  # height
    st.integers(1, 40),  # width
    st.integers(1, 70),  # channels in
    st.integers(1, 70),  # channels out
    st.sampled_from([1, 2, 3, 3, 3, 5, 7]),  # kernel
    st.integers(1, 3),  # stride
    st.integers(0, 3),  # padding
)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(shape=shapes, seed=st.integers(0, 2**16))
def test_convolution_follows_the_reference(engine, shape, seed):
    n, h, w, c, k, kernel, stride, padding = shape
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, h, w, c)).astype(np.float32)
    weight = rng.normal(0, (kernel * kernel * c) ** -0.5, (kernel, kernel, c, k)).astype(np.float32)
    bias = rng.normal(size=k).astype(np.float32)
    options = {"stride": stride, "padding": padding}
    if kernel > min(h, w) + 2 * padding:
        with pytest.raises(ShapeError, match="kernel"):
            engine.conv2d(x, weight, bias, **options)
        return
    y, saved = engine.conv2d(x, weight, bias, **options)
    exact, exact_saved = REFERENCE.conv2d(*(a.astype(np.float64) for a in (x, weight, bias)), **options)
    dy = rng.normal(size=exact.shape).astype(np.float32)
    grads = engine.conv2d_backward(dy, weight, saved, **options)
    exact_grads = REFERENCE.conv2d_backward(
        dy.astype(np.float64), weight.astype(np.float64), exact_saved, **options
    )
    assert far(engine, y, exact) < TOLERANCE
    for name, mine, theirs in zip(("dx", "dweight", "dbias"), grads, exact_grads, strict=True):
        assert far(engine, mine, theirs) < TOLERANCE, name


def away_from_kinks(dy, y):
    """dy where the value before ReLU is not so near to zero that rounding decides."""
    return np.where(np.abs(y) > 1e-3, dy, 0)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(shape=shapes, relu=st.booleans(), seed=st.integers(0, 2**16))
def test_two_normalised_convolutions_follow_the_reference(engine, shape, relu, seed):
    """The second reads the first's unfinished value; gradients come back unfinished as well."""
    n, h, w, c, k, kernel, stride, padding = shape
    if kernel > min(h, w) + 2 * padding or n * h * w < 8:
        return
    rng = np.random.default_rng(seed)
    first, second = (
        {
            "weight": rng.normal(0, (9 * i) ** -0.5, (s, s, i, o)),
            "scale": 1 + rng.random(o),
            "shift": rng.random(o),
        }
        for s, i, o in ((3, c, c), (kernel, c, k))
    )
    x = rng.normal(size=(n, h, w, c))
    dy = rng.normal(
        size=((h + 2 * padding - kernel) // stride + 1, (w + 2 * padding - kernel) // stride + 1, k)
    )
    dy = np.broadcast_to(dy, (n, *dy.shape)) * rng.random((n, 1, 1, 1))

    def both(engine, dtype, dy):
        def cast(a):
            return np.asarray(a, dtype)

        one = {"stride": 1, "padding": 1, "relu": relu}
        two = {"stride": stride, "padding": padding, "relu": False}
        a, *_, saved_a = engine.conv_norm(cast(x), *map(cast, first.values()), eps=1e-3, **one)
        b, mean, var, saved_b = engine.conv_norm(a, *map(cast, second.values()), eps=1e-3, **two)
        da, *grads_b = engine.conv_norm_backward(
            cast(dy), cast(second["weight"]), cast(second["scale"]), saved_b, **two
        )
        dx, *grads_a = engine.conv_norm_backward(
            da, cast(first["weight"]), cast(first["scale"]), saved_a, **one
        )
        return [np.asarray(engine.plain(v), np.float64) for v in (b, mean, var, dx, *grads_b, *grads_a)]

    mine, exact = both(engine, np.float32, dy), both(REFERENCE, np.float64, dy)
    assert far(REFERENCE, mine[0], exact[0], 1) < 10 * TOLERANCE
    # A sign that rounding decides at ReLU changes single numbers of the gradients: compare as a whole.
    for a, b in zip(mine, exact, strict=True):
        assert np.linalg.norm(a - b) <= 2e-3 * np.linalg.norm(b) + 1e-3


def loss_and_gradients(network, engine, variables, x, labels):
    logits, saved, stats = network.forward(engine, variables, x)
    loss, dlogits = engine.softmax_cross_entropy(logits, labels)
    dx, grads = network.backward(engine, variables, saved, dlogits)
    return loss, dx, grads, stats


def numbers(engine, tree):
    return {name: np.asarray(engine.plain(leaf)) for name, leaf in flatten(tree).items()}


def sequence(*layers):
    return Sequential({str(number): layer for number, layer in enumerate(layers)})


def normed(c, k, kernel=3, stride=1, padding=1, relu=True):
    return ConvNorm(Conv2d(c, k, kernel, stride, padding), relu=relu)


def block(c, k, stride=1, shortcut=None):
    body = sequence(normed(c, k, stride=stride), normed(k, k, relu=False))
    return Residual(body, shortcut if shortcut is not None else Identity())


def head(c):
    return GlobalAveragePool(), Linear(c, 10)


NETWORKS = {
    "resnet8": (small_resnet(depth=8), (16, 16, 16, 3)),
    "resnet8 of width 10": (small_resnet(depth=8, width=10), (7, 15, 15, 3)),
    "resnet8 with projections": (small_resnet(depth=8, shortcut="B"), (6, 17, 12, 3)),
    "plain8": (small_resnet(depth=8, shortcut=None, channels=1), (8, 16, 16, 1)),
    "hidden layers and dropout": (small_resnet(depth=8, width=8, hidden=(20,), dropout=0.3), (5, 12, 12, 3)),
    "vgg": (sequence(normed(3, 16), normed(16, 16), MaxPool2d(), normed(16, 32), *head(32)), (8, 16, 16, 3)),
    "separate layers": (
        sequence(Conv2d(3, 16, bias=True), BatchNorm2d(16), ReLU(), Conv2d(16, 32, relu=True), MaxPool2d(3, 2, 1),
                 Conv2d(32, 5, 5, 2, 3), ReLU(), Flatten(), Dropout(0.2), Linear(5 * 5 * 5, 10)),
        (6, 16, 16, 3),
    ),
    "plain convolution between": (sequence(normed(3, 16), Conv2d(16, 16), normed(16, 16), *head(16)), (8, 16, 16, 3)),
    "residual in residual": (
        sequence(normed(3, 16, relu=False), Residual(Residual(sequence(normed(16, 16), normed(16, 16, relu=False)))),
                 *head(16)),
        (8, 16, 16, 3),
    ),
    "bodies of one convolution": (
        sequence(normed(3, 16), Residual(normed(16, 16, relu=False)), Residual(normed(16, 16, relu=False)), *head(16)),
        (8, 16, 16, 3),
    ),
    "two convolutions read one value": (
        sequence(normed(3, 16), Residual(sequence(normed(16, 16), normed(16, 16, relu=False)),
                                         normed(16, 16, relu=False)), *head(16)),
        (8, 16, 16, 3),
    ),
    "subsampled by three, 16 to 48": (
        sequence(normed(3, 16), block(16, 48, 3, SubsamplePad(16, 48, 3)), *head(48)), (8, 16, 16, 3)),
    "subsampled odd pictures, 16 to 33": (
        sequence(normed(3, 16), block(16, 33, 2, SubsamplePad(16, 33, 2)), block(33, 33), *head(33)), (8, 15, 15, 3)),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_network_follows_the_reference(engine, name):
    network, shape = NETWORKS[name]
    rng = np.random.default_rng(3)
    variables = network.init(rng)
    x, labels = rng.normal(size=shape).astype(np.float32), rng.integers(0, 10, shape[0])
    run = engine.compile(lambda *a: loss_and_gradients(network, engine, *a))
    mine = run(variables, x, labels)
    single = loss_and_gradients(network, REFERENCE, variables, x, labels)
    exact = loss_and_gradients(network, REFERENCE, doubled(variables), x.astype(np.float64), labels)
    assert abs(float(mine[0]) - float(exact[0])) < 1e-5 * abs(float(exact[0]))
    assert sorted(flatten(mine[2])) == sorted(flatten(exact[2]))

    def whole(results):
        found = numbers(engine, results[2]) | {"dx": np.asarray(engine.plain(results[1]))}
        return np.concatenate([found[key].astype(np.float64).ravel() for key in sorted(found)])

    truth = whole(exact)
    size = np.linalg.norm(truth)
    # ReLU's signs make float32's own distance vary by a factor from run to run.
    allowed = 4 * np.linalg.norm(whole(single) - truth) / size + 1e-4
    assert np.linalg.norm(whole(mine) - truth) / size < allowed
    for path, value in numbers(engine, mine[3]).items():
        assert far(engine, value, flatten(exact[3])[path]) < 1e-4, path
    assert numbers(engine, variables).keys() == flatten(variables).keys()


def trained(engine, steps=3):
    """All variables and slots after some steps, as bytes."""
    network = small_resnet(depth=8)
    rng = np.random.default_rng(5)
    options = OptimizerOptions()
    state = start_state(network.init(rng), make_optimizer(options), 0.0)
    x, labels = rng.normal(size=(25, 32, 32, 3)).astype(np.float32), rng.integers(0, 10, 25)
    step = make_step(network, engine, options)
    for _ in range(steps):
        state, results = step(state, x, labels, None, 0.1)
    assert np.isfinite(results["loss"])
    return b"".join(np.asarray(value).tobytes() for value in flatten(state).values())


def test_same_bytes_for_any_number_of_threads():
    results = {threads: trained(NumbaEngine(threads)) for threads in (1, 2, 3, 4)}
    assert len(set(results.values())) == 1
    assert trained(NumbaEngine(2)) == results[2]


def test_outside_compile_gives_the_same(engine):
    network = small_resnet(depth=8)
    rng = np.random.default_rng(7)
    variables = network.init(rng)
    x, labels = rng.normal(size=(9, 16, 16, 3)).astype(np.float32), rng.integers(0, 10, 9)
    inside = engine.compile(lambda *a: loss_and_gradients(network, engine, *a))(variables, x, labels)
    outside = loss_and_gradients(network, engine, variables, x, labels)
    for name, value in numbers(engine, outside[2]).items():
        np.testing.assert_array_equal(value, flatten(inside[2])[name])


def test_two_python_threads_share_an_engine(engine):
    alone = trained(engine)
    results = {}

    def work(name):
        results[name] = trained(engine)

    workers = [threading.Thread(target=work, args=(name,)) for name in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert list(results.values()) == [alone] * 3


def test_no_memory_is_made_after_the_first_steps(engine):
    network = small_resnet(depth=8)
    rng = np.random.default_rng(0)
    variables = network.init(rng)
    x, labels = rng.normal(size=(16, 32, 32, 3)).astype(np.float32), rng.integers(0, 10, 16)
    run = engine.compile(lambda *a: loss_and_gradients(network, engine, *a)[::2])
    for _ in range(3):
        result = run(variables, x, labels)
    made = engine.machine.pool.made
    for _ in range(3):
        result = run(variables, x, labels)
    assert engine.machine.pool.made == made
    assert np.isfinite(result[0])


@pytest.mark.parametrize(
    "form", ["read-only", "reversed", "every second", "misaligned", "big-endian", "fortran"]
)
def test_unusual_arrays(engine, form):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 8, 8, 16)).astype(np.float32)
    weight = rng.normal(size=(3, 3, 16, 16)).astype(np.float32) / 12
    given = {
        "read-only": lambda: x.copy(),
        "reversed": lambda: x[::-1].copy()[::-1],
        "every second": lambda: np.repeat(x, 2, axis=2)[:, :, ::2],
        "misaligned": lambda: (
            np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(np.float32).reshape(x.shape)
        ),
        "big-endian": lambda: x.astype(">f4"),
        "fortran": lambda: np.asfortranarray(x),
    }[form]()
    if form == "read-only":
        given.flags.writeable = False
    exact, _ = REFERENCE.conv2d(x.astype(float), weight.astype(float), None, stride=1, padding=1)
    y, saved = engine.conv2d(given, weight, None, stride=1, padding=1)
    assert far(engine, y, exact) < TOLERANCE
    dx, dweight, dbias = engine.conv2d_backward(given, weight, saved, stride=1, padding=1)
    assert all(np.isfinite(engine.plain(g)).all() for g in (dx, dweight, dbias))


@pytest.mark.parametrize("dtype", [np.float64, np.float16])
def test_other_precisions_go_to_the_reference(engine, dtype):
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(2, 6, 6, 3)).astype(dtype), rng.normal(size=(3, 3, 3, 4)).astype(dtype)
    y, _ = engine.conv2d(x, weight, None, stride=1, padding=1)
    np.testing.assert_array_equal(y, REFERENCE.conv2d(x, weight, None, stride=1, padding=1)[0])
    assert y.dtype == dtype


def test_nothing_in_nothing_out(engine):
    x, weight = np.zeros((0, 8, 8, 16), np.float32), np.zeros((3, 3, 16, 16), np.float32)
    y, _ = engine.conv2d(x, weight, None, stride=1, padding=1)
    assert engine.plain(y).shape == (0, 8, 8, 16)


def test_wrong_channels_are_named(engine):
    with pytest.raises(ShapeError, match="16 channels"):
        engine.conv2d(np.zeros((2, 8, 8, 3), np.float32), np.zeros((3, 3, 16, 16), np.float32), None,
                      stride=1, padding=1)  # fmt: skip


def test_not_a_number_stays_visible(engine):
    network = small_resnet(depth=8)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 16, 16, 3)).astype(np.float32)
    x[1, 3, 3, 0] = np.nan
    logits, _, _ = network.forward(engine, network.init(rng), x)
    assert np.isnan(engine.plain(logits)).all()


def run_python(code, **environment):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=os.environ | environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


SMALL = """
import numpy as np
from residua.engines.numba import NumbaEngine
e = NumbaEngine(2)
x = np.ones((2, 4, 4, 3), np.float32)
y, _ = e.conv2d(x, np.ones((1, 1, 3, 4), np.float32), None, stride=1, padding=0)
assert (e.plain(y) == 3).all()
"""


def test_unwritable_cache_costs_one_line(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    done = run_python(SMALL, RESIDUA_KERNEL_CACHE=str(blocked))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\n") == 1
    assert "cannot be written" in done.stderr


def test_second_process_compiles_nothing(tmp_path):
    code = SMALL + "print(e.machine.kernels.compiled)"
    assert run_python(code, RESIDUA_KERNEL_CACHE=str(tmp_path)).stdout.strip() != "0"
    again = run_python(code, RESIDUA_KERNEL_CACHE=str(tmp_path))
    assert (again.stdout.strip(), again.stderr) == ("0", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_computes_the_same():
    code = (
        SMALL
        + """
import os, warnings
warnings.simplefilter("ignore")
f = e.compile(lambda x: e.conv2d(x, np.ones((3, 3, 3, 4), np.float32), None, stride=1, padding=1)[0])
a = f(x)
child = os.fork()
if child == 0:
    os._exit(0 if (f(x) == a).all() else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert (f(x) == a).all()
"""
    )
    done = run_python(code)
    assert done.returncode == 0, done.stderr
