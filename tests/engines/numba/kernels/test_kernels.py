"""The kernels on other processors: vector widths, foreign instruction sets, the edges of arrays."""

from __future__ import annotations

import pytest
from processes import run_python

pytest.importorskip("numba")


COMPARE = """
import numpy as np
from residua.engines.numba import NumbaEngine
from residua.engines.numba.kernels.primitives.vector import WIDTH
from residua.engines.numba.planning import plan
from residua.engines.numpy.engine import NumpyEngine
plan.USUAL = frozenset({{3, 16}})  # vectors are the same in kernels made for other numbers of channels
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
@pytest.mark.exhaustive
@pytest.mark.parametrize(("width", "registers"), [(4, 16), (4, 32), (8, 16)])
def test_other_vectors_compute_the_same(width, registers):
    told = {"RESIDUA_VECTOR_WIDTH": str(width), "RESIDUA_VECTOR_REGISTERS": str(registers)}
    done = run_python(COMPARE.format(width=width, shapes=CONVOLUTIONS), **told)
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
from residua.engines.numba.kernels.products.operands import Left, Result, Right, Size
from residua.engines.numba.kernels.products.product import product
from residua.engines.numba.kernels.primitives.vector import KERNEL
from residua.engines.numba.kernels.primitives import vector_type
binding.initialize_all_targets()
binding.initialize_all_asmprinters()

def multiply(a, b, c):
    product(Left(a, 16, 0, 1), Right(b, 0, 16), Result(c, 16), Size(16, 16, 1, 16), 0)

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


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", TARGETS)
def test_kernels_compile_for_other_processors(name):
    width, target, word = TARGETS[name]
    done = run_python(CROSS.format(target=target, word=word), RESIDUA_VECTOR_WIDTH=str(width))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("compiled") == 10, done.stdout
