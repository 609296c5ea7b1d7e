"""Linear layers at the edge of memory."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from processes import run_python

pytest.importorskip("numba")


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
for n, i, o in ((5, 20, 10), (5, 64, 17), (3, 25, 31), (2, 20, 1000), (9, 33, 33), (1, 3, 5), (1, 21, 300)):
    shapes = (n, i), (i, o), o, (n, o)
    x, w, b, dy = (at_the_edge(rng.normal(size=shape).astype(np.float32)) for shape in shapes)
    y, saved = e.linear(x, w, b)
    exact, exact_saved = r.linear(x, w, b)
    mine = (y, *e.linear_backward(dy, w, saved))
    for a, c in zip(mine, (exact, *r.linear_backward(dy, w, exact_saved))):
        assert np.abs(e.plain(a) - c).max() < 2e-5 * np.abs(c).max()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs mprotect")
def test_linear_layers_read_nothing_beyond_their_arrays(engine):
    # Their kernels are made here, where a compiler runs already, and found by the other process.
    _, saved = engine.linear(np.ones((2, 20), np.float32), np.ones((20, 10), np.float32), None)
    engine.linear_backward(np.ones((2, 10), np.float32), np.ones((20, 10), np.float32), saved)
    done = run_python(EDGE)
    assert done.returncode == 0, done.stderr


def test_few_rows_are_multiplied_as_in_a_batch(engine):
    """They stream the weights another way, and so do very many: the order of sums is one."""
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(137, 203)).astype(np.float32), rng.normal(size=(203, 601)).astype(np.float32)
    bias = rng.normal(size=601).astype(np.float32)
    together = engine.plain(engine.linear(x, weight, bias)[0])
    assert np.allclose(together, x @ weight + bias, atol=1e-3)
    for count in (1, 2, 3, 4, 7, 8, 9, 17):
        alone = engine.plain(engine.linear(x[-count:], weight, bias)[0])
        assert np.array_equal(alone, together[-count:])


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_rows_are_the_same_for_any_number_of_threads(count):
    """Each thread has a piece of every row of the weights, as long as it can be."""
    from residua.engines.numba import NumbaEngine

    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(count, 64)).astype(np.float32), rng.normal(size=(64, 601)).astype(np.float32)
    answers, pieces = set(), []
    for threads in (1, 2, 4):
        engine = NumbaEngine(threads)
        run = engine.context.run
        engine.context.run = lambda *given, run=run, **options: (
            pieces.append(given[2]),
            run(*given, **options),
        )
        answers.add(engine.plain(engine.linear(x, weight, None)[0]).tobytes())
    assert len(answers) == 1
    assert pieces == [1, 2, 4]
