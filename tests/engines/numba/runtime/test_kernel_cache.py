"""Compiled kernels: kept on disk, made by a second process, usable after a fork; the size of the cache."""

from __future__ import annotations

import os

import pytest
from processes import run_python

pytest.importorskip("numba")


# The kernel that is made soonest, for as many rows as two threads share.
SMALL = """
import numpy as np
from residua.engines.numba import NumbaEngine
e = NumbaEngine(2)
x = np.ones((3000, 4), np.float32)
assert np.allclose(e.plain(e.softmax(x)), 0.25)
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
f = e.compile(lambda x: e.softmax(x))
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


LAYER_BY_LAYER = """Sequential(
    {"conv": ConvNorm(Conv2d(3, 5)), "pool": GlobalAveragePool(), "head": Linear(5, 10)}
)"""


@pytest.mark.parametrize(
    "network",
    [
        pytest.param(LAYER_BY_LAYER, id="three layers", marks=pytest.mark.exhaustive),
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
