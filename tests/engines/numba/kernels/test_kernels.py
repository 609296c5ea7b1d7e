"""The kernels' machinery: transforms, vector widths, other processors, the cache, processes."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from tiers import draw

pytest.importorskip("numba")

from residua.engines.numba import NumbaEngine
from residua.engines.numba.kernels.winograd import transforms
from residua.engines.numba.planning import convolution as plans
from residua.engines.numba.runtime import processor
from residua.engines.numpy.engine import NumpyEngine


class Exact:
    """What `transforms.Algebra` does, on NumPy vectors."""

    def add(self, x, y):
        return x + y

    def sub(self, x, y):
        return x - y

    def mul(self, factor, x):
        return factor * x

    def fma(self, factor, x, y):
        return factor * x + y


def matrix(function, size):
    return np.array(function(Exact(), list(np.eye(size))))


def test_winograd_is_a_convolution():
    patch, kernel = np.random.default_rng(0).normal(size=(2, 6, 6))
    kernel = kernel[:3, :3]
    b, g, a = (matrix(f, n) for f, n in ((transforms.patch, 6), (transforms.kernel, 3), (transforms.tile, 6)))
    tile = a @ ((g @ kernel @ g.T) * (b @ patch @ b.T)) @ a.T
    exact = [[(patch[i : i + 3, j : j + 3] * kernel).sum() for j in range(4)] for i in range(4)]
    np.testing.assert_allclose(tile, exact, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("forward", "size", "backward", "result"),
    [
        (transforms.patch, 6, transforms.patch_back, 6),
        (transforms.tile, 6, transforms.spread, 4),
        (transforms.kernel, 3, transforms.kernel_back, 6),
    ],
)
def test_backward_transforms_are_the_transposed(forward, size, backward, result):
    np.testing.assert_allclose(matrix(forward, size), matrix(backward, result).T, rtol=1e-12, atol=1e-12)


def run_python(code, **environment):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


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
    code = SMALL + "print(e.context.kernels.compiled)"
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


COMPARE = """
import numpy as np
from residua.engines.numba import NumbaEngine
from residua.engines.numba.kernels.primitives.vector import WIDTH
from residua.engines.numpy.engine import NumpyEngine
e, r, rng = NumbaEngine(2), NumpyEngine(), np.random.default_rng(0)
assert WIDTH == {width}
for c, k, kernel, stride in {shapes}:
    x = rng.normal(size=(9, 11, 9, c)).astype(np.float32)
    w = rng.normal(size=(kernel, kernel, c, k)).astype(np.float32) / np.float32(kernel * c ** 0.5)
    options = dict(stride=stride, padding=kernel // 2)
    y, saved = e.conv2d(x, w, None, **options)
    exact, exact_saved = r.conv2d(x.astype(float), w.astype(float), None, **options)
    dy = rng.normal(size=exact.shape).astype(np.float32)
    mine = (y, *e.conv2d_backward(dy, w, saved, **options))
    theirs = (exact, *r.conv2d_backward(dy.astype(float), w.astype(float), exact_saved, **options))
    for a, b in zip(mine, theirs):
        assert np.abs(e.plain(a) - b).max() < 2e-5 * np.abs(b).max()
"""


# Channels in and out, kernel, stride.
CONVOLUTIONS = [
    *((5, 17, 3, 1), (17, 33, 3, 1), (12, 20, 3, 2), (132, 140, 3, 1), (132, 140, 3, 2), (20, 12, 1, 1)),
    *((132, 268, 1, 1), (7, 9, 5, 2), (3, 20, 3, 1), (3, 36, 7, 2)),
]


# NEON has short vectors and many registers; AVX-512 has as many, of any width.
@pytest.mark.sample(1)
@pytest.mark.parametrize(("width", "registers"), [(4, 16), (4, 32), (8, 16)])
def test_other_vectors_compute_the_same(width, registers):
    told = {"RESIDUA_VECTOR_WIDTH": str(width), "RESIDUA_VECTOR_REGISTERS": str(registers)}
    done = run_python(COMPARE.format(width=width, shapes=draw(CONVOLUTIONS, 2)), **told)
    assert done.returncode == 0, done.stderr


CROSS = """
from llvmlite import binding
from numba import njit, types
from residua.engines.numba.kernels.linear import product as linear
from residua.engines.numba.kernels.linear import softmax
from residua.engines.numba.kernels.normalization import passes
from residua.engines.numba.kernels.pooling import backward as pooling
from residua.engines.numba.kernels.updates import optimizers
from residua.engines.numba.kernels.weights import winograd as weights
from residua.engines.numba.kernels.winograd import many_channels
from residua.engines.numba.kernels.products.product import product
from residua.engines.numba.kernels.primitives.vector import KERNEL
binding.initialize_all_targets()
binding.initialize_all_asmprinters()

def multiply(a, b, c):
    product(a, 16, 0, 1, b, 0, 16, c, 16, 16, 16, 1, 16, 0)

kernels = [
    *(weights.transform_weight, weights.transform_transposed, passes.normalize, pooling.backward),
    *(linear.input_gradient, softmax.softmax, optimizers.update, many_channels.scatter, many_channels.gather),
]
for function in (multiply, *kernels):
    compiled = njit(**KERNEL)(function)
    signature = (types.int64,) * function.__code__.co_argcount
    compiled.compile(signature)
    text = compiled.inspect_llvm(signature)
    told = ("target triple", "target datalayout")
    lines = [line for line in text.splitlines() if not line.startswith(told)]
    module = binding.parse_assembly("\\n".join(lines))
    triple, cpu, abilities = {target!r}
    module.triple = triple
    machine = binding.Target.from_triple(triple).create_target_machine(cpu=cpu, features=abilities, opt=2)
    assert {word!r} in machine.emit_assembly(module) or function is softmax.softmax, function
    print("compiled", function.__name__)
"""

TARGETS = {
    "NEON": (4, ("aarch64-unknown-linux-gnu", "cortex-a72", ""), "fmla"),
    "AVX2": (8, ("x86_64-unknown-linux-gnu", "haswell", ""), "vfmadd"),
    "AVX-512": (16, ("x86_64-unknown-linux-gnu", "skylake-avx512", ""), "zmm"),
}


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", TARGETS)
def test_kernels_compile_for_other_processors(name):
    width, target, word = TARGETS[name]
    done = run_python(CROSS.format(target=target, word=word), RESIDUA_VECTOR_WIDTH=str(width))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("compiled") == 10, done.stdout


EDGE = """
import ctypes, mmap
import numpy as np
from residua.engines.numba import NumbaEngine
from residua.engines.numpy.engine import NumpyEngine

def at_the_edge(array):
    size = -(-array.nbytes // mmap.PAGESIZE) * mmap.PAGESIZE
    memory = mmap.mmap(-1, size + mmap.PAGESIZE)
    start = np.frombuffer(memory, np.uint8).ctypes.data
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.mprotect(ctypes.c_void_p(start + size), mmap.PAGESIZE, 0) == 0
    placed = np.frombuffer(memory, array.dtype, array.size, size - array.nbytes).reshape(array.shape)
    placed[...] = array
    return placed

e, r, rng = NumbaEngine(2), NumpyEngine(), np.random.default_rng(0)
for n, i, o in ((5, 20, 10), (5, 64, 17), (3, 25, 31), (2, 20, 1000), (9, 33, 33), (1, 3, 5)):
    shapes = (n, i), (i, o), o, (n, o)
    x, w, b, dy = (at_the_edge(rng.normal(size=shape).astype(np.float32)) for shape in shapes)
    y, saved = e.linear(x, w, b)
    exact, exact_saved = r.linear(x, w, b)
    mine = (y, *e.linear_backward(dy, w, saved))
    for a, c in zip(mine, (exact, *r.linear_backward(dy, w, exact_saved))):
        assert np.abs(e.plain(a) - c).max() < 2e-5 * np.abs(c).max()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs mprotect")
def test_linear_layers_read_nothing_beyond_their_arrays():
    done = run_python(EDGE)
    assert done.returncode == 0, done.stderr


def test_the_second_process_makes_what_it_is_asked_for(tmp_path):
    lines = "linear.softmax softmax\nupdates.reductions reduce_pieces 0 0 0 0\n"
    command = [sys.executable, "-W", "ignore", "-m", "residua.engines.numba.runtime.compile_worker"]
    environment = os.environ | {"RESIDUA_KERNEL_CACHE": str(tmp_path)}
    done = subprocess.run(command, input=lines, env=environment, capture_output=True, text=True, check=True)
    expected = [f"{word} {line}" for line in lines.splitlines() for word in ("begin", "done")]
    assert done.stdout.splitlines() == expected
    assert len(list(tmp_path.rglob("*.nbc"))) == 2


LAYER_BY_LAYER = """Sequential(
    {"conv": ConvNorm(Conv2d(3, 5)), "pool": GlobalAveragePool(), "head": Linear(5, 10)}
)"""


@pytest.mark.parametrize(
    "network",
    [
        pytest.param(LAYER_BY_LAYER, id="three layers"),
        pytest.param("small_resnet(depth=8, width=5)", id="resnet8", marks=pytest.mark.exhaustive),
    ],
)
def test_warming_fills_the_cache(tmp_path, network):
    code = f"""
from residua.engines.numba import NumbaEngine
from residua.training.warm_up import warm
from residua.layers import Conv2d, ConvNorm, GlobalAveragePool, Linear, Sequential
from residua.models.architectures.small_resnet import small_resnet
print(warm({network}, (8, 8, 3), NumbaEngine(1)))
"""
    first = run_python(code, RESIDUA_KERNEL_CACHE=str(tmp_path))
    assert int(first.stdout) > 0, first.stderr
    second = run_python(code, RESIDUA_KERNEL_CACHE=str(tmp_path))
    assert (second.stdout.strip(), second.stderr) == ("0", "")


def test_cache_sizes_are_read_as_linux_tells_them(tmp_path, monkeypatch):
    monkeypatch.setattr(processor, "_CACHES", tmp_path)
    ask = processor.second_level_cache.__wrapped__
    assert ask() == processor.USUAL_CACHE  # nothing is told
    for number, (level, size) in enumerate([("1", "48K"), ("2", "2048K"), ("3", "480M")]):
        (tmp_path / f"index{number}").mkdir()
        (tmp_path / f"index{number}" / "level").write_text(level + "\n")
        (tmp_path / f"index{number}" / "size").write_text(size + "\n")
    assert ask() == 2**21
    (tmp_path / "index1" / "size").write_text("much\n")
    assert ask() == processor.USUAL_CACHE


def test_a_stride_with_many_weights_is_transformed_where_that_pays():
    """Enough pictures for the weights' transforms, and maps that fill their tiles."""

    def way(count, size, c, k):
        chosen = plans.plan(count, size, size, c, k, 3, 2, 1)
        return f"{chosen.method}, {'one product a place' if chosen.many_channels else 'by pictures'}"

    assert way(64, 8, 128, 256) == way(8, 28, 256, 256) == "winograd, one product a place"
    assert way(8, 8, 128, 256) == way(64, 4, 256, 512) == way(8, 14, 512, 512) == "im2col, by pictures"
    assert way(64, 32, 64, 128) == "winograd, by pictures"


@pytest.mark.sample(1)
@pytest.mark.parametrize("megabytes", [0.5, 1, 2])
def test_results_are_right_whatever_the_cache(megabytes, monkeypatch):
    """How many tiles are worked on at a time depends on it."""
    monkeypatch.setattr(plans, "second_level_cache", lambda: int(megabytes * 2**20))
    plans.plan.cache_clear()
    try:
        rng = np.random.default_rng(0)
        engine, reference = NumbaEngine(2), NumpyEngine()
        for c, k, size, stride in [(16, 16, 18, 1), (32, 64, 17, 2), (64, 64, 9, 1), (128, 128, 12, 1)]:
            x = rng.normal(size=(9, size, size, c)).astype(np.float32)
            weight = rng.normal(0, (9 * c) ** -0.5, (3, 3, c, k)).astype(np.float32)
            options = {"stride": stride, "padding": 1}
            y, saved = engine.conv2d(x, weight, None, **options)
            exact, exactly = reference.conv2d(*(a.astype(np.float64) for a in (x, weight)), None, **options)
            dy = rng.normal(size=exact.shape).astype(np.float32)
            found = [y, *engine.conv2d_backward(dy, weight, saved, **options)[:2]]
            right = [exact, *reference.conv2d_backward(dy.astype(np.float64), weight, exactly, **options)[:2]]
            for mine, other in zip(found, right, strict=True):
                assert np.abs(engine.plain(mine) - other).max() <= 2e-5 * np.abs(other).max()
    finally:
        plans.plan.cache_clear()
