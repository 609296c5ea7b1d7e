"""Compiled kernels: kept on disk, made by a second process, usable after a fork; the size of the cache."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from processes import run_python

pytest.importorskip("numba")
from residua.engines.numba.runtime import kernel_files

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


def test_an_unwritable_cache_costs_each_process_one_compiling(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    code = """
from residua.engines.numba import NumbaEngine
import numpy as np
for _ in range(3):
    e = NumbaEngine(1)
    e.softmax(np.ones((2, 3), np.float32))
    print(e.context.kernels.compiled)
"""
    done = run_python(code, RESIDUA_KERNEL_CACHE=str(blocked))
    assert done.returncode == 0, done.stderr
    assert len(set(done.stdout.split())) == 1
    assert done.stderr.count("cannot be written") == 1


def test_two_processes_at_once_compile_each_kernel_once(tmp_path):
    code = SMALL + "print(e.context.kernels.compiled)"
    # Helpers would compile some of them, uncounted.
    code = "import residua.engines.numba.runtime.kernel_cache as k; k.CompileHelpers = lambda: None\n" + code
    with ThreadPoolExecutor(2) as pair:
        run = partial(run_python, RESIDUA_KERNEL_CACHE=str(tmp_path))
        done = list(pair.map(run, [code, code]))
    assert [process.returncode for process in done] == [0, 0], done
    made = len({file.name for file in tmp_path.rglob("*") if file.suffix == ".o"})
    assert sum(int(process.stdout) for process in done) == made


@pytest.mark.parametrize("left", [b"", b"half a kernel", bytes(40)])
def test_a_damaged_kernel_is_compiled_anew(tmp_path, left):
    path = tmp_path / "kernel.o"
    path.write_bytes(left)
    assert kernel_files.read(path) is None
    kernel_files.write(path, b"code")
    assert kernel_files.read(path) == b"code"
    assert [file.name for file in tmp_path.iterdir()] == ["kernel.o"]


def test_a_lock_that_nobody_gives_back_holds_nobody_up(tmp_path, monkeypatch):
    monkeypatch.setattr(kernel_files, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(kernel_files, "_taken", lambda folder, place: False)
    with kernel_files.alone(tmp_path / "kernel.o"):
        pass


def test_what_killed_processes_left_is_removed(tmp_path, monkeypatch):
    """Of a process that is gone; not of one on another computer that shares the folder."""
    from residua.engines.numba.runtime.kernel_cache import KernelCache
    from residua.files.durable import temporary_for

    monkeypatch.setenv("RESIDUA_KERNEL_CACHE", str(tmp_path))
    folder = kernel_files.cache_folder()
    folder.mkdir()
    running = temporary_for(folder / "kernel.o").name
    gone = running.replace(f".{os.getpid()}-", ".999999999-")
    away = f".kernel.o.{os.getpid()}-00000000-11111111.partial"
    for name in (gone, away):
        (folder / name).write_bytes(b"half")
    cache = KernelCache(lambda line: None, helped=False)
    cache._missed()
    assert [path.name for path in folder.iterdir()] == [away]


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
